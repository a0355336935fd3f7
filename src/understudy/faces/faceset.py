"""The faceset: aligned face crops of one person with their landmarks and scores, as Parquet shards.

A faceset is a folder:

    000-3f2a9c.parquet …   one shard a segment of video (or a batch of synthesis)
    manifest.jsonl         one row a finished shard: key, file, bytes, rows, sha256
    _SUCCESS               written last: the keys of all shards, in order

A shard appears whole or not at all, and the manifest is appended after it, so that a killed run keeps what was done.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from understudy.errors import UserError
from understudy.files import atomic_path, sha256, write_json

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
JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


def encode_image(rgb: np.ndarray) -> bytes:
    """Encode an RGB uint8 image (H, W, 3) as JPEG 4:4:4 at quality 95."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), JPEG)
    if not done:
        raise ValueError(f"OpenCV could not encode an image of shape {rgb.shape} and type {rgb.dtype}")
    return data.tobytes()


def decode_image(data: bytes) -> np.ndarray:
    """Decode JPEG bytes to an RGB uint8 image (H, W, 3)."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"{len(data)} bytes are not a JPEG image")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


@dataclass(frozen=True)
class ShardRow:
    """One finished shard, a line of the manifest."""

    key: str
    file: str
    bytes: int
    rows: int
    sha256: str


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
        flag = self.path / "_SUCCESS"
        if not flag.is_file():
            return False
        rows = read_manifest(self.path)
        return all(
            key in rows and _size(self.path / rows[key].file) == rows[key].bytes
            for key in json.loads(flag.read_text())["keys"]
        )

    @cached_property
    def shards(self) -> list[ShardRow]:
        """The shards in the order of the plan.

        Raises:
            UserError: the faceset is not complete.
        """
        if not self.complete:
            raise UserError(f"The faceset {self.path} is not complete: run the step that makes it again.")
        rows = read_manifest(self.path)
        return [rows[key] for key in json.loads((self.path / "_SUCCESS").read_text())["keys"]]

    def __len__(self) -> int:
        return sum(shard.rows for shard in self.shards)

    def table(self, columns: Sequence[str]) -> pa.Table:
        """Read `columns` of all shards, in order. Do not ask for `image` here: use `batches`."""
        tables = []
        for shard in self.shards:
            with self._open(shard) as file:
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

    def batches(self, size: int = 256) -> Iterator[np.ndarray]:
        """Yield images in order, RGB uint8 (B, H, W, 3), at most `size` at a time."""
        for shard in self.shards:
            with self._open(shard) as file:
                for batch in file.iter_batches(batch_size=size, columns=["image"]):
                    if len(batch):
                        yield np.stack([decode_image(data.as_py()) for data in batch.column(0)])

    def images(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The images of the given row numbers, in the given order, RGB uint8 (B, H, W, 3)."""
        wanted = np.asarray(rows, dtype=np.int64)
        found: dict[int, np.ndarray] = {}
        start = 0
        for shard in self.shards:
            inside = np.unique(wanted[(wanted >= start) & (wanted < start + shard.rows)])
            if len(inside):
                with self._open(shard) as file:
                    column = file.read(columns=["image"]).column("image")
                found.update({int(row): decode_image(column[int(row) - start].as_py()) for row in inside})
            start += shard.rows
        return np.stack([found[int(row)] for row in wanted])

    def sample(self, count: int) -> np.ndarray:
        """Up to `count` row numbers spread evenly over the faceset, in order."""
        return np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(np.int64))

    @contextmanager
    def _open(self, shard: ShardRow) -> Iterator[pq.ParquetFile]:
        """Open a shard; what its checksums find wrong, now or while it is read, is the user's to know."""
        path = self.path / shard.file
        try:
            yield pq.ParquetFile(path, page_checksum_verification=True)
        except (OSError, pa.ArrowInvalid) as error:
            raise UserError(
                f"The shard {path} is damaged ({str(error).splitlines()[0]}): "
                "delete it and run the step that makes it again."
            ) from error


def read_manifest(folder: Path) -> dict[str, ShardRow]:
    """The finished shards by key. A last line torn by a kill is dropped; of two rows of one key the later holds."""
    path = folder / "manifest.jsonl"
    if not path.is_file():
        return {}
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = ShardRow(**json.loads(line))
        except (json.JSONDecodeError, TypeError):
            continue  # a torn line: its shard is made again
        rows[row.key] = row
    return rows


def write_shard(folder: Path, number: int, key: str, table: pa.Table) -> ShardRow:
    """Write one shard and its line in the manifest. The bytes depend on `table` alone."""
    path = folder / f"{number:04d}-{key[:12]}.parquet"
    with atomic_path(path) as temporary:
        pq.write_table(
            table.cast(SCHEMA),
            temporary,
            row_group_size=ROW_GROUP,
            compression="none",
            use_dictionary=False,
            write_page_checksum=True,
            write_statistics=False,  # they would hold whole images, outside the checksums
        )
    row = ShardRow(key, path.name, path.stat().st_size, table.num_rows, sha256(path))
    with (folder / "manifest.jsonl").open("a", encoding="utf-8") as manifest:
        manifest.write(json.dumps(asdict(row)) + "\n")
        manifest.flush()
        os.fsync(manifest.fileno())
    return row


def finish(folder: Path, keys: Sequence[str]) -> None:
    """Declare the faceset complete, made of the shards `keys` in this order, and remove what does not belong to it."""
    rows = read_manifest(folder)
    write_json(folder / "_SUCCESS", {"keys": list(keys)})
    wanted = {rows[key].file for key in keys}
    for path in [*folder.glob("*.parquet"), *folder.glob(".*.tmp*")]:
        if path.name not in wanted:
            path.unlink()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1
