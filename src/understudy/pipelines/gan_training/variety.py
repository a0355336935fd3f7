"""Nodes of gan_training that use the trained generator: selected faces, directions, projections, a walk."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from understudy.config import parse
from understudy.datasets.faceset import Shard, ShardPlan
from understudy.datasets.measure import Measure, measure
from understudy.datasets.picture import SealedPicture
from understudy.faces.faceset import Faceset
from understudy.faces.identity import medoid
from understudy.faces.selection import Selection
from understudy.files import fingerprint
from understudy.gan.config import GanConfig
from understudy.gan.directions import direction_scores, draw_directions
from understudy.gan.generator import Generator
from understudy.gan.networks import load_generator, weights_key
from understudy.gan.pool import Choice, choose_faces, copy_rows, draw_shard, generator_only, layers_of, pool_recipe
from understudy.gan.projector import draw_projections, project, projection_scores
from understudy.gan.synthesis import Recipe
from understudy.gan.walk import loop, walk_frames
from understudy.parallel import ParallelConfig
from understudy.pipelines.sealing import seal_of, seal_picture
from understudy.provenance.origin import SYNTHETIC
from understudy.video.encode import write_video
from understudy.weights import Weights

Parameters = dict[str, Any]

logger = logging.getLogger(__name__)

VERSION = 1
"""Of the drawing and describing of faces: raised when the same recipe gives another face."""


def synthesise_faces(weights: Weights, parameters: Parameters, parallel: Parameters) -> ShardPlan:
    """Plan a plain, unselected sample of the generator, a shard at a time."""
    config = _config(parameters).synthesis
    recipes = [Recipe(config.first_seed + number, config.psi) for number in range(config.count)]
    return _drawn("Drawing synthetic faces", weights, recipes, parameters, parallel)


def draw_pool(weights: Weights, parameters: Parameters, parallel: Parameters) -> ShardPlan:
    """Plan the faces among which is chosen; none when nothing is chosen."""
    config = _config(parameters).synthesis.selection
    recipes = [pool_recipe(config.first_seed + n, config, layers_of(weights)) for n in range(config.pool)]
    return _drawn("Drawing faces to choose from", weights, recipes, parameters, parallel)


def select_synthetic_faces(
    pool: Faceset, plain: Faceset, source: Faceset, selection: Selection, parameters: Parameters, seed: int
) -> tuple[ShardPlan, dict[str, Any]]:
    """Choose the faces that a swap learns from; the plain sample when nothing is to be chosen."""
    config = _config(parameters).synthesis
    selection.check(source)
    person = medoid(source.column("embedding")[selection.rows])
    chosen = choose_faces(pool, person, config.selection, seed)
    if not config.selection.pool:
        chosen = Choice(np.arange(len(plain)), chosen.summary)
    elif len(chosen.rows) < config.selection.count:
        logger.warning(
            "Of %d faces drawn to choose from, %d are the person and %d were asked for: all of these are taken; train "
            "longer (gan_training.training.kimg) or draw more (gan_training.synthesis.selection.pool).",
            len(pool),
            len(chosen.rows),
            config.selection.count,
        )
    drawn = pool if config.selection.pool else plain
    content = [shard.sha256 for shard in drawn.shards]
    pieces = [chosen.rows[at : at + config.shard] for at in range(0, len(chosen.rows), config.shard)]
    shards = [
        Shard(fingerprint("selected", VERSION, content, rows.tolist()), partial(copy_rows, drawn.path, rows), len(rows))
        for rows in pieces
    ]
    return ShardPlan("Taking the chosen faces", shards), chosen.summary


def measure_directions(weights: Weights, parameters: Parameters, seed: int) -> Measure:
    """Find directions in W and measure what they move."""
    config = _config(parameters).directions
    make = partial(_measure_directions, weights, parameters, seed)
    return measure("directions", 1, [], [weights_key(weights), config, seed], make)


def picture_directions(
    weights: Weights, scores: dict[str, Any], parameters: Parameters, seed: int, provenance: Parameters
) -> SealedPicture:
    """A strip of faces along each direction, with its label."""
    config = _config(parameters).directions
    picture = draw_directions(_generator(weights), config, seed, scores)
    seal = replace(seal_of(weights, {}, provenance), kind=SYNTHETIC)
    return seal_picture(seal, picture, "gan_directions.png")


def project_faces(
    weights: Weights, faces: Faceset, selection: Selection, parameters: Parameters, seed: int, provenance: Parameters
) -> tuple[dict[str, Any], SealedPicture]:
    """Find the latents of a few filmed faces; the faces above what the generator draws of them."""
    config = _config(parameters).projector
    selection.check(faces)
    rows = selection.rows[np.unique(np.linspace(0, len(selection.rows) - 1, config.count).round().astype(int))]
    real = faces.images(rows)
    found = project(_generator(weights), real, faces.landmarks()[rows], config, seed)
    picture = draw_projections(real, found.images)
    seal = seal_of(weights, {}, provenance)
    return projection_scores(faces, rows, found), seal_picture(seal, picture, "gan_projections.png")


def film_walk(weights: Weights, parameters: Parameters, provenance: Parameters) -> Callable[[Path], None]:
    """A video of a walk through W: labelled, marked and signed."""
    seal = replace(seal_of(weights, {}, provenance), kind=SYNTHETIC)
    return seal.video("gan_walk.mp4", partial(_film, weights, parameters, seal.paint()))


def _film(weights: Weights, parameters: Parameters, paint: Callable[[np.ndarray], np.ndarray], path: Path) -> None:
    config, generator = _config(parameters), _generator(weights)
    ws = loop(generator, config.walk, config.synthesis.first_seed)
    side = max(config.walk.side, generator.size)
    frames = map(paint, walk_frames(generator, ws, side))
    write_video(path, frames, config.walk.rate, (side, side))


def _measure_directions(weights: Weights, parameters: Parameters, seed: int) -> dict[str, Any]:
    return direction_scores(_generator(weights), _config(parameters).directions, seed)


def _drawn(
    description: str, weights: Weights, recipes: Sequence[Recipe], parameters: Parameters, parallel: Parameters
) -> ShardPlan:
    """A faceset drawn by recipes, each shard made again when, and only when, it would come out otherwise."""
    config, key, own = _config(parameters).synthesis, weights_key(weights), generator_only(weights)
    shards = []
    for first in range(0, len(recipes), config.shard):
        piece = recipes[first : first + config.shard]
        name = fingerprint("drawn", VERSION, key, config.batch, first, [recipe.as_dict() for recipe in piece])
        shards.append(Shard(name, partial(draw_shard, own, piece, first, config.batch), len(piece)))
    where = parse(ParallelConfig, parallel, "parallel")
    # a worker takes seconds to start: not for one piece of work
    return ShardPlan(description, shards, where if len(shards) > 1 else replace(where, workers=1))


def _generator(weights: Weights) -> Generator:
    return load_generator(weights).to("cuda" if torch.cuda.is_available() else "cpu")


def _config(parameters: Parameters) -> GanConfig:
    return parse(GanConfig, parameters, "gan_training")
