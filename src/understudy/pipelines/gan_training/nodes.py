"""Nodes of gan_training."""

from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from understudy.config import parse
from understudy.datasets.faceset import Shard, ShardPlan
from understudy.datasets.picture import SealedPicture
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.faces.selection import Selection
from understudy.files import fingerprint
from understudy.gan.config import GanConfig
from understudy.gan.networks import load_base, load_generator, weights_key
from understudy.gan.presets import configure, gpu_memory_gib
from understudy.gan.synthesis import draw
from understudy.gan.training import train
from understudy.pipelines.sealing import seal_of, seal_picture
from understudy.pipelines.tracking import lightning_logger, log_picture
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
    config = configure(params, size, gpu_memory_gib())
    base = load_base(bases, size) if config.start == "base" else None
    selection.check(faces)
    rows = [selection.training_rows]
    result = train(faces, config, size, seed, checkpoints, base, lightning_logger(), log_picture, rows=rows)
    seal = seal_of(result.weights, {}, provenance)
    return result.weights, result.summary, seal_picture(seal, result.grid, "gan_sample_grid.png")


def synthesise_faces(weights: Weights, params: dict[str, Any]) -> ShardPlan:
    """Plan a plain, unselected sample of the generator, a shard at a time."""
    config = parse(GanConfig, params, "gan_training").synthesis
    key = weights_key(weights)
    shards = []
    for start in range(0, config.count, config.shard):
        numbers = range(start, min(start + config.shard, config.count))
        name = fingerprint("synthetic", key, config.psi, config.first_seed, numbers.start, numbers.stop)
        make = partial(make_shard, weights, numbers, config.first_seed, config.psi, config.batch)
        shards.append(Shard(name, make, len(numbers)))
    return ShardPlan("drawing synthetic faces", shards)


def make_shard(weights: Weights, numbers: range, first_seed: int, psi: float, batch: int) -> pa.Table:
    """Draw the faces `numbers` and describe them as filmed ones are: landmarks, embedding, scores."""
    generator = load_generator(weights).to("cuda" if torch.cuda.is_available() else "cpu")
    seeds = [first_seed + number for number in numbers]
    return describe_crops(draw(generator, seeds, psi, batch), numbers.start, seeds)
