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
        """Return the handle; a faceset that is missing or not complete is a UserError to whoever reads it.

        Not before: a swap that learns from filmed faces needs no synthetic ones.
        """
        return Faceset(self._filepath)

    def save(self, data: ShardPlan) -> None:
        """Make the shards that are missing or damaged, then declare the faceset complete."""
        make_faceset(self._filepath, data)

    def _exists(self) -> bool:
        return Faceset(self._filepath).complete

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
