"""A faceset is made: what is done is kept, what is missing or damaged is made, by as many workers as there are."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa

from understudy.errors import UserError
from understudy.faces.faceset import ShardRow, store_shard
from understudy.faces.manifest import SUCCESS, append_row, content_fault, finish, read_manifest, size_fault, sweep
from understudy.parallel import Outcome, ParallelConfig, WorkError, each
from understudy.progress import meter

SIGHT = 20.0
"""Seconds that a shared file system is given to show what another machine has written."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shard:
    """One piece of work: `make()` returns its table, or yields it in pieces when it may be large.

    `key` names its content: inputs, parameters, code version. `name` says to the user what it is, such as a clip and
    its frames.
    """

    key: str
    make: Callable[[], pa.Table | Iterable[pa.Table]]
    weight: float = 1.0  # its share of the work, such as its frames
    name: str = ""


@dataclass(frozen=True)
class ShardPlan:
    """What a node returns to have a faceset made: the shards in order, and where to make them.

    `make` of each shard must be picklable when `parallel` is not inline (use `functools.partial` of a module-level
    function with plain arguments). `accept` is called with the number of rows of each shard, in order, before the
    faceset is declared complete; what it raises leaves the faceset incomplete.
    """

    description: str
    shards: Sequence[Shard]
    parallel: ParallelConfig = field(default_factory=lambda: ParallelConfig(workers=1))
    accept: Callable[[list[int]], None] | None = None


def make_faceset(folder: Path, plan: ShardPlan) -> None:
    """Make the shards that are missing or damaged, then declare the faceset complete.

    Raises:
        UserError: shards could not be made, which are named; all others are kept.
    """
    folder = folder.resolve()  # workers elsewhere have another working folder
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    missing = _missing(folder, plan)
    if missing:
        (folder / SUCCESS).unlink(missing_ok=True)
        try:
            _make(folder, plan, missing)
        finally:
            sweep(folder)
    if plan.accept is not None:
        made = read_manifest(folder)
        plan.accept([made[shard.key].rows for shard in plan.shards])
    finish(folder, [shard.key for shard in plan.shards])


def _missing(folder: Path, plan: ShardPlan) -> list[tuple[int, Shard]]:
    """The shards that are not there, or not as they were written, with their places in the plan."""
    rows = read_manifest(folder)
    missing = []
    for number, shard in enumerate(plan.shards):
        if shard.key not in rows:
            missing.append((number, shard))
        elif cause := content_fault(folder, rows[shard.key]):
            logger.warning("The shard %s %s: it is made anew.", folder / rows[shard.key].file, cause)
            missing.append((number, shard))
    return missing


def _make(folder: Path, plan: ShardPlan, missing: list[tuple[int, Shard]]) -> None:
    """Make `missing` shards; those that succeed are kept even when another fails."""
    total = sum(shard.weight for shard in plan.shards)
    # Each worker writes its own shard, so that tables do not travel back through a pipe; here only the manifest is.
    works = [partial(_make_one, folder, number, shard) for number, shard in missing]
    failed: list[tuple[str, Exception]] = []
    with meter(plan.description, total) as shown, closing(each(works, plan.parallel)) as outcomes:
        shown.start_at(total - sum(shard.weight for _, shard in missing))
        for outcome in outcomes:
            number, shard = missing[outcome.number]
            if error := _keep(folder, outcome, plan.parallel):
                failed.append((shard.name or f"piece {number} of {len(plan.shards)}", error))
            shown.step(shard.weight)
    if failed:
        raise _failure(plan.description, failed, len(missing))


def _make_one(folder: Path, number: int, shard: Shard) -> ShardRow:
    if not folder.is_dir():
        raise UserError(f"The folder {folder} is not there: let all workers see the project under the same path.")
    return store_shard(folder, number, shard.key, shard.make())


def _keep(folder: Path, outcome: Outcome[ShardRow], parallel: ParallelConfig) -> Exception | None:
    """Write a finished shard into the manifest, having seen that it is there."""
    if outcome.value is None:
        return outcome.error
    patience = time.monotonic() + (SIGHT if parallel.address else 0.0)
    while cause := size_fault(folder, outcome.value):
        if time.monotonic() >= patience:
            return UserError(
                f"The shard {folder / outcome.value.file} {cause} though a worker has written it: "
                "let all workers see the project under the same path, on a shared disk."
            )
        time.sleep(0.5)
    append_row(folder, outcome.value)
    return None


def _failure(description: str, failed: list[tuple[str, Exception]], tried: int) -> UserError:
    """One sentence for all that went wrong; what a programmer needs goes to the log."""
    for name, error in failed:
        if isinstance(error, WorkError) and error.trace:
            logger.error("%s: %s", name, error.trace)
    name, first = failed[0]
    others = f"; {len(failed) - 1} more failed: {_names(failed[1:])}" if len(failed) > 1 else ""
    if isinstance(first, UserError):
        return UserError(f"{str(first).rstrip('.')}{others}." if others else str(first))
    return UserError(
        f"{description}: {name} could not be done ({first}){others}; the other {tried - len(failed)} are kept: "
        "remove what is named, or run the same command again."
    )


def _names(failed: list[tuple[str, Exception]]) -> str:
    names = [name for name, _ in failed]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} others" if len(names) > 5 else "")
