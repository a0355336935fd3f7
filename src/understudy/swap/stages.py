"""Steps of one stream that work at the same time: each ahead of the next by a few items, and no further."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")

LOOK = 0.1
"""Seconds after which a step that waits looks whether it is still wanted."""


def ahead(items: Iterable[T], depth: int) -> Generator[T]:
    """Yield the items of an iterable that runs in a thread of its own, at most `depth` items ahead.

    Decoding, OpenCV and torch let other threads run. What the iterable raises is raised here, where its next item was
    asked for. When this generator is closed, as it is at its end and by an error of whoever uses it, the iterable is
    closed too and its thread has ended: close it, or use it up.

    Args:
        items: an iterable; a generator is closed by the thread that ran it.
        depth: items that wait at most.
    """
    ready: queue.Queue[tuple[list[T], BaseException | None]] = queue.Queue(depth)
    unwanted = threading.Event()
    thread = threading.Thread(target=_run, args=(items, ready, unwanted), daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if not item:
                return
            yield item[0]
    finally:
        unwanted.set()
        thread.join()


def _run(
    items: Iterable[T], ready: "queue.Queue[tuple[list[T], BaseException | None]]", unwanted: threading.Event
) -> None:
    """Put each item into the queue, then nothing, or the error that ended it."""
    try:
        for item in items:
            if not _put(ready, ([item], None), unwanted):
                break
        if isinstance(items, Generator):
            items.close()
        _put(ready, ([], None), unwanted)
    except BaseException as error:  # raised again by whoever waits for the items
        _put(ready, ([], error), unwanted)


def _put(
    ready: "queue.Queue[tuple[list[T], BaseException | None]]",
    entry: tuple[list[T], BaseException | None],
    unwanted: threading.Event,
) -> bool:
    """Wait for room in the queue; False when nobody wants more."""
    while not unwanted.is_set():
        try:
            ready.put(entry, timeout=LOOK)
            return True
        except queue.Full:
            continue
    return False
