"""The report: one self-contained HTML page, made of the scores, the distances and rows of faces."""

import base64
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined

from understudy.metrics.identity import Comparison
from understudy.metrics.paper import URL
from understudy.metrics.pictures import Row
from understudy.metrics.report_text import headline, lead, limits, table_groups

BINS = 48
SHOWN_SIDE = 192
"""Pictures are stored at most this large: they are shown at half of it, sharp on a dense screen."""


@dataclass(frozen=True)
class Histogram:
    """Two sets of distances to the source over common bins, as shares of each set.

    Args:
        edges: (B + 1,).
        synthetic: (B,), sums to 1, or zeros when empty.
        originals: (B,), likewise.
    """

    edges: np.ndarray
    synthetic: np.ndarray
    originals: np.ndarray


def histogram(compared: Comparison, tolerance: float) -> Histogram:
    """Distances to the medoid original. The medoid's own zero is left out."""
    ours = compared.to_medoid[compared.found]
    known = np.isfinite(compared.originals_to_medoid)
    if compared.medoid >= 0:
        known[compared.medoid] = False
    theirs = compared.originals_to_medoid[known]
    top = max([tolerance * 1.25, *(float(part.max()) * 1.05 for part in (ours, theirs) if len(part))])
    edges = np.linspace(0, top, BINS + 1)
    shares = [np.histogram(part, edges)[0] / max(len(part), 1) for part in (ours, theirs)]
    return Histogram(edges, *shares)


def plot_histogram(shares: Histogram, tolerance: float) -> go.Figure:
    """The same histogram for Kedro-Viz."""
    centres = (shares.edges[:-1] + shares.edges[1:]) / 2
    figure = go.Figure(
        [
            go.Bar(x=centres, y=shares.originals, name="filmed", marker_color="#8a939d", opacity=0.7),
            go.Bar(x=centres, y=shares.synthetic, name="synthetic", marker_color="#14807a", opacity=0.7),
        ]
    )
    figure.add_vline(tolerance, line_dash="dash", annotation_text=f"tolerance {tolerance:g}")
    figure.update_layout(
        barmode="overlay",
        bargap=0.05,
        template="plotly_white",
        title="Distance to the source",
        xaxis_title="Euclidean distance of 128-d embeddings",
        yaxis_title="share of faces",
    )
    return figure


def render(scores: dict[str, Any], shares: Histogram, rows: list[Row]) -> str:
    """Render the page.

    Args:
        scores: what `scores.collect` returns.
        shares: the histogram of distances.
        rows: faces to show.

    Returns:
        HTML that refers to nothing outside itself, but for links to the paper and to missing files.
    """
    environment = Environment(
        loader=PackageLoader("understudy.metrics"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        scores=scores,
        lead=lead(scores),
        cards=headline(scores),
        bars=_bars(scores),
        groups=table_groups(scores),
        plot=_plot(shares, scores["identity"]["tolerance"]),
        rows=[_row(row) for row in rows],
        limits=limits(scores),
        paper_url=URL,
    )


def _bars(scores: dict[str, Any]) -> list[dict[str, Any]]:
    """Shares of matched, other and faceless for the synthetic faces, the filmed ones and the paper's."""
    ours, paper = scores["identity"], scores["paper"]
    bars = []
    if ours["matched_share"] is not None:
        bars.append(("Synthetic", ours["synthetic"], ours["matched"], ours["unmatched"], ours["faceless"]))
    if ours["originals"]:
        other = ours["originals"] - ours["originals_matched"] - ours["originals_faceless"]
        bars.append(("Filmed", ours["originals"], ours["originals_matched"], other, ours["originals_faceless"]))
    bars.append(("The paper", paper["synthetic"], paper["matched"], paper["unmatched"], paper["faceless"]))
    return [
        {
            "name": name,
            "total": total,
            "parts": [
                {"kind": kind, "count": count, "percent": 100 * count / total}
                for kind, count in zip(("matched", "other", "none"), counts, strict=True)
            ],
        }
        for name, total, *counts in bars
    ]


def _plot(shares: Histogram, tolerance: float) -> dict[str, Any]:
    """Bars and ticks in percent of the plot's width and height."""
    top, width = float(shares.edges[-1]), 100 / BINS
    highest = max(float(shares.synthetic.max()), float(shares.originals.max()), 1e-9)

    def bars(values: np.ndarray) -> list[dict[str, float]]:
        return [
            {"x": place * width, "y": 100 - 96 * value / highest, "height": 96 * value / highest, "width": width}
            for place, value in enumerate(values.tolist())
            if value > 0
        ]

    step = 0.1 if top <= 1 else 0.2
    ticks = np.arange(0, top, step)
    return {
        "synthetic": bars(shares.synthetic),
        "originals": bars(shares.originals),
        "tolerance": tolerance,
        "tolerance_at": 100 * tolerance / top,
        "ticks": [{"label": f"{tick:.1f}", "at": 100 * tick / top} for tick in ticks.tolist()],
    }


def _row(row: Row) -> dict[str, Any]:
    tiles = [
        {
            "number": tile.number,
            "image": _data_uri(tile.image),
            "nearest": None if tile.nearest is None else _data_uri(tile.nearest),
            "distance": tile.distance,
            "nearest_distance": tile.nearest_distance,
        }
        for tile in row.tiles
    ]
    return {"title": row.title, "note": row.note, "tiles": tiles}


def _data_uri(image: np.ndarray) -> str:
    """A picture as text inside the page, as JPEG at quality 88."""
    if image.shape[0] > SHOWN_SIDE:
        image = cv2.resize(image, (SHOWN_SIDE, SHOWN_SIDE), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
