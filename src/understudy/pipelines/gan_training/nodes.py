"""Nodes of gan_training that train; those that use what was trained are in `variety`."""

from pathlib import Path
from typing import Any

from understudy.datasets.picture import SealedPicture
from understudy.faces.faceset import Faceset
from understudy.faces.selection import Selection
from understudy.gan.networks import load_base
from understudy.gan.presets import configure, gpu_memory_gib
from understudy.gan.training import train
from understudy.pipelines.sealing import seal_of, seal_picture
from understudy.pipelines.tracking import lightning_logger, log_picture
from understudy.processes import require_alone
from understudy.weights import Weights


def train_generator(
    faces: Faceset,
    selection: Selection,
    params: dict[str, Any],
    size: int,
    seed: int,
    checkpoints: Path,
    bases: Path,
    provenance: dict[str, Any],
) -> tuple[Weights, dict[str, Any], SealedPicture]:
    """Train a generator on the selected faces of the source; goes on where a killed run stopped.

    Returns:
        The networks, the figures of training, and a grid of filmed and drawn faces.
    """
    require_alone("understudy.gan.pretrain", "set 'gan_training.start' to the .safetensors that it writes")
    config = configure(params, size, gpu_memory_gib())
    base = load_base(bases, size) if config.start == "base" else None
    selection.check(faces)
    rows = [selection.training_rows]
    result = train(faces, config, size, seed, checkpoints, base, lightning_logger(), log_picture, rows=rows)
    seal = seal_of(result.weights, {}, provenance)
    return result.weights, result.summary, seal_picture(seal, result.grid, "gan_sample_grid.png")
