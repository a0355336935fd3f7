"""Checkpoints of the swap's training: whole or not at all, the one before kept as a fallback."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from understudy.errors import UserError
from understudy.files import atomic_path, require_space

LAST, PREVIOUS = "last.ckpt", "previous.ckpt"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """All that training needs to go on as if it had not stopped.

    Args:
        iteration: iterations done. Every random number follows from it and the seed.
        seconds: time spent so far.
        network: state of the networks.
        optimiser: state of the optimizer.
        losses: the last ones that were logged.
    """

    iteration: int
    seconds: float
    network: dict[str, Any]
    optimiser: dict[str, Any]
    losses: dict[str, float]


def save(folder: Path, state: State) -> None:
    """Write `state` as the last checkpoint of `folder`; the one that was last becomes the previous one.

    Raises:
        UserError: the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    last = folder / LAST
    require_space(folder, 2 * sum(tensor.nbytes for tensor in state.network.values()))
    with atomic_path(folder / "next.ckpt") as temporary:
        torch.save(vars(state), temporary)
    if last.is_file():
        os.replace(last, folder / PREVIOUS)
    os.replace(folder / "next.ckpt", last)
    for torn in folder.glob(".next.tmp*"):  # of a run that was killed while it wrote
        torn.unlink(missing_ok=True)


def load(folder: Path) -> State | None:
    """Read the newest readable checkpoint of `folder`; None when there is none at all.

    Raises:
        UserError: there are checkpoints, but none can be read.
    """
    found = [folder / name for name in ("next.ckpt", LAST, PREVIOUS) if (folder / name).is_file()]
    for path in found:
        try:
            return State(**torch.load(path, map_location="cpu", weights_only=True))
        except (RuntimeError, UnpicklingError, EOFError, TypeError, OSError) as error:
            logger.warning("%s cannot be read (%s): the checkpoint before it is tried.", path, error)
    if found:
        raise UserError(f"The checkpoints in {folder} are damaged: delete that folder and start the training again.")
    return None
