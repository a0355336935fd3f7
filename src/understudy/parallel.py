"""One seam for parallel work: inline, local processes or a Dask cluster behind `concurrent.futures.Executor`."""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass as plain_dataclass
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, Generic, Literal, TypeVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from understudy.config import STRICT
from understudy.errors import UserError

T = TypeVar("T")

CLUSTER_LOOK = 30.0
"""Seconds of silence after which it is seen whether a cluster still has workers, and that it is given to find some."""


@dataclass(frozen=True, config=STRICT)
class ParallelConfig:
    """Where the work of footage and evaluation is done.

    `workers` is a number of local processes (1 works inline) or `auto` (one a core). `address` of a Dask scheduler,
    such as `tcp://host:8786`, sends the work there instead: its workers must see the project's folder under the same
    path and have the same packages; start them with `--nthreads 1`, as many as there are cores. Work that raises, or
    whose process dies, is done up to `retries` times again.
    """

    workers: Literal["auto"] | int = "auto"
    address: str | None = Field(default=None, pattern=r"^(tcp|tls)://\S+:\d+$")
    retries: int = Field(default=2, ge=0)


class InlineExecutor(Executor):
    """Runs each call at once in this process; torch has as many threads afterwards as before."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call `fn` now; the returned future already holds its result or its exception."""
        future: Future[Any] = Future()
        torch = sys.modules.get("torch")  # work meant for a worker of its own keeps it to one thread
        threads = torch.get_num_threads() if torch else None
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # carried to whoever asks for the result
            future.set_exception(error)
        finally:
            if torch and threads:
                torch.set_num_threads(threads)
        return future


@contextmanager
def executor(config: ParallelConfig, at_most: int | None = None) -> Iterator[Executor]:
    """Yield the executor that `config` asks for; it is shut down at the end of the block.

    When the block raises, or this process dies, what the local processes are doing is given up.

    Args:
        config: where to work.
        at_most: no more than so many processes are of use.

    Raises:
        UserError: no Dask scheduler at the address, or its workers are not fit.
    """
    if config.address:
        from understudy.cluster import connect

        with connect(config.address) as client:
            yield client.get_executor()
        return
    workers = _workers(config)
    if workers <= 1:
        yield InlineExecutor()
        return
    # spawn: a forked child would inherit the thread pools of torch and OpenCV in an undefined state.
    context = multiprocessing.get_context("spawn")
    heard, lifeline = context.Pipe(duplex=False)  # nothing is ever sent: it ends when this process does
    workers = min(workers, at_most or workers)
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(heard,))
    try:
        yield pool
        pool.shutdown(wait=True)
    finally:
        lifeline.close()
        pool.shutdown(wait=True, cancel_futures=True)
        heard.close()


@plain_dataclass(frozen=True)
class Outcome(Generic[T]):
    """What became of the n-th piece of work: its value, or the error that it ended with."""

    number: int
    value: T | None
    error: Exception | None


class WorkError(Exception):
    """What a piece of work raised, in words; `trace` is the traceback where it was raised."""

    def __init__(self, words: str, trace: str = "") -> None:
        super().__init__(words)
        self.trace = trace


def each(works: Sequence[Callable[[], T]], config: ParallelConfig) -> Generator[Outcome[T], None, None]:
    """Do all pieces of work and yield their outcomes as they come, in any order.

    A piece that raises is done again, up to `config.retries` times, unless it raises a UserError, which would be the
    same each time. When a worker dies, the pieces that were under way are done again, at the end and one by one, so
    that the one that kills its workers is told from those that were beside it.

    Close the generator (`contextlib.closing`) when leaving it early.

    Args:
        works: picklable functions without arguments (`functools.partial` of a function of a module).
        config: where to work.

    Raises:
        UserError: the Dask cluster is not there, is not fit, or is lost.
    """
    left = _Left(works, config)
    with _ended_by_sigterm():
        while left.waiting or left.suspects:
            with executor(config, at_most=len(works)) as pool:
                yield from left.until_broken(pool)


class _Left(Generic[T]):
    """What is left to do: pieces `waiting`, and `suspects`, beside which a worker has died."""

    def __init__(self, works: Sequence[Callable[[], T]], config: ParallelConfig) -> None:
        self.works, self.config = works, config
        self.waiting = deque(range(len(works)))
        self.suspects: deque[int] = deque()
        self.tries: Counter[int] = Counter()
        # A cluster shares out by itself. Locally nothing waits within the pool, so that few are ever suspects.
        self.window = len(works) if config.address else _workers(config)

    def until_broken(self, pool: Executor) -> Iterator[Outcome[T]]:
        """Work until nothing is left, or the pool is broken."""
        running: dict[Future[Any], int] = {}
        broken = False
        while running or (not broken and (self.waiting or self.suspects)):
            broken = broken or not self._fill(pool, running)
            alone = len(running) == 1
            for future in _some_done(running, self.config):
                number = running.pop(future)
                outcome, died = self._settle(number, future, alone)
                broken = broken or (died and self.config.address is None)
                if outcome is not None:
                    yield outcome

    def _fill(self, pool: Executor, running: dict[Future[Any], int]) -> bool:
        """Submit what may be under way now; return False when the pool has broken since."""
        while len(running) < self.window and (self.waiting or (self.suspects and not running)):
            number = (self.waiting or self.suspects)[0]
            try:
                future = pool.submit(_call, self.works[number], self.config.address is not None)
            except BrokenExecutor:
                return False
            (self.waiting or self.suspects).popleft()
            self.tries[number] += 1
            running[future] = number
        return True

    def _settle(self, number: int, future: Future[Any], alone: bool) -> tuple[Outcome[T] | None, bool]:
        """The outcome of a piece, None when it is to be done again; and whether its worker has died."""
        tries, remote = self.tries[number], self.config.address is not None
        try:
            result = future.result()
        except CancelledError:
            raise UserError(
                f"The Dask scheduler at {self.config.address} was lost: start it again and run the same command; "
                "what is done is kept."
            ) from None
        except Exception as error:
            if _died(error, remote):
                # A cluster has tried several workers already.
                if alone and (remote or tries > self.config.retries):
                    return Outcome(number, None, WorkError("its worker process died each time")), True
                self.suspects.append(number)
                return None, True
            result = _Raised(f"{type(error).__name__}: {error}", "", user=False)  # on its way here or there
        if not isinstance(result, _Raised):
            return Outcome(number, result, None), False
        if result.user:
            return Outcome(number, None, UserError(result.words)), False
        if tries > self.config.retries:
            return Outcome(number, None, WorkError(result.words, result.trace)), False
        self.waiting.append(number)
        return None, False


@plain_dataclass(frozen=True)
class _Raised:
    """An exception on its way between processes, as words: not every exception survives pickling."""

    words: str
    trace: str
    user: bool


_one_at_a_time = threading.RLock()
"""dlib's models and the like are one a process: a Dask worker with several threads must not share them."""


def _call(work: Callable[[], T], limit_threads: bool) -> T | _Raised:
    with _one_at_a_time:
        if limit_threads:
            _one_thread()
        try:
            return work()
        except UserError as error:
            return _Raised(str(error), "", user=True)
        except Exception as error:  # carried to the caller, who raises or repeats
            return _Raised(f"{type(error).__name__}: {error}", traceback.format_exc(), user=False)


def _died(error: Exception, remote: bool) -> bool:
    """Whether an exception says that the worker has died."""
    if isinstance(error, BrokenExecutor) or not remote:
        return isinstance(error, BrokenExecutor)
    from distributed import KilledWorker

    return isinstance(error, KilledWorker)


def _some_done(running: dict[Future[Any], int], config: ParallelConfig) -> set[Future[Any]]:
    """Wait until something is done; on a cluster, look now and then whether anyone is still at work."""
    while True:
        done, _ = wait(running, timeout=CLUSTER_LOOK if config.address else None, return_when=FIRST_COMPLETED)
        if done or not running:
            return done
        if config.address:
            from understudy.cluster import require_workers

            require_workers(config.address, CLUSTER_LOOK)


def _workers(config: ParallelConfig) -> int:
    return max(1, (os.cpu_count() or 1) if config.workers == "auto" else config.workers)


def _start_worker(lifeline: Connection) -> None:
    """Prepare a local worker: it leaves Ctrl-C to its parent, ends with it, and keeps to one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    _one_thread()


def _end_with(lifeline: Connection) -> None:
    lifeline.poll(None)  # until its other end is closed: by the parent's hand or by its death
    os._exit(1)


def _one_thread() -> None:
    """Keep a worker to one thread, since there are as many workers as cores."""
    import cv2

    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM raise SystemExit, so that it leaves as little behind as Ctrl-C does."""
    fresh = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if not fresh:  # somebody else sees to it
        yield
        return
    signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
