"""One seam for parallel work: inline, local processes or a Dask cluster behind `concurrent.futures.Executor`."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from understudy.config import STRICT


@dataclass(frozen=True, config=STRICT)
class ParallelConfig:
    """Where the work of footage and evaluation is done.

    `workers` is a number of local processes (1 works inline) or `auto` (one a core); `address` of a Dask scheduler,
    such as `tcp://host:8786`, sends the work there instead.
    """

    workers: int | Literal["auto"] = "auto"
    address: str | None = None
    retries: int = Field(default=2, ge=0)


class InlineExecutor(Executor):
    """Runs each call at once in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call `fn` now; the returned future already holds its result or its exception."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # carried to whoever asks for the result
            future.set_exception(error)
        return future


@contextmanager
def executor(config: ParallelConfig) -> Iterator[Executor]:
    """Yield the executor that `config` asks for; it is shut down at the end of the block."""
    if config.address:
        from distributed import Client

        with Client(config.address) as client:
            yield client.get_executor(retries=config.retries)
        return
    workers = (os.cpu_count() or 1) if config.workers == "auto" else config.workers
    if workers <= 1:
        yield InlineExecutor()
        return
    # spawn: a forked child would inherit the thread pools of torch and OpenCV in an undefined state.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        yield pool


def _one_thread() -> None:
    """Keep each worker to one thread, since there are as many workers as cores."""
    import cv2

    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
