"""The report: one self-contained HTML page, made of the scores, the distances and rows of faces."""

from typing import Any

from understudy.metrics.formats import at
from understudy.metrics.page import data_uri, environment
from understudy.metrics.paper import URL
from understudy.metrics.pictures import Row
from understudy.metrics.report_plots import (
    Histogram,
    coverage_panels,
    detectability_panels,
    figure_panels,
    identity_panels,
)
from understudy.metrics.report_tables import table_groups
from understudy.metrics.report_text import headline, lead, limits, missing


def render(scores: dict[str, Any], shares: Histogram, rows: list[Row]) -> str:
    """Render the page. Any measure may be absent: what is there is shown, what is missing is said.

    Args:
        scores: what `collect` returns.
        shares: the histogram of distances.
        rows: faces to show.

    Returns:
        HTML that refers to nothing outside itself, but for links to the paper and to missing files.
    """
    return environment().get_template("report.html.j2").render(
        scores=scores,
        originals=at(scores, "identity.originals") or 0,
        lead=lead(scores),
        cards=headline(scores),
        bars=_bars(scores),
        groups=table_groups(scores),
        identity=identity_panels(scores, shares),
        figures=figure_panels(scores),
        detectability=detectability_panels(scores),
        coverage=coverage_panels(scores),
        rows=[_row(row) for row in rows],
        limits=limits(scores),
        missing=missing(scores),
        paper_url=URL,
    )  # fmt: skip


def _bars(scores: dict[str, Any]) -> list[dict[str, Any]]:
    """Shares of matched, other and faceless for the synthetic faces, the filmed ones and the paper's."""
    ours, paper = scores["identity"], scores["paper"]
    bars = []
    if at(ours, "matched_share") is not None:
        bars.append(("Synthetic", ours["synthetic"], ours["matched"], ours["unmatched"], ours["faceless"]))
    if at(ours, "originals"):
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


def _row(row: Row) -> dict[str, Any]:
    tiles = [
        {
            "number": tile.number,
            "image": data_uri(tile.image),
            "nearest": None if tile.nearest is None else data_uri(tile.nearest),
            "label": tile.label,
            "origin": tile.origin,
        }
        for tile in row.tiles
    ]
    return {"title": row.title, "note": row.note, "tiles": tiles}
