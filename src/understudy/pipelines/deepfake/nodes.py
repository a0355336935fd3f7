"""Nodes of deepfake."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from understudy.datasets.picture import SealedPicture
from understudy.faces.faceset import Faceset
from understudy.faces.selection import Selection
from understudy.pipelines.sealing import seal_from, seal_of, seal_picture
from understudy.pipelines.tracking import lightning_logger, log_picture
from understudy.processes import require_alone
from understudy.provenance.origin import warn_of_what_is_off
from understudy.swap import render
from understudy.swap.presets import configure
from understudy.swap.training import choose_teachers, train
from understudy.video.footage import Footage
from understudy.weights import Weights

Parameters = dict[str, Any]


def train_swap(
    synthetic: Faceset,
    source: Faceset,
    selection: Selection,
    target: Faceset,
    target_selection: Selection,
    parameters: Parameters,
    size: int,
    seed: int,
    checkpoints: Path,
    consents: Parameters,
    provenance: Parameters,
) -> tuple[Weights, dict[str, Any], SealedPicture]:
    """Train the swap; goes on where a killed run stopped.

    Returns:
        The networks, the figures of training, and a picture of what they do.
    """
    require_alone("understudy.swap.pretrain", "go on from its network with kedro run --from-nodes describe_swap")
    config = configure(parameters)
    selection.check(source)
    target_selection.check(target)
    teachers = choose_teachers(synthetic, source, target, selection, target_selection.rows)
    result = train(teachers, config, size, seed, checkpoints, lightning_logger(), log_picture)
    seal = seal_of(result.weights, consents, provenance)
    return result.weights, result.summary, seal_picture(seal, result.preview, "swap_preview.png")


def describe_swap(weights: Weights, consents: Parameters, provenance: Parameters) -> dict[str, Any]:
    """Say by what the videos are made, out of whose consent, and how they are marked."""
    seal = seal_of(weights, consents, provenance)
    warn_of_what_is_off(seal.config)
    return seal.origin.as_dict()


def count_swap_frames(footage: Footage, target: Faceset, parameters: Parameters, size: int) -> dict[str, int]:
    """How many frames of the clip get the new face, and how many stay as they are since none was found."""
    config = configure(parameters)
    return render.count_frames(render.choose_clip(footage, config.render.clip), target, config, size)


def render_swap(
    weights: Weights,
    target: Faceset,
    footage: Footage,
    parameters: Parameters,
    origin: dict[str, Any],
    provenance: Parameters,
) -> Callable[[Path], None]:
    """Put the face into the target's clip: label and watermark on every frame, the whole signed."""
    config, seal = configure(parameters), seal_from(origin, provenance)
    clip = render.choose_clip(footage, config.render.clip)
    make = partial(render.render, clip=clip, weights=weights, faces=target, config=config, decorate=seal.paint())
    return seal.video("swap.mp4", make)


def render_side_by_side(
    footage: Footage, swap: Path, parameters: Parameters, origin: dict[str, Any], provenance: Parameters
) -> Callable[[Path], None]:
    """Put the original beside the swap, which bears the label."""
    config, seal = configure(parameters), seal_from(origin, provenance)
    clip = render.choose_clip(footage, config.render.clip)
    make = partial(
        render.render_side_by_side, clip=clip, swap=swap, crf=config.render.crf, decorate=seal.paint(label=False)
    )
    return seal.video("side_by_side.mp4", make)


def draw_stills(
    footage: Footage, swap: Path, parameters: Parameters, origin: dict[str, Any], provenance: Parameters
) -> SealedPicture:
    """Show a few frames, the original above the swap."""
    config, seal = configure(parameters), seal_from(origin, provenance)
    stills = render.draw_stills(render.choose_clip(footage, config.render.clip), swap, config.render.stills)
    return seal_picture(seal, stills, "swap_stills.png", labelled=seal.origin.label)
