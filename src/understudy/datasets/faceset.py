"""Kedro dataset of a faceset: loads a lazy handle, saves a plan of shards and resumes where a killed run stopped."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from understudy.faces.faceset import Faceset
from understudy.faces.making import Shard, ShardPlan, make_faceset

__all__ = ["FacesetDataset", "Shard", "ShardPlan"]


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
        """Make the shards that are missing or damaged, then declare the faceset complete."""
        make_faceset(self._filepath, data)

    def _exists(self) -> bool:
        return Faceset(self._filepath).complete

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
