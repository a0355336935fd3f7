"""Kedro dataset of a folder that a node fills (checkpoints, caches) or looks through by itself."""

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class FolderDataset(AbstractDataset[NoReturn, Path]):
    """A folder's path.

    Args:
        filepath: the folder.
        make: whether it is made when first loaded; otherwise it may be absent.
        metadata: for Kedro-Viz and other plugins.
    """

    def __init__(self, *, filepath: str, make: bool = True, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self._make = make
        self.metadata = metadata

    def load(self) -> Path:
        """Return the folder's path."""
        if self._make:
            self._filepath.mkdir(parents=True, exist_ok=True)
        return self._filepath

    def save(self, data: NoReturn) -> None:
        """Refused: a node writes into the folder that it loads."""
        raise DatasetError(f"{self._filepath} is a working folder and cannot be saved as a whole.")

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
