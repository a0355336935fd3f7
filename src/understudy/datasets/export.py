"""Kedro dataset of faces exported for other programs: a folder that appears whole or not at all."""

import json
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset, DatasetError

from understudy.faces.export import ExportPlan
from understudy.files import atomic_folder, write_json

MARK = "export.json"
"""Says of a folder what was exported, so that it is not done twice."""


class ExportDataset(AbstractDataset[ExportPlan, Path]):
    """A folder of exported faces.

    Args:
        filepath: the folder.
        metadata: for Kedro-Viz and other plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """The folder."""
        if not self._exists():
            raise DatasetError(f"{self._filepath} does not exist: set 'data_engineering.export' and run again.")
        return self._filepath

    def save(self, data: ExportPlan) -> None:
        """Export, unless the same was exported before. When nothing is asked for, what is there stays as it is."""
        if data.kind == "none" or self._made() == data.key:
            return
        with atomic_folder(self._filepath) as folder:
            data.make(folder)
            write_json(folder / MARK, {"kind": data.kind, "key": data.key})

    def _made(self) -> str | None:
        """The key of what lies there; None when that cannot be told."""
        try:
            return str(json.loads((self._filepath / MARK).read_bytes())["key"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def _exists(self) -> bool:
        return self._made() is not None

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
