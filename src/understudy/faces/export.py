"""Faces for other programs: TFRecord files, or a folder of pictures with a table."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.files import fingerprint, require_space
from understudy.progress import track

Kind = Literal["none", "tfrecord", "folder"]

SCORES = tuple("clip frame time score blur exposure yaw pitch roll mouth_open eye_open brow_height phash seed".split())
"""The columns of a faceset that go with each face."""
FACES_PER_FILE = 4096
"""Faces in a TFRecord file: about 120 MB at 256 px."""
FILES_PER_FOLDER = 1000
OVERHEAD = 4096
"""Bytes a face may take beside its picture."""


@dataclass(frozen=True)
class ExportPlan:
    """What is to be exported: `make(folder)` fills a new folder, `key` names its content; nothing for `none`."""

    kind: Kind
    key: str
    make: Callable[[Path], None]


def plan_export(faceset: Faceset, rows: np.ndarray, kind: Kind) -> ExportPlan:
    """Plan the export of some rows of a faceset.

    Args:
        faceset: a complete faceset.
        rows: their row numbers, in rising order.
        kind: what for.
    """
    make = {"none": _nothing, "tfrecord": export_tfrecord, "folder": export_folder}[kind]
    key = fingerprint(kind, [shard.sha256 for shard in faceset.shards], np.asarray(rows).tolist(), SCORES)
    return ExportPlan(kind, key, partial(make, faceset, rows))


def export_tfrecord(faceset: Faceset, rows: np.ndarray, folder: Path) -> None:
    """Write `faces-00000-of-00007.tfrecord` and so on, at most 4,096 faces each, one `tf.train.Example` a face.

    Features: `image/encoded` (the JPEG's bytes as they are in the faceset), `image/format`, `image/height`,
    `image/width`, `face/row` (its number in the faceset), `face/landmarks` (68 points x, y in pixels), and `face/` with
    each of `SCORES`, of which `clip` is bytes.

    Raises:
        UserError: the disk is too small.
    """
    from tfrecord import TFRecordWriter

    files = max(1, -(-len(rows) // FACES_PER_FILE))
    faces = _faces(faceset, rows, folder, (*SCORES, "landmarks"))
    for number in range(files):
        writer = TFRecordWriter(str(folder / f"faces-{number:05d}-of-{files:05d}.tfrecord"))
        try:
            for row, jpeg, values in _some(faces, FACES_PER_FILE):
                height, width = _size(jpeg)
                features = {"image/encoded": (jpeg, "byte"), "image/format": (b"jpeg", "byte")}
                features |= {"image/height": (height, "int"), "image/width": (width, "int"), "face/row": (row, "int")}
                writer.write(features | {f"face/{name}": _feature(value) for name, value in values.items()})
        finally:
            writer.close()


def export_folder(faceset: Faceset, rows: np.ndarray, folder: Path) -> None:
    """Write each face as JPEG, its bytes as they are in the faceset, and `faces.csv` with a line for each.

    The pictures are named after their row numbers, a thousand in a folder: `012/0012345.jpg`.

    Raises:
        UserError: the disk is too small.
    """
    with (folder / "faces.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "row", *SCORES])
        for row, jpeg, values in _faces(faceset, rows, folder, SCORES):
            path = folder / f"{row // FILES_PER_FOLDER:03d}" / f"{row:07d}.jpg"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(jpeg)
            table.writerow([path.relative_to(folder).as_posix(), row, *values.values()])


def _nothing(faceset: Faceset, rows: np.ndarray, folder: Path) -> None:
    """Nothing was asked for."""


def _faces(
    faceset: Faceset, rows: np.ndarray, folder: Path, columns: tuple[str, ...]
) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """Yield number, JPEG and other columns of each row, having seen that there is room for them."""
    if not len(rows):
        raise UserError(f"No face in {faceset.path} is left to export: loosen 'data_engineering.selection'.")
    total = sum(shard.bytes for shard in faceset.shards) * len(rows) // len(faceset)
    require_space(folder, total + OVERHEAD * len(rows))
    values = faceset.table(columns).combine_chunks()
    for row, jpeg in track(faceset.jpegs(rows), "Exporting faces", total=len(rows)):
        yield row, jpeg, values.slice(row, 1).to_pylist()[0]


def _some(faces: Iterator[Any], count: int) -> Iterator[Any]:
    """At most so many of them; unlike `islice` it does not keep the iterator from going on afterwards."""
    for _, face in zip(range(count), faces, strict=False):
        yield face


def _feature(value: Any) -> tuple[Any, str]:
    """A value with the name of its kind in a TFRecord."""
    if isinstance(value, str):
        return value.encode(), "byte"
    return value, "int" if isinstance(value, int) else "float"


def _size(jpeg: bytes) -> tuple[int, int]:
    """Height and width of a picture, read from its header."""
    with Image.open(BytesIO(jpeg)) as image:
        return image.height, image.width
