"""The originals, judged as synthetic faces are: from their aligned crops, by the same detector and network."""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from understudy.datasets.faceset import Shard, ShardPlan
from understudy.errors import UserError
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.files import fingerprint
from understudy.parallel import ParallelConfig

KEPT = ("clip", "frame", "time")


def plan_originals(faces: Faceset, count: int, batch: int, parallel: ParallelConfig) -> ShardPlan:
    """Plan a faceset of up to `count` filmed crops, spread evenly, described anew from the crop alone.

    Raises:
        UserError: the faceset is empty.
    """
    if not len(faces):
        raise UserError(f"The faceset {faces.path} is empty: add clips that show the person and run the pipeline again.")
    rows = faces.sample(count)
    parts = [rows[start : start + batch] for start in range(0, len(rows), batch)]
    content = [shard.sha256 for shard in faces.shards]
    shards = [
        Shard(
            fingerprint("originals", content, part.tolist()),
            partial(describe_rows, faces.path, part.tolist()),
            float(len(part)),
        )
        for part in parts
    ]
    return ShardPlan("Judging the originals", shards, parallel)


def describe_rows(path: Path, rows: list[int]) -> pa.Table:
    """Describe the crops `rows` of the faceset at `path` as `describe_crops` does; clip, frame and time are kept."""
    faces = Faceset(path)
    images = faces.images(rows)
    table = describe_crops(images, 0, np.full(len(rows), -1))
    known = faces.table(KEPT).take(pa.array(rows))
    for name in KEPT:
        table = table.set_column(table.schema.get_field_index(name), name, known.column(name))
    return table
