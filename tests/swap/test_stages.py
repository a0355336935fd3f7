"""Steps that work at the same time."""

import threading
import time
from collections.abc import Generator

import pytest

from understudy.swap.stages import ahead


def numbers(count: int, log: list[str] | None = None, fail_at: int = -1) -> Generator[int]:
    try:
        for number in range(count):
            if number == fail_at:
                raise ValueError(f"no {number}")
            yield number
    finally:
        if log is not None:
            log.append(threading.current_thread().name)


def test_items_come_in_their_order_through_many_steps() -> None:
    before = threading.active_count()
    items = ahead((2 * x for x in ahead(numbers(100), 2)), 3)
    assert list(items) == list(range(0, 200, 2))
    assert threading.active_count() == before


def test_no_step_runs_further_ahead_than_it_may() -> None:
    made: list[int] = []

    def counted() -> Generator[int]:
        for number in range(100):
            made.append(number)
            yield number

    items = ahead(counted(), 3)
    assert next(items) == 0
    time.sleep(0.1)
    assert len(made) <= 5  # taken, three that wait, one in the hand
    items.close()


@pytest.mark.parametrize("inner", [0, 7])
def test_an_error_comes_out_as_itself_and_no_thread_is_left(inner: int) -> None:
    before, log = threading.active_count(), []
    items = ahead((x for x in ahead(numbers(50, log, fail_at=inner), 2)), 2)
    seen = []
    with pytest.raises(ValueError, match=f"no {inner}"):
        for item in items:
            seen.append(item)
    assert seen == list(range(inner)) and len(log) == 1
    assert threading.active_count() == before


def test_who_stops_early_leaves_no_thread_and_closes_every_step() -> None:
    before, log = threading.active_count(), []
    items = ahead(passed_on(ahead(numbers(10_000, log), 2)), 2)
    assert next(items) == 0
    items.close()
    assert threading.active_count() == before
    assert log and log[0] != threading.main_thread().name, "closed by the thread that ran it"


def passed_on(items: Generator[int]) -> Generator[int]:
    try:
        yield from items
    finally:
        items.close()
