"""The part of deepfake that judges what came out: whose face it is, how well it follows, what betrays it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kedro.pipeline import Node, Pipeline

from understudy.config import parse
from understudy.faces.faceset import Faceset
from understudy.faces.selection import Selection
from understudy.metrics.config import EvaluationConfig
from understudy.metrics.openface_file import openface_at_hand
from understudy.metrics.swap_config import SwapQualityConfig
from understudy.metrics.swap_detectability import detectability
from understudy.metrics.swap_frames import measure_frames
from understudy.metrics.swap_people import gather
from understudy.metrics.swap_quality import swap_figures
from understudy.metrics.swap_reconstruction import reconstruction_scores
from understudy.metrics.swap_report import SwapResult, render
from understudy.provenance.label import label_height
from understudy.swap.data import held_out_rows
from understudy.swap.presets import configure
from understudy.swap.render import choose_clip, painter
from understudy.video.footage import Footage
from understudy.video.probe import probe, timing
from understudy.weights import Weights

Parameters = dict[str, Any]
SETTINGS, JUDGING = "params:deepfake", "params:swap_quality"


def measure_swap(
    footage: Footage,
    swap: Path,
    source: Faceset,
    target: Faceset,
    parameters: Parameters,
    judging: Parameters,
    evaluation: Parameters,
    origin: dict[str, Any],
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Measure the video frame by frame, and sum it up; note how it is marked."""
    config = configure(parameters)
    clip = choose_clip(footage, config.render.clip)
    size = probe(clip)
    people = gather(source, target, openface_at_hand(parse(EvaluationConfig, evaluation, "evaluation").openface))
    rows = label_height(size.height, size.width) if origin["label"] else 0
    table = measure_frames(clip, swap, people, _judging(judging), config.render.crf, rows)
    return table, swap_figures(table, people, len(timing(clip).pts)) | {"provenance": origin}


def measure_swap_reconstruction(
    weights: Weights, source: Faceset, selection: Selection, judging: Parameters
) -> dict[str, Any]:
    """How well the source's decoder draws faces that it never saw."""
    selection.check(source)
    rows = held_out_rows(source, selection.rows)
    return reconstruction_scores(source, rows, painter(weights), _judging(judging).held_out)


def measure_swap_detectability(
    footage: Footage, swap: Path, target: Faceset, parameters: Parameters, judging: Parameters, seed: int
) -> dict[str, Any]:
    """How well probes tell the swap's faces from the clip's."""
    config = configure(parameters).render
    clip = choose_clip(footage, config.clip)
    return detectability(clip, swap, target, _judging(judging).detectability, config.crf, seed)


def write_swap_report(
    quality: dict[str, Any],
    frames: pd.DataFrame,
    reconstruction: dict[str, Any],
    detected: dict[str, Any],
    stills: np.ndarray,
    summary: dict[str, Any],
    source: str,
    target: str,
    size: int,
) -> str:
    """The self-contained page."""
    return render(SwapResult(source, target, size, quality, frames, reconstruction, detected, summary), stills)


def create_pipeline() -> Pipeline:
    """The rendered video in, figures and the page out."""
    return Pipeline(
        [
            Node(
                func=measure_swap,
                inputs=[
                    "target_footage",
                    "swap_video",
                    "source_faces",
                    "target_faces",
                    SETTINGS,
                    JUDGING,
                    "params:evaluation",
                    "swap_origin",
                ],
                outputs=["swap_frames", "swap_quality"],
                name="measure_swap",
            ),
            Node(
                func=measure_swap_reconstruction,
                inputs=["swap_model", "source_faces", "source_selection", JUDGING],
                outputs="swap_reconstruction",
                name="measure_swap_reconstruction",
            ),
            Node(
                func=measure_swap_detectability,
                inputs=["target_footage", "swap_video", "target_faces", SETTINGS, JUDGING, "params:seed"],
                outputs="swap_detectability",
                name="measure_swap_detectability",
            ),
            Node(
                func=write_swap_report,
                inputs=[
                    "swap_quality",
                    "swap_frames",
                    "swap_reconstruction",
                    "swap_detectability",
                    "swap_stills",
                    "swap_summary",
                    "params:source",
                    "params:target",
                    "params:size",
                ],
                outputs="swap_report",
                name="write_swap_report",
            ),
        ]
    )


def _judging(parameters: Parameters) -> SwapQualityConfig:
    return parse(SwapQualityConfig, parameters, "swap_quality")
