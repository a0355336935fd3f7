"""The faceset: aligned face crops of one person with their landmarks and scores, as Parquet shards.

A faceset is a folder:

    000-3f2a9c.parquet …   one shard a segment of video (or a batch of synthesis)
    manifest.jsonl         one row a finished shard: key, file, bytes, rows, sha256
    _SUCCESS               written last: the keys of all shards, in order

A shard appears whole or not at all, and the manifest is appended after it, so that a killed run keeps what was done.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from understudy.errors import UserError
from understudy.faces.manifest import (
    SUCCESS,
    ShardRow,
    append_row,
    content_fault,
    fault,
    finish,
    read_manifest,
    shard_file,
)
from understudy.files import atomic_path, sha256

__all__ = ["SCHEMA", "Faceset", "ShardRow", "decode_image", "encode_image", "finish", "read_manifest", "write_shard"]

SCHEMA = pa.schema(
    [
        ("image", pa.binary()),  # JPEG 4:4:4 q95 of the aligned crop, RGB
        ("clip", pa.string()),  # file name of the clip, or "synthetic"
        ("frame", pa.int32()),  # index of the frame in its clip, or number of the synthetic face
        ("time", pa.float64()),  # presentation time in seconds
        ("box", pa.list_(pa.float32(), 4)),  # detector's box in the frame: left, top, right, bottom
        ("score", pa.float32()),  # detector's score; NaN where no face was found
        ("matrix", pa.list_(pa.float64(), 6)),  # 2x3, row-major: frame pixels to crop pixels
        ("landmarks", pa.list_(pa.float32(), 136)),  # 68 points x,y in crop pixels; NaN where no face was found
        ("embedding", pa.list_(pa.float32(), 128)),  # dlib's 128-d; NaN where no face was found
        ("blur", pa.float32()),  # variance of the Laplacian inside the hull: small is blurred
        ("exposure", pa.float32()),  # mean luma inside the hull, 0..255
        ("yaw", pa.float32()),  # degrees from the mean face seen from the front
        ("pitch", pa.float32()),
        ("roll", pa.float32()),
        ("mouth_open", pa.float32()),  # inner lip distance over eye distance
        ("eye_open", pa.float32()),  # mean eye height over width
        ("brow_height", pa.float32()),  # brow to eye over eye distance
        ("phash", pa.int64()),  # 64-bit perceptual hash of the crop; 0 where no face was found
        ("seed", pa.int64()),  # of a synthetic face; -1 for a filmed one
    ],
)
ROW_GROUP = 128
NOTES = b"understudy"
"""Key of a shard's notes in its schema's metadata: JSON of what its maker has counted."""
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


def encode_image(rgb: np.ndarray) -> bytes:
    """Encode an RGB uint8 image (H, W, 3) as JPEG 4:4:4 at quality 95."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), JPEG)
    if not done:
        raise ValueError(f"OpenCV could not encode an image of shape {rgb.shape} and type {rgb.dtype}")
    return data.tobytes()


def decode_image(data: bytes) -> np.ndarray:
    """Decode JPEG bytes to an RGB uint8 image (H, W, 3)."""
    rgb = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    if rgb is None:
        raise ValueError(f"{len(data)} bytes are not a JPEG image")
    return rgb


class Faceset:
    """A faceset on disk. Nothing is read until it is asked for; images are decoded batch by batch.

    Args:
        path: its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @property
    def complete(self) -> bool:
        """Whether every shard of the plan is there, with the size that the manifest states."""
        return fault(self.path) is None

    @cached_property
    def shards(self) -> list[ShardRow]:
        """The shards in the order of the plan.

        Raises:
            UserError: the faceset is not complete.
        """
        if cause := fault(self.path):
            raise UserError(f"The faceset {self.path} is not complete ({cause}): run the step that makes it again.")
        rows = read_manifest(self.path)
        return [rows[key] for key in json.loads((self.path / SUCCESS).read_bytes())["keys"]]

    def __len__(self) -> int:
        return sum(shard.rows for shard in self.shards)

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Read `columns` of all shards, in order. Do not ask for `image` here: use `batches`."""
        tables = []
        for shard in self.shards:
            with self._open(shard) as file:
                if unknown := set(columns) - set(file.schema_arrow.names):
                    raise UserError(
                        f"The shard {self.path / shard.file} has no {', '.join(sorted(unknown))}: it was made by an "
                        "earlier version, so run the step that makes it again."
                    )
                tables.append(file.read(columns=list(columns)))
        return pa.concat_tables(tables) if tables else SCHEMA.empty_table().select(list(columns))

    def column(self, name: str) -> np.ndarray:
        """One column as an array: (N,) for numbers and strings, (N, K) for fixed-size lists."""
        column = self.table([name]).column(name).combine_chunks()
        if pa.types.is_fixed_size_list(column.type):
            flat = column.flatten().to_numpy(zero_copy_only=False)
            return flat.reshape(-1, column.type.list_size)
        return column.to_numpy(zero_copy_only=False)

    def landmarks(self) -> np.ndarray:
        """Landmarks in crop pixels, (N, 68, 2); NaN where no face was found."""
        return self.column("landmarks").reshape(-1, 68, 2)

    def found(self) -> np.ndarray:
        """Which rows hold a face, (N,) bool."""
        return np.isfinite(self.column("score"))

    def notes(self) -> list[dict[str, Any]]:
        """What the maker of each shard has noted down about it, such as counts of frames; {} where there is nothing."""
        notes = []
        for shard in self.shards:
            with self._open(shard) as file:
                notes.append(json.loads((file.metadata.metadata or {}).get(NOTES, b"{}")))
        return notes

    def batches(self, size: int = 256) -> Iterator[np.ndarray]:
        """Yield images in order, RGB uint8 (B, H, W, 3), at most `size` at a time."""
        for shard in self.shards:
            with self._open(shard) as file:
                for batch in file.iter_batches(batch_size=size, columns=["image"]):
                    if len(batch):
                        yield np.stack([decode_image(data.as_py()) for data in batch.column(0)])

    def images(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The images of the given row numbers, in the given order, RGB uint8 (B, H, W, 3)."""
        found = {row: decode_image(jpeg) for row, jpeg in self.jpegs(rows)}
        return np.stack([found[int(row)] for row in rows])

    def jpegs(self, rows: Sequence[int] | np.ndarray) -> Iterator[tuple[int, bytes]]:
        """Yield each of the given row numbers once, in rising order, with its picture as JPEG."""
        for (number, group), inside in self._by_group(np.unique(np.asarray(rows, dtype=np.int64))):
            data = self.encoded(number, group)
            first = int(self._starts[number]) + group * ROW_GROUP
            for row in inside.tolist():
                yield row, data[row - first]

    def encoded(self, shard: int, group: int) -> list[bytes]:
        """The JPEG bytes of one row group (`ROW_GROUP` rows, fewer at the end of a shard) of the n-th shard."""
        with self._open(self.shards[shard]) as file:
            return file.read_row_group(group, columns=["image"], use_threads=False).column("image").to_pylist()

    def sample(self, count: int) -> np.ndarray:
        """Up to `count` row numbers spread evenly over the faceset, in order."""
        return np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(np.int64))

    @cached_property
    def _starts(self) -> np.ndarray:
        """The row number at which each shard begins, and that behind the last."""
        return np.cumsum([0, *(shard.rows for shard in self.shards)])

    def _by_group(self, rows: np.ndarray) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
        """Sorted row numbers by the shard and the row group that hold them."""
        shard = np.searchsorted(self._starts, rows, side="right") - 1
        group = (rows - self._starts[shard]) // ROW_GROUP
        places = np.stack([shard, group], 1)
        kinds, begins = np.unique(places, axis=0, return_index=True)
        for place, inside in zip(kinds, np.split(rows, begins[1:]), strict=True):
            yield (int(place[0]), int(place[1])), inside

    @contextmanager
    def _open(self, shard: ShardRow) -> Iterator[pq.ParquetFile]:
        """Open a shard; what its checksums find wrong, now or while it is read, is the user's to know.

        Parquet's page checksums cover neither its footer nor the pages' headers, so the SHA-256 of a shard is taken
        when a process first opens it. A faceset with a damaged shard is no longer declared complete.
        """
        path = self.path / shard.file
        try:
            if cause := _content_fault(self.path, shard):
                raise pa.ArrowInvalid(cause)
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                yield file
        except (OSError, pa.ArrowInvalid) as error:
            if isinstance(error, OSError) and error.errno:  # of the machine, not of the file's content
                raise
            if os.access(self.path, os.W_OK):
                (self.path / SUCCESS).unlink(missing_ok=True)
            raise UserError(
                f"The shard {path} is damaged ({str(error).splitlines()[0]}): "
                "run the step that makes it again, and it alone is made anew."
            ) from error


_sound: set[tuple[Path, int, int, ShardRow]] = set()


def _content_fault(folder: Path, shard: ShardRow) -> str | None:
    """As `content_fault`, once a process for each state of the file."""
    path = (folder / shard.file).resolve()
    if not path.is_file():
        return "is missing"
    state = path.stat()
    seen = (path, state.st_size, state.st_mtime_ns, shard)
    if seen not in _sound:
        if cause := content_fault(folder, shard):
            return cause
        _sound.add(seen)
    return None


def write_shard(folder: Path, number: int, key: str, table: pa.Table | Iterable[pa.Table]) -> ShardRow:
    """Write one shard and its line in the manifest; see `store_shard`."""
    row = store_shard(folder, number, key, table)
    append_row(folder, row)
    return row


def store_shard(folder: Path, number: int, key: str, table: pa.Table | Iterable[pa.Table]) -> ShardRow:
    """Write one shard. The bytes depend on the rows and notes alone.

    Two processes may write the same shard at once, as when one is taken for dead: both write the same bytes.

    Args:
        folder: of the faceset.
        number: place of the shard in the faceset.
        key: name of its content.
        table: its rows, whole or in pieces of any size, which are written as they come, in constant memory. The
            schema's metadata `understudy`, JSON, is kept: those of the last piece that has some.

    Returns:
        What the manifest is to say of it.
    """
    path = folder / shard_file(number, key)
    notes: dict[bytes, bytes] = {}
    rows = 0
    with (
        atomic_path(path, sweep=False) as temporary,
        pq.ParquetWriter(
            temporary,
            SCHEMA,
            compression="none",
            use_dictionary=False,
            write_page_checksum=True,
            write_statistics=False,  # they would hold whole images, outside the checksums
        ) as writer,
    ):
        for group in _row_groups([table] if isinstance(table, pa.Table) else table, notes):
            writer.write_table(group, row_group_size=ROW_GROUP)
            rows += len(group)
        writer.add_key_value_metadata(notes)
    return ShardRow(key, path.name, path.stat().st_size, rows, sha256(path))


def _row_groups(pieces: Iterable[pa.Table], notes: dict[bytes, bytes]) -> Iterator[pa.Table]:
    """Cut tables of any size into tables of `ROW_GROUP` rows; put the last notes among them into `notes`."""
    held = SCHEMA.empty_table()
    for piece in pieces:
        if NOTES in (piece.schema.metadata or {}):
            notes[NOTES] = piece.schema.metadata[NOTES]
        held = pa.concat_tables([held, piece.cast(SCHEMA)])
        while len(held) >= ROW_GROUP:
            yield held.slice(0, ROW_GROUP)
            held = held.slice(ROW_GROUP)
    if len(held):
        yield held
