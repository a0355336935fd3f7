"""Pictures of how far a faceset reaches: the poses of the head and the five measures of expression."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from understudy.faces.expression import EXPRESSION
from understudy.faces.faceset import Faceset
from understudy.faces.selection import Selection

TITLES = {
    "mouth_open": "mouth opening / eye distance",
    "eye_open": "eye height / width",
    "brow_height": "brow above eye / eye distance",
    "yaw": "yaw, degrees from the clip's median",
    "pitch": "pitch, degrees from the clip's median",
}
KEPT, TEACHING = "#8a939d", "#14807a"
SCALE = "Blues"
BINS = 30


@dataclass(frozen=True)
class Coverage:
    """What both drawings show.

    Args:
        poses: kept faces by pitch (rows) and yaw (columns), (BINS, BINS).
        yaw_edges: in degrees, (BINS + 1,).
        pitch_edges: the same.
        edges: of the histograms, by measure, (BINS + 1,).
        kept: share of the kept faces in each bin, by measure, (BINS,).
        teaching: the same of those that teach; empty when these are all that are kept.
    """

    poses: np.ndarray
    yaw_edges: np.ndarray
    pitch_edges: np.ndarray
    edges: dict[str, np.ndarray]
    kept: dict[str, np.ndarray]
    teaching: dict[str, np.ndarray]


def measure_coverage(faceset: Faceset, selection: Selection) -> Coverage:
    """Count the kept faces by pose and by each measure; the outermost bins hold what lies beyond them."""
    values = {name: faceset.column(name).astype(np.float64) for name in EXPRESSION}
    values |= {"yaw": selection.yaw, "pitch": selection.pitch}
    rows, teaching = selection.rows, selection.training_rows
    edges = {name: _edges(column[rows]) for name, column in values.items()}
    inside = {name: column.clip(edges[name][0], edges[name][-1]) for name, column in values.items()}

    def shares(chosen: np.ndarray) -> dict[str, np.ndarray]:
        counts = {name: np.histogram(column[chosen], edges[name])[0] for name, column in inside.items()}
        return {name: count / max(len(chosen), 1) for name, count in counts.items()}

    poses, _, _ = np.histogram2d(inside["pitch"][rows], inside["yaw"][rows], (edges["pitch"], edges["yaw"]))
    return Coverage(
        poses,
        edges["yaw"],
        edges["pitch"],
        edges,
        shares(rows),
        shares(teaching) if len(teaching) < len(rows) else {},
    )


def plot_coverage(coverage: Coverage, title: str) -> go.Figure:
    """For Kedro-Viz: the map of poses and a histogram of each measure."""
    names = ["pose of the head", *TITLES.values()]
    figure = make_subplots(2, 3, subplot_titles=names, vertical_spacing=0.16, horizontal_spacing=0.07)
    x, y = (_centres(edges) for edges in (coverage.yaw_edges, coverage.pitch_edges))
    counts = np.where(coverage.poses > 0, coverage.poses, np.nan)
    hint = "yaw %{x:.1f}, pitch %{y:.1f}: %{z} faces<extra></extra>"
    figure.add_trace(
        go.Heatmap(x=x, y=y, z=counts, colorscale=SCALE, showscale=False, hovertemplate=hint), row=1, col=1
    )
    figure.update_xaxes(title_text="yaw, degrees", row=1, col=1)
    figure.update_yaxes(title_text="pitch, degrees", row=1, col=1)
    for number, name in enumerate(TITLES, 1):
        row, column = number // 3 + 1, number % 3 + 1
        centres = _centres(coverage.edges[name])
        bars = go.Bar(x=centres, y=coverage.kept[name], name="kept", marker_color=KEPT, showlegend=number == 1)
        figure.add_trace(bars, row=row, col=column)
        if coverage.teaching:
            line = go.Scatter(
                x=centres,
                y=coverage.teaching[name],
                mode="lines",
                line={"color": TEACHING, "shape": "hvh", "width": 2},
                name="teaching",
                showlegend=number == 1,
            )
            figure.add_trace(line, row=row, col=column)
        figure.update_yaxes(tickformat=".0%", row=row, col=column)
    figure.update_layout(
        template="plotly_white", title=title, bargap=0.05, height=640, legend={"orientation": "h", "y": -0.08}
    )
    figure.update_annotations(font_size=13)
    return figure


def draw_coverage(coverage: Coverage, title: str) -> np.ndarray:
    """The same as a picture, RGB uint8 (H, W, 3)."""
    figure = Figure(figsize=(13, 7.2), dpi=100)
    figure.subplots_adjust(left=0.05, right=0.99, bottom=0.06, top=0.91, wspace=0.14, hspace=0.3)
    figure.suptitle(title, fontsize=13)
    axes = figure.subplots(2, 3).ravel()
    counts = np.where(coverage.poses > 0, coverage.poses, np.nan)
    axes[0].pcolormesh(coverage.yaw_edges, coverage.pitch_edges, counts, cmap=SCALE, vmin=0)
    axes[0].set(xlabel="yaw, degrees", ylabel="pitch, degrees")
    axes[0].set_title("pose of the head", fontsize=10)
    for axis, (name, label) in zip(axes[1:], TITLES.items(), strict=True):
        edges = coverage.edges[name]
        axis.stairs(100 * coverage.kept[name], edges, fill=True, color=KEPT, alpha=0.75, label="kept")
        if coverage.teaching:
            axis.stairs(100 * coverage.teaching[name], edges, color=TEACHING, linewidth=1.6, label="teaching")
        axis.set_title(label, fontsize=10)
        axis.set_ylim(bottom=0)
        axis.yaxis.set_major_formatter("{x:g} %")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    if coverage.teaching:
        axes[1].legend(frameon=False, fontsize=9)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def _edges(values: np.ndarray) -> np.ndarray:
    """Bins from the 0.5 to the 99.5 percentile, so that a stray landmark does not squeeze the rest."""
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [0.5, 99.5]) if len(known) else (0.0, 0.0)
    return np.linspace(low, high, BINS + 1) if high > low else np.linspace(low - 0.5, low + 0.5, BINS + 1)


def _centres(edges: np.ndarray) -> np.ndarray:
    return (edges[:-1] + edges[1:]) / 2
