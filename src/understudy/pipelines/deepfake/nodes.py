"""Nodes of deepfake."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from understudy.config import parse
from understudy.faces.faceset import Faceset
from understudy.faces.selection import Selection
from understudy.metrics.swap_quality import measure_swap as measure
from understudy.pipelines.tracking import lightning_logger, log_picture
from understudy.provenance.label import burn_label, label_height
from understudy.swap import render
from understudy.swap.config import SwapConfig
from understudy.swap.training import train
from understudy.video.footage import Footage
from understudy.video.probe import probe
from understudy.weights import Weights

Parameters = dict[str, Any]


def train_swap(
    synthetic: Faceset,
    source: Faceset,
    selection: Selection,
    target: Faceset,
    parameters: Parameters,
    size: int,
    seed: int,
    checkpoints: Path,
) -> tuple[Weights, dict[str, Any], np.ndarray]:
    """Train the swap; goes on where a killed run stopped.

    Returns:
        The networks, the figures of training, and a picture of what they do.
    """
    config = _parse(parameters)
    selection.check(source)
    result = train(
        synthetic,
        source,
        target,
        config,
        size,
        seed,
        checkpoints,
        lightning_logger(),
        log_picture,
        selection.training_rows,
    )
    return result.weights, result.summary, result.preview


def render_swap(weights: Weights, target: Faceset, footage: Footage, parameters: Parameters) -> Callable[[Path], None]:
    """Put the face into the target's clip, with the label on every frame."""
    config = _parse(parameters)
    clip = render.choose_clip(footage, config.render.clip)
    decorate = burn_label if config.render.label else None
    return partial(render.render, clip=clip, weights=weights, faces=target, config=config, decorate=decorate)


def render_side_by_side(footage: Footage, swap: Path, parameters: Parameters) -> Callable[[Path], None]:
    """Put the original beside the swap."""
    config = _parse(parameters)
    clip = render.choose_clip(footage, config.render.clip)
    return partial(render.render_side_by_side, clip=clip, swap=swap, crf=config.render.crf)


def draw_stills(footage: Footage, swap: Path, parameters: Parameters) -> np.ndarray:
    """Show a few frames, the original above the swap."""
    config = _parse(parameters)
    return render.draw_stills(render.choose_clip(footage, config.render.clip), swap, config.render.stills)


def measure_swap(
    footage: Footage, swap: Path, source: Faceset, target: Faceset, parameters: Parameters
) -> dict[str, Any]:
    """Measure whose face the video shows."""
    config = _parse(parameters)
    clip = render.choose_clip(footage, config.render.clip)
    frame = probe(clip)
    rows = label_height(frame.height, frame.width) if config.render.label else 0
    return measure(clip, swap, source, target, config.render.quality_frames, rows)


def _parse(parameters: Parameters) -> SwapConfig:
    return parse(SwapConfig, parameters, "deepfake")
