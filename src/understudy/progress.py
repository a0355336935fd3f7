"""Progress for anything over five seconds: a bar with time left on a terminal, plain lines elsewhere."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

T = TypeVar("T")

LINE_EVERY = 10.0
"""Seconds between two plain lines when the output is not a terminal."""

logger = logging.getLogger(__name__)


@dataclass
class Meter:
    """Counts steps of one long task and shows them; made by `meter`."""

    description: str
    total: float | None
    _bar: Progress | None
    _task: TaskID | None
    done: float = 0.0
    _start: float = field(default_factory=time.monotonic)
    _last: float = field(default_factory=time.monotonic)
    _resumed: float = 0.0

    def start_at(self, done: float) -> None:
        """Say that `done` steps were finished by an earlier run, so that the time left counts only new ones."""
        self.done = self._resumed = done
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)

    def step(self, amount: float = 1.0, note: str = "") -> None:
        """Count `amount` further steps; `note` is shown behind the description, such as the current loss."""
        self.done += amount
        if self._bar is not None and self._task is not None:
            text = f"{self.description} {note}".strip()
            self._bar.update(self._task, completed=self.done, description=text)
            return
        now = time.monotonic()
        if now - self._last >= LINE_EVERY:
            self._last = now
            logger.info("%s %s", self.line(), note)

    def line(self) -> str:
        """The state in words: what, how much of it, and the time left."""
        if not self.total:
            return f"{self.description}: {self.done:.0f}"
        fresh = self.done - self._resumed
        left = (time.monotonic() - self._start) / fresh * (self.total - self.done) if fresh > 0 else 0.0
        return f"{self.description}: {self.done:.0f} of {self.total:.0f}, {_clock(left)} left"


@contextmanager
def meter(description: str, total: float | None = None) -> Iterator[Meter]:
    """Show progress while the block runs; call `step` on what it yields."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield Meter(description, total, None, None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        yield Meter(description, total, bar, bar.add_task(description, total=total))


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield `items`, showing how many are done and how long the rest will take."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with meter(description, total) as shown:
        for item in items:
            yield item
            shown.step()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
