"""Kedro dataset of a faceset: loads a lazy handle, saves a plan of shards and resumes where a killed run stopped."""

from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from kedro.io import AbstractDataset

from understudy.errors import UserError
from understudy.faces.faceset import Faceset, finish, read_manifest, write_shard
from understudy.parallel import ParallelConfig, executor
from understudy.progress import meter


@dataclass(frozen=True)
class Shard:
    """One piece of work: `make()` returns its table. `key` names its content: inputs, parameters, code version."""

    key: str
    make: Callable[[], pa.Table]
    weight: float = 1.0  # its share of the work, such as its frames


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


class FacesetDataset(AbstractDataset[ShardPlan, Faceset]):
    """A faceset folder.

    Args:
        filepath: the folder.
        metadata: for Kedro-Viz and other plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Faceset:
        """Return the handle of a complete faceset; raise UserError when it is not complete."""
        faceset = Faceset(self._filepath)
        _ = faceset.shards
        return faceset

    def save(self, data: ShardPlan) -> None:
        """Make the shards that are missing, then declare the faceset complete."""
        folder = self._filepath
        folder.mkdir(parents=True, exist_ok=True)
        done = {
            key
            for key, row in read_manifest(folder).items()
            if (folder / row.file).is_file() and (folder / row.file).stat().st_size == row.bytes
        }
        missing = [(number, shard) for number, shard in enumerate(data.shards) if shard.key not in done]
        if missing:
            (folder / "_SUCCESS").unlink(missing_ok=True)
            _make(folder, data, missing)
        if data.accept is not None:
            made = read_manifest(folder)
            data.accept([made[shard.key].rows for shard in data.shards])
        finish(folder, [shard.key for shard in data.shards])

    def _exists(self) -> bool:
        return Faceset(self._filepath).complete

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _make(folder: Path, plan: ShardPlan, missing: list[tuple[int, Shard]]) -> None:
    """Make `missing` shards; those that succeed are kept even when another fails."""
    total = sum(shard.weight for shard in plan.shards)
    failures: list[BaseException] = []
    with meter(plan.description, total) as shown, executor(plan.parallel) as pool:
        shown.start_at(total - sum(shard.weight for _, shard in missing))
        # Each worker writes its own shard, so that tables do not travel back through a pipe.
        futures = {}
        for number, shard in missing:
            future = pool.submit(partial(_make_one, folder, number, shard))
            futures[future] = shard
            if future.done():  # an inline executor has done it already: show it now
                shown.step(shard.weight)
        counted = {future for future in futures if future.done()}
        for future in as_completed(futures):
            if future not in counted:
                shown.step(futures[future].weight)
            if (error := future.exception()) is not None:
                failures.append(error)
    users = [error for error in failures if isinstance(error, UserError)]
    if failures:
        raise users[0] if users else failures[0]


def _make_one(folder: Path, number: int, shard: Shard) -> None:
    write_shard(folder, number, shard.key, shard.make())
