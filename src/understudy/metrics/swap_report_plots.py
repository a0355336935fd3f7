"""The curves of the page about a swap. One that has nothing to show is left out."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from understudy.metrics.formats import at, between, number
from understudy.metrics.report_plots import PROBES, Panel
from understudy.metrics.svg import Dot, Mark, Series, dots, lines

MOST = 400
"""Points of a curve; of more frames those spread evenly are shown."""


def identity_panels(frames: pd.DataFrame) -> list[Panel]:
    """Distances of each judged frame to source and target."""
    return _curve(
        frames[frames["spread"]],
        "Distance to source and target",
        "face_recognition's distance of each judged frame; below 0.6 it counts as the same person.",
        (("to_source", "ours"), ("to_target", "other")),
    )


def motion_panels(frames: pd.DataFrame, quality: dict[str, Any]) -> list[Panel]:
    """Mouth, eyes, yaw and pitch, and how much the landmarks tremble, over time."""
    run = frames[frames["run"]]
    made: list[Panel] = []
    for name, title in (("mouth", "Opening of the mouth"), ("eyes", "Opening of the eyes")):
        follows = number(at(quality, f"{name}.correlation"), 2)
        unit = "distance of the eyes" if name == "mouth" else "width of the eye"
        made += _beside(run, name, title, f"As a share of the {unit}. Correlation: {follows}.")
    made += _beside(run, "yaw", "Turn of the head", "Yaw in degrees: the nose to the right is positive.")
    made += _beside(run, "pitch", "Nod of the head", "Pitch in degrees; a constant distance belongs to the two faces.")
    return made + _beside(run, "tremble", "Trembling", "Second difference of the landmarks, in distances of the eyes.")


def detected_panels(detected: dict[str, Any]) -> list[Panel]:
    """How well probes tell the swap from its clip."""
    rows = []
    for key, name in PROBES:
        for part, kind, what in ((f"control.{key}", "filmed", "control"), (key, "ours", "swap")):
            area = at(detected, f"{part}.auc")
            if area is not None:
                low, high = at(detected, f"{part}.auc_low"), at(detected, f"{part}.auc_high")
                text = f"{area:.3f} {between(low, high, 1, 3)}"
                rows.append(Dot(f"{name}, {what}", text, area, low, high, kind=kind))
    if not rows:
        return []
    note = "AUC with its 95 % interval: 0.5 is chance, 1 is always told."
    return [Panel("Told from the clip", note, dots("", rows, Mark(0.5, "chance")))]


def _beside(run: pd.DataFrame, name: str, title: str, note: str) -> list[Panel]:
    return _curve(run, title, note, ((f"{name}_original", "filmed"), (f"{name}_swap", "ours")))


def _curve(frames: pd.DataFrame, title: str, note: str, columns: Sequence[tuple[str, str]]) -> list[Panel]:
    """A panel of the frames for which all columns are known; none where there are fewer than two."""
    known = frames.dropna(subset=[column for column, _ in columns])
    known = known.iloc[:: max(1, -(-len(known) // MOST))]
    if len(known) < 2:
        return []
    series = [Series(kind, known[column].tolist()) for column, kind in columns]
    seconds = (known["time"] - frames["time"].iloc[0]).tolist()
    return [Panel(title, note, lines(seconds, series, "seconds", shares=False))]
