"""The report's plots, made of the scores. One that has nothing to show is left out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from understudy.faces.identity import TOLERANCE
from understudy.flatten import flat_numbers
from understudy.metrics.figures import BETTER, FIGURES
from understudy.metrics.formats import at, between
from understudy.metrics.identity import Comparison
from understudy.metrics.svg import Dot, Mark, Series, bars, dots, lines

BINS = 48
PROBES = (("spectrum", "Power spectrum"), ("cnn", "Small network"))


@dataclass(frozen=True)
class Panel:
    """A plot with its title and one line that says what is seen."""

    title: str
    note: str
    plot: Markup


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


def histogram(compared: Comparison, tolerance: float = TOLERANCE) -> Histogram:
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


def identity_panels(scores: dict[str, Any], shares: Histogram) -> list[Panel]:
    """Distances to the source, and the share that any tolerance would accept."""
    tolerance = at(scores, "identity.tolerance") or TOLERANCE
    mark = Mark(tolerance, f"tolerance {tolerance:g}")
    both = [Series("filmed", shares.originals.tolist()), Series("ours", shares.synthetic.tolist())]
    made = [
        Panel(
            "Distance to the source",
            "From the medoid original, each set as shares of itself. Left of the line a face counts as the same.",
            bars(shares.edges.tolist(), both, "Euclidean distance of 128-d embeddings", mark),
        )
    ]
    curve = threshold_curve(scores)
    if curve:
        drawn = [
            Series(kind, curve[name])
            for name, kind in (("originals", "filmed"), ("synthetic", "ours"))
            if name in curve
        ]
        made.append(
            Panel(
                "Recognised at other tolerances",
                "Share of all faces whose distance to the source is at most the tolerance.",
                lines(curve["tolerance"], drawn, "tolerance", mark),
            )
        )
    return made


def threshold_curve(scores: dict[str, Any]) -> dict[str, list[float]]:
    """`tolerance` and the share accepted at each, `synthetic` and `originals`; empty where it was not measured."""
    curve = {name: values for name, values in (at(scores, "identity.curve") or {}).items() if values}
    return curve if len(curve) > 1 else {}


def figure_panels(scores: dict[str, Any]) -> list[Panel]:
    """Every measured figure with its error bar, above what filmed faces score, and the paper's value as a line."""
    flat = dict(flat_numbers(scores))
    made = []
    for figure in FIGURES:
        if figure.key in flat:
            mark = None if figure.paper is None else Mark(figure.paper, f"the paper {figure.text(figure.paper)}")
            note = f"{figure.meaning} {BETTER[figure.better].capitalize()}."
            made.append(Panel(figure.name, note, dots("", figure.both(flat), mark, figure.scale)))
    return made


def detectability_panels(scores: dict[str, Any]) -> list[Panel]:
    """AUC of the probes beside the control, and the mean power spectra."""
    measured = at(scores, "detectability") or {}
    made = []
    if at(measured, "spectrum.auc") is not None:
        rows = [_auc(at(measured, key), name, "ours") for key, name in PROBES]
        rows += [_auc(at(measured, f"control.{key}"), f"Control: {name.lower()}", "filmed") for key, name in PROBES]
        made.append(
            Panel(
                "How well probes tell synthetic from filmed",
                "AUC with its 95 % interval: 0.5 is chance, 1 is never wrong. The control tells filmed from filmed.",
                dots("", [row for row in rows if row is not None], Mark(0.5, "chance 0.5")),
            )
        )
    profile = measured.get("profile")
    if profile:
        drawn = [Series("filmed", profile["filmed"]), Series("ours", profile["synthetic"])]
        places = list(range(len(profile["filmed"])))
        made.append(
            Panel(
                "Power spectrum",
                "Mean log power of both sets: apart at the right means too smooth or too noisy.",
                lines(places, drawn, "spatial frequency, cycles a picture", shares=False),
            )
        )
    return made


def coverage_panels(scores: dict[str, Any]) -> list[Panel]:
    """Histograms of the expression measures, synthetic over filmed."""
    measures = at(scores, "coverage.histograms") or {}
    return [
        Panel(
            EXPRESSION_NAMES.get(name, name.replace("_", " ").capitalize()),
            _covered(at(scores, f"coverage.measures.{name}") or {}),
            bars(part["edges"], [Series("filmed", part["filmed"]), Series("ours", part["synthetic"])], "scaled units"),
        )
        for name, part in measures.items()
    ]


EXPRESSION_NAMES = {
    "mouth_open": "Mouth opening",
    "eye_open": "Eye opening",
    "brow_height": "Brow height",
    "yaw": "Turned left or right",
    "pitch": "Turned up or down",
}


def _covered(part: dict[str, Any]) -> str:
    words = []
    if part.get("range") is not None:
        words.append(f"{100 * part['range']:.0f} % of the range")
    if part.get("overlap") is not None:
        words.append(f"overlap {100 * part['overlap']:.0f} %")
    if part.get("spread_ratio") is not None:
        words.append(f"{part['spread_ratio']:.2f} times the spread")
    return ", ".join(words)


def _auc(figures: dict[str, Any] | None, name: str, kind: str) -> Dot | None:
    if not figures or figures.get("auc") is None:
        return None
    low, high = figures.get("auc_low"), figures.get("auc_high")
    text = f"{figures['auc']:.3f}" + ("" if low is None else f" {between(low, high, 1, 2)}")
    return Dot(name, text, figures["auc"], low, high, kind=kind)
