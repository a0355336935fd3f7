"""Training state on disk, of the GAN and of the swap: the newest and the one before it, each whole or absent."""

import logging
import os
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import torch

from understudy.errors import UserError
from understudy.files import atomic_path, require_space

logger = logging.getLogger(__name__)

ROLLBACKS = 2
"""How often a training that failed is taken up again, each time at half the learning rate."""

LAST, PREVIOUS, GOOD = "last.ckpt", "previous.ckpt", "good"


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write `state` as the newest checkpoint of `folder`; the one before is kept as `previous.ckpt`.

    Raises:
        UserError: the disk is full; the checkpoint before stays whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    require_space(folder, int(_bytes(state) * 1.1))
    last = folder / LAST
    try:
        with atomic_path(last) as temporary:
            torch.save(state, temporary)
            if last.exists():
                os.replace(last, folder / PREVIOUS)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"The checkpoint {last} could not be written ({str(error).splitlines()[0]}): "
            "free some space on its disk and run the same command again, which goes on from the one before."
        ) from error


def load_state(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint of `folder` that can be read, on the CPU; None when there is none.

    Raises:
        UserError: there are checkpoints but every one is damaged.
    """
    damaged = []
    for name in (LAST, PREVIOUS):
        path = folder / name
        if not path.is_file():
            continue
        try:
            with zipfile.ZipFile(path) as archive:  # torch itself does not notice a flipped bit
                broken = archive.testzip()
            if broken is not None:
                raise zipfile.BadZipFile(f"wrong checksum of {broken}")
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError, OSError, pickle.UnpicklingError) as error:
            logger.warning("The checkpoint %s is damaged (%s).", path, str(error).splitlines()[0])
            damaged.append(str(path))
            continue
        return state
    if damaged:
        raise UserError(
            f"The checkpoint {' and '.join(damaged)} is damaged: delete the folder {folder} to train from the start."
        )
    return None


def mark_good(folder: Path) -> None:
    """Let the newest checkpoint of `folder` be the one to go back to; costs no space while it is the newest."""
    good = folder / GOOD / LAST
    good.parent.mkdir(exist_ok=True)
    fresh = good.with_name(f".{LAST}.tmp")
    fresh.unlink(missing_ok=True)
    try:
        os.link(folder / LAST, fresh)
    except OSError:  # a file system without hard links
        shutil.copyfile(folder / LAST, fresh)
    os.replace(fresh, good)


def load_good(folder: Path) -> dict[str, Any] | None:
    """The state to go back to; None when there is none yet."""
    return load_state(folder / GOOD)


def _bytes(value: Any) -> int:
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, dict):
        return sum(_bytes(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(_bytes(item) for item in value)
    return 64
