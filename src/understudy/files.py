"""Files that appear whole or not at all, and names that are safe to use as paths."""

import errno
import glob
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from understudy.errors import UserError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def safe_name(name: str, what: str) -> str:
    """Return `name` if it can be one folder's name, else raise a UserError that says what is allowed."""
    if not _NAME.fullmatch(str(name)):
        raise UserError(
            f"The {what} '{name}' cannot be a folder's name: use 1 to 64 letters, digits, '_' and '-', "
            "beginning with a letter or digit."
        )
    return str(name)


@contextmanager
def atomic_path(path: Path, sweep: bool = True) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it to `path` when the block succeeds.

    The temporary name keeps the suffix, since encoders choose the container by it. It holds `.tmp` in the stem, and is
    removed when the block fails; one that a killed run left is removed by the next. Only one process at a time may
    write a path, unless `sweep` is false: then nothing that is left is removed, and the last to finish holds.

    Raises:
        UserError: the disk, or what the user may use of it, is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if sweep:
        for left in path.parent.glob(f".{glob.escape(path.stem)}.tmp*{glob.escape(path.suffix)}"):
            left.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.tmp", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        os.replace(temporary, path)
        _fsync_folder(path.parent)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise UserError(
            f"No space was left while {path} was written: free some space on its disk and run the same command again."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; put it in the place of `path` when the block succeeds.

    It is removed when the block fails; one that a killed run left is removed by the next. Only one process at a time
    may make a folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.name)}.tmp*"):
        shutil.rmtree(left)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.tmp"))
    try:
        yield temporary
        temporary.chmod(0o755)
        if path.is_dir():
            os.replace(path, temporary.with_name(f"{temporary.name}.old"))
        os.replace(temporary, path)
        _fsync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # it is gone already when all went well
        shutil.rmtree(temporary.with_name(f"{temporary.name}.old"), ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, in UTF-8."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically. NaN and infinities are refused: write None instead."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(*values: Any) -> str:
    """A short, stable name for a set of plain values (16 hex digits of the SHA-256 of their sorted JSON)."""
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def require_space(folder: Path, needed: int) -> None:
    """Raise a UserError when the disk that holds `folder` has fewer than `needed` bytes left."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"The disk that holds {folder} has {free / 1e6:.0f} MB left and this step needs {needed / 1e6:.0f} MB: "
            "free some space and run the same command again."
        )


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
