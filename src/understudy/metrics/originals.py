"""The originals, judged as synthetic faces are: from their aligned crops, by the same detector and network."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from understudy.errors import UserError
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.files import fingerprint
from understudy.metrics.crops import read_crops

KEPT = ("clip", "frame", "time")
VERSION = 2
"""Part of every shard's key: raised when the same crops give other rows."""


def split_originals(faces: Faceset, kept: np.ndarray, count: int, batch: int) -> Iterator[tuple[str, list[int]]]:
    """Choose up to `count` of the `kept` crops, spread evenly, and yield them in parts: a key of content, and the rows.

    Raises:
        UserError: there is none.
    """
    if not len(kept):
        raise UserError(
            f"No face in {faces.path} was selected: add clips that show the person and run the pipeline again."
        )
    places = np.linspace(0, len(kept) - 1, min(count, len(kept))).round().astype(np.int64)
    rows = kept[places].tolist()
    content = [shard.sha256 for shard in faces.shards]
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        yield fingerprint("originals", VERSION, content, part), part


def describe_rows(path: Path, rows: list[int]) -> pa.Table:
    """Describe the crops `rows`, which rise, as `describe_crops` does; clip, frame and time are kept.

    Raises:
        UserError: the crops are not all of one size.
    """
    faces = Faceset(path)
    table = describe_crops(read_crops(faces, np.asarray(rows)))
    known = faces.table(KEPT).take(pa.array(rows))
    for name in KEPT:
        table = table.set_column(table.schema.get_field_index(name), name, known.column(name))
    return table
