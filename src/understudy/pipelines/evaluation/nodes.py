"""Glue between the catalog and `understudy.metrics`: one node, one measure."""

from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go

from understudy.config import parse
from understudy.datasets.faceset import Shard, ShardPlan
from understudy.datasets.measure import Measure, measure
from understudy.faces.faceset import Faceset
from understudy.faces.selection import Selection
from understudy.metrics import scores
from understudy.metrics.config import EvaluationConfig
from understudy.metrics.copies import copy_scores
from understudy.metrics.coverage import coverage_scores
from understudy.metrics.detectability import detectability_scores
from understudy.metrics.identity import Comparison, compare
from understudy.metrics.originals import describe_rows, split_originals
from understudy.metrics.pictures import Row, choose_rows, draw_rows
from understudy.metrics.report import render
from understudy.metrics.report_plots import histogram
from understudy.metrics.viz import plot_histogram
from understudy.parallel import ParallelConfig

Parameters = dict[str, Any]


def describe_originals(faces: Faceset, parameters: Parameters, parallel: Parameters) -> ShardPlan:
    """Plan the filmed crops' description by the method that judges synthetic ones."""
    config = _config(parameters)
    shards = [
        Shard(key, partial(describe_rows, faces.path, rows), len(rows))
        for key, rows in split_originals(faces, config.max_real, config.batch)
    ]
    return ShardPlan("Judging the originals", shards, parse(ParallelConfig, parallel, "parallel"))


def compare_identity(synthetic: Faceset, originals: Faceset, parameters: Parameters) -> Measure:
    """Count matching, not matching, no face."""
    config = _config(parameters)
    make = partial(scores.identity_scores, synthetic, originals, config)
    return measure("identity", 1, [synthetic, originals], [config.tolerance], make)


def measure_distances(synthetic: Faceset, originals: Faceset) -> Measure:
    """Mean and variance of all pairwise distances."""
    make = partial(scores.distance_scores, synthetic, originals)
    return measure("distance", 1, [synthetic, originals], [], make)


def measure_frechet(synthetic: Faceset, originals: Faceset, parameters: Parameters, seed: int) -> Measure:
    """Fréchet and kernel distance of the embeddings, with floors."""
    config = _config(parameters)
    make = partial(scores.frechet_scores, synthetic, originals, config, seed)
    return measure("frechet", 1, [synthetic, originals], [config.repeats, seed], make)


def measure_inception(synthetic: Faceset, originals: Faceset, parameters: Parameters, seed: int) -> Measure:
    """Inception Score, FID and KID where the network's file is at hand."""
    config = _config(parameters)
    make = partial(scores.inception_scores, synthetic, originals, config, seed)
    return measure("inception", 1, [synthetic, originals], [config.inception, config.repeats, seed], make)


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


def draw_pictures(synthetic: Faceset, originals: Faceset, parameters: Parameters) -> np.ndarray:
    """One picture of the unselected, best, worst and faceless."""
    return draw_rows(_rows(synthetic, originals, _config(parameters)))


def write_report(figures: dict[str, Any], synthetic: Faceset, originals: Faceset, parameters: Parameters) -> str:
    """The self-contained page."""
    config = _config(parameters)
    shares = histogram(_compare(synthetic, originals), config.tolerance)
    return render(figures, shares, _rows(synthetic, originals, config))


def _config(parameters: Parameters) -> EvaluationConfig:
    return parse(EvaluationConfig, parameters, "evaluation")


def _compare(synthetic: Faceset, originals: Faceset) -> Comparison:
    return compare(synthetic.column("embedding"), originals.column("embedding"))


def _rows(synthetic: Faceset, originals: Faceset, config: EvaluationConfig) -> list[Row]:
    return choose_rows(synthetic, originals, _compare(synthetic, originals), config.tolerance, config.pictures)
