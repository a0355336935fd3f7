"""Kedro dataset of a working folder, which a node fills by itself (checkpoints, caches)."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class FolderDataset(AbstractDataset[NoReturn, Path]):
    """A folder's path; it is made when first loaded.

    Args:
        filepath: the folder.
        metadata: for Kedro-Viz and other plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """Make the folder and return its path."""
        self._filepath.mkdir(parents=True, exist_ok=True)
        return self._filepath

    def save(self, data: NoReturn) -> None:
        """Refused: a node writes into the folder that it loads."""
        raise DatasetError(f"{self._filepath} is a working folder and cannot be saved as a whole.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
