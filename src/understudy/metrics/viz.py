"""The report's plots once more for Kedro-Viz, as plotly figures. Without figures to show they say so."""

from typing import Any

import plotly.graph_objects as go

from understudy.metrics.formats import at
from understudy.metrics.report_plots import EXPRESSION_NAMES, PROBES, Histogram, threshold_curve

OURS, FILMED = "#14807a", "#8a939d"


def plot_histogram(shares: Histogram, tolerance: float) -> go.Figure:
    """Distances to the source."""
    centres = (shares.edges[:-1] + shares.edges[1:]) / 2
    figure = go.Figure(
        [
            go.Bar(x=centres, y=shares.originals, name="filmed", marker_color=FILMED, opacity=0.7),
            go.Bar(x=centres, y=shares.synthetic, name="synthetic", marker_color=OURS, opacity=0.7),
        ]
    )
    figure.add_vline(tolerance, line_dash="dash", annotation_text=f"tolerance {tolerance:g}")
    figure.update_layout(barmode="overlay", bargap=0.05)
    return _titled(figure, "Distance to the source", "Euclidean distance of 128-d embeddings", "share of faces")


def plot_thresholds(scores: dict[str, Any]) -> go.Figure:
    """The share that any tolerance would accept."""
    curve = threshold_curve(scores)
    figure = go.Figure(
        [
            go.Scatter(x=curve["tolerance"], y=curve[key], name=name, line_color=colour)
            for key, name, colour in (("originals", "filmed", FILMED), ("synthetic", "synthetic", OURS))
            if key in curve
        ]
    )
    return _titled(figure, "Recognised at other tolerances", "tolerance", "share of faces")


def plot_coverage(scores: dict[str, Any]) -> go.Figure:
    """Histograms of the expression measures, chosen from a menu."""
    measures = at(scores, "coverage.histograms") or {}
    figure = go.Figure()
    for place, part in enumerate(measures.values()):
        centres = [(left + right) / 2 for left, right in zip(part["edges"][:-1], part["edges"][1:], strict=True)]
        for name, colour in (("filmed", FILMED), ("synthetic", OURS)):
            figure.add_bar(x=centres, y=part[name], name=name, marker_color=colour, opacity=0.7, visible=place == 0)
    buttons = [
        {
            "label": EXPRESSION_NAMES.get(name, name),
            "method": "update",
            "args": [{"visible": [number // 2 == place for number in range(2 * len(measures))]}],
        }
        for place, name in enumerate(measures)
    ]
    figure.update_layout(barmode="overlay", bargap=0.05, updatemenus=[{"buttons": buttons}] if buttons else [])
    return _titled(figure, "Expressions, synthetic over filmed", "scaled units", "share of faces")


def plot_detectability(scores: dict[str, Any]) -> go.Figure:
    """AUC of the probes with their intervals, beside the control."""
    figure = go.Figure()
    for prefix, name, colour in (("", "synthetic from filmed", OURS), ("control.", "filmed from filmed", FILMED)):
        parts = [(label, at(scores, f"detectability.{prefix}{key}")) for key, label in PROBES]
        known = [(label, part) for label, part in parts if part and part.get("auc") is not None]
        if known:
            figure.add_scatter(
                x=[part["auc"] for _, part in known],
                y=[label for label, _ in known],
                name=name,
                mode="markers",
                marker={"size": 11, "color": colour},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [part["auc_high"] - part["auc"] for _, part in known],
                    "arrayminus": [part["auc"] - part["auc_low"] for _, part in known],
                },
            )
    figure.add_vline(0.5, line_dash="dash", annotation_text="chance")
    return _titled(figure, "How well probes tell synthetic from filmed", "AUC", "")


def _titled(figure: go.Figure, title: str, x: str, y: str) -> go.Figure:
    if not figure.data:
        figure.add_annotation(text="not measured: see the report", showarrow=False)
    return figure.update_layout(template="plotly_white", title=title, xaxis_title=x, yaxis_title=y)
