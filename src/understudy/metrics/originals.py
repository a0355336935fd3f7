"""The originals, judged as synthetic faces are: from their aligned crops, by the same detector and network."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from understudy.errors import UserError
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.files import fingerprint

KEPT = ("clip", "frame", "time")


def split_originals(faces: Faceset, count: int, batch: int) -> Iterator[tuple[str, list[int]]]:
    """Choose up to `count` filmed crops, spread evenly, and yield them in parts: a key of their content, and the rows.

    Raises:
        UserError: the faceset is empty.
    """
    if not len(faces):
        raise UserError(
            f"The faceset {faces.path} is empty: add clips that show the person and run the pipeline again."
        )
    rows = faces.sample(count).tolist()
    content = [shard.sha256 for shard in faces.shards]
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        yield fingerprint("originals", content, part), part


def describe_rows(path: Path, rows: list[int]) -> pa.Table:
    """Describe the crops `rows` of the faceset at `path` as `describe_crops` does; clip, frame and time are kept."""
    faces = Faceset(path)
    table = describe_crops(faces.images(rows))
    known = faces.table(KEPT).take(pa.array(rows))
    for name in KEPT:
        table = table.set_column(table.schema.get_field_index(name), name, known.column(name))
    return table
