"""Kedro dataset of a selection: a small Parquet table, a row a face of the faceset that it judges."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from kedro.io import AbstractDataset, DatasetError

from understudy.faces.selection import Selection
from understudy.files import atomic_path

COLUMNS = tuple(field.name for field in fields(Selection) if field.name != "content")


class SelectionDataset(AbstractDataset[Selection, Selection]):
    """A selection at `filepath`, with a column for each of its arrays.

    Args:
        filepath: the Parquet file.
        metadata: for Kedro-Viz and other plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Selection:
        """Read the table."""
        try:
            table = pq.read_table(self._filepath, page_checksum_verification=True)
            arrays = {name: table.column(name).to_numpy() for name in COLUMNS}
            content = table.schema.metadata[b"content"].decode()
        except (OSError, KeyError, pa.ArrowInvalid) as error:
            raise DatasetError(f"{self._filepath} is missing or damaged: run the step that makes it again.") from error
        return Selection(**arrays | {"reason": arrays["reason"].astype(np.str_)}, content=content)

    def save(self, data: Selection) -> None:
        """Write the table atomically."""
        table = pa.table({name: pa.array(getattr(data, name)) for name in COLUMNS})
        with atomic_path(self._filepath) as temporary:
            pq.write_table(
                table.replace_schema_metadata({"content": data.content}), temporary, write_page_checksum=True
            )

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
