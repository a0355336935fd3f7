"""The manifest of a faceset: which shards are done, and whether their bytes are still those that were written."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow.parquet as pq

from understudy.files import sha256, write_json

MANIFEST = "manifest.jsonl"
SUCCESS = "_SUCCESS"


@dataclass(frozen=True)
class ShardRow:
    """One finished shard, a line of the manifest."""

    key: str
    file: str
    bytes: int
    rows: int
    sha256: str


def shard_file(number: int, key: str) -> str:
    """The name of a shard's file."""
    return f"{number:04d}-{key[:12]}.parquet"


def read_manifest(folder: Path) -> dict[str, ShardRow]:
    """The finished shards by key. A line that is torn or damaged is dropped; of two of one key the later holds."""
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    rows = {}
    for line in path.read_bytes().splitlines():
        try:
            row = ShardRow(**json.loads(line))
        except (ValueError, TypeError):
            continue  # its shard is made again
        rows[row.key] = row
    return rows


def append_row(folder: Path, row: ShardRow) -> None:
    """Add a finished shard to the manifest. Only one process at a time may do so."""
    with (folder / MANIFEST).open("ab+") as manifest:
        if manifest.tell():
            manifest.seek(-1, os.SEEK_END)
            if manifest.read(1) != b"\n":  # a kill has torn the line before: do not tear this one too
                manifest.write(b"\n")
        manifest.write(json.dumps(asdict(row)).encode() + b"\n")
        manifest.flush()
        os.fsync(manifest.fileno())


def fault(folder: Path) -> str | None:
    """Why the faceset in `folder` is not complete, in words; None when it is. Shards are not read for it."""
    flag = folder / SUCCESS
    if not flag.is_file():
        return "it was not finished"
    try:
        keys = json.loads(flag.read_bytes())["keys"]
    except (ValueError, TypeError, KeyError):
        return f"its file {SUCCESS} is damaged"
    rows = read_manifest(folder)
    for number, key in enumerate(keys):
        if key not in rows:
            return f"the line of {shard_file(number, key)} in its {MANIFEST} is lost"
        if cause := size_fault(folder, rows[key]):
            return f"its shard {rows[key].file} {cause}"
    return None


def size_fault(folder: Path, row: ShardRow) -> str | None:
    """What is wrong with a shard, as far as its size tells; None when nothing is."""
    path = folder / row.file
    if not path.is_file():
        return "is missing"
    if (size := path.stat().st_size) != row.bytes:
        return f"has {size} bytes instead of {row.bytes}"
    return None


def content_fault(folder: Path, row: ShardRow) -> str | None:
    """What is wrong with a shard, by its SHA-256: a flipped bit is found wherever it is. None when nothing is.

    The whole file is read: one to five seconds a GB.
    """
    if cause := size_fault(folder, row):
        return cause
    if sha256(folder / row.file) != row.sha256:
        return "has other bytes than were written (SHA-256)"
    if (rows := pq.read_metadata(folder / row.file).num_rows) != row.rows:
        return f"has {rows} rows instead of {row.rows}"
    return None


def finish(folder: Path, keys: Sequence[str]) -> None:
    """Declare the faceset complete, made of the shards `keys` in this order, and remove what does not belong to it."""
    rows = read_manifest(folder)
    write_json(folder / SUCCESS, {"keys": list(keys)})
    wanted = {rows[key].file for key in keys}
    for path in folder.glob("*.parquet"):
        if path.name not in wanted:
            path.unlink()
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed processes have left."""
    for path in folder.glob(".*.tmp*"):
        path.unlink(missing_ok=True)
