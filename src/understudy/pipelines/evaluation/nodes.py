"""Glue between the catalog and `understudy.metrics`: one node, one measure."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from understudy.config import parse
from understudy.datasets.faceset import Shard, ShardPlan
from understudy.datasets.measure import Measure, measure
from understudy.faces.faceset import Faceset
from understudy.faces.selection import Selection
from understudy.files import sha256
from understudy.metrics import scores
from understudy.metrics.config import EvaluationConfig
from understudy.metrics.copies import copy_scores
from understudy.metrics.coverage import coverage_scores
from understudy.metrics.detectability import detectability_scores
from understudy.metrics.identity import Comparison, compare
from understudy.metrics.openface_file import openface_state
from understudy.metrics.originals import describe_rows, split_originals
from understudy.metrics.pictures import Row, choose_rows, copy_row, draw_rows
from understudy.metrics.report import render
from understudy.metrics.report_plots import histogram
from understudy.metrics.variety import variety_scores
from understudy.metrics.viz import plot_histogram
from understudy.metrics.years_apart import pair_folders, pictures, years_apart_scores
from understudy.parallel import ParallelConfig

Parameters = dict[str, Any]


def describe_originals(faces: Faceset, selection: Selection, parameters: Parameters, parallel: Parameters) -> ShardPlan:
    """Plan the description of selected filmed crops by the method that judges synthetic ones."""
    config = _config(parameters)
    selection.check(faces)
    shards = [
        Shard(key, partial(describe_rows, faces.path, rows), len(rows))
        for key, rows in split_originals(faces, selection.rows, config.max_real, config.batch)
    ]
    return ShardPlan("Judging the originals", shards, parse(ParallelConfig, parallel, "parallel"))


def compare_identity(synthetic: Faceset, originals: Faceset, selected: Faceset, parameters: Parameters) -> Measure:
    """Count matching, not matching, no face; the same of the selected faces beside it."""
    config = _config(parameters)
    make = partial(scores.identity_scores, synthetic, originals, config, selected)
    return measure("identity", 3, [synthetic, originals, selected], [config.tolerance], make)


def measure_distances(synthetic: Faceset, originals: Faceset) -> Measure:
    """Mean and variance of all pairwise distances."""
    make = partial(scores.distance_scores, synthetic, originals)
    return measure("distance", 1, [synthetic, originals], [], make)


def measure_openface(synthetic: Faceset, originals: Faceset, parameters: Parameters) -> Measure:
    """The paper's distances of all pairs, where OpenFace's file is at hand."""
    config = _config(parameters).openface
    make = partial(scores.openface_scores, synthetic, originals, config)
    return measure("openface", 1, [synthetic, originals], [config], make)


def measure_variety(source: Faceset, sets: dict[str, Any], parameters: Parameters) -> Measure:
    """Table 1 of the paper: monotone against varied."""
    config = _config(parameters).openface
    make = partial(variety_scores, source, sets, config)
    return measure("variety", 1, [source], [sets, openface_state(config)], make)


def measure_years_apart(folder: Path, parameters: Parameters) -> Measure:
    """Pairs of pictures that the user supplied."""
    config = _config(parameters)
    content = [(str(path), sha256(path)) for place in pair_folders(folder) for path in pictures(place)]
    make = partial(years_apart_scores, folder, config)
    return measure("years_apart", 1, [], [content, config.tolerance, openface_state(config.openface)], make)


def measure_frechet(synthetic: Faceset, originals: Faceset, parameters: Parameters, seed: int) -> Measure:
    """Fréchet and kernel distance of the embeddings, with floors."""
    config = _config(parameters)
    make = partial(scores.frechet_scores, synthetic, originals, config, seed)
    return measure("frechet", 2, [synthetic, originals], [config.repeats, seed], make)


def measure_inception(synthetic: Faceset, originals: Faceset, parameters: Parameters, seed: int) -> Measure:
    """Inception Score, FID and KID where the network's file is at hand."""
    config = _config(parameters)
    make = partial(scores.inception_scores, synthetic, originals, config, seed)
    return measure("inception", 2, [synthetic, originals], [config.inception, config.repeats, seed], make)


def measure_copies(synthetic: Faceset, filmed: Faceset, originals: Faceset, parameters: Parameters) -> Measure:
    """How near synthetic faces lie to the nearest filmed ones."""
    pairs = _config(parameters).pictures
    make = partial(copy_scores, synthetic, filmed, originals, pairs)
    return measure("copies", 1, [synthetic, filmed, originals], [pairs], make)


def measure_coverage(synthetic: Faceset, originals: Faceset, parameters: Parameters, seed: int) -> Measure:
    """Which of the filmed expressions the synthetic faces show."""
    repeats = _config(parameters).repeats
    make = partial(coverage_scores, synthetic, originals, repeats, seed)
    return measure("coverage", 1, [synthetic, originals], [repeats, seed], make)


def measure_detectability(
    synthetic: Faceset, filmed: Faceset, selection: Selection, parameters: Parameters, seed: int
) -> Measure:
    """How well probes tell synthetic faces from the selected filmed ones."""
    config = _config(parameters).detectability
    selection.check(filmed)
    rows = selection.rows
    make = partial(detectability_scores, synthetic, filmed, rows, config, seed)
    return measure("detectability", 1, [synthetic, filmed], [config, rows.tolist(), seed], make)


def plot_distances(synthetic: Faceset, originals: Faceset, parameters: Parameters) -> go.Figure:
    """Histogram of the distances to the source, for Kedro-Viz."""
    tolerance = _config(parameters).tolerance
    return plot_histogram(histogram(_compare(synthetic, originals), tolerance), tolerance)


def draw_pictures(
    figures: dict[str, Any], synthetic: Faceset, originals: Faceset, source: Faceset, parameters: Parameters
) -> np.ndarray:
    """One picture of the unselected, best, worst and faceless, and of the nearest pairs."""
    return draw_rows(_rows(figures, synthetic, originals, source, _config(parameters)))


def write_report(
    figures: dict[str, Any], synthetic: Faceset, originals: Faceset, source: Faceset, parameters: Parameters
) -> str:
    """The self-contained page."""
    config = _config(parameters)
    shares = histogram(_compare(synthetic, originals), config.tolerance)
    return render(figures, shares, _rows(figures, synthetic, originals, source, config))


def _config(parameters: Parameters) -> EvaluationConfig:
    return parse(EvaluationConfig, parameters, "evaluation")


def _compare(synthetic: Faceset, originals: Faceset) -> Comparison:
    return compare(synthetic.column("embedding"), originals.column("embedding"))


def _rows(
    figures: dict[str, Any], synthetic: Faceset, originals: Faceset, source: Faceset, config: EvaluationConfig
) -> list[Row]:
    rows = choose_rows(synthetic, originals, _compare(synthetic, originals), config.tolerance, config.pictures)
    nearest = copy_row(figures.get("copies", {}), synthetic, source, config.pictures)
    return [*rows, nearest] if nearest else rows
