"""How well a swap follows the clip: head, mouth, eyes, and how much it trembles, out of the table of frames.

Each figure stands beside its floor: what the same measure finds between the clip and the clip coded once more.
"""

from typing import Any

import numpy as np
import pandas as pd

from understudy.metrics.swap_follow import POSE

FEWEST = 3
"""Frames below which nothing is said about movement."""

STILL = 0.004
"""What varies less than this, as a standard deviation, does not move: the mouth of a still portrait varies by 0.003."""

ENDS = (5, 95)
"""Percentiles between which mouth or eyes are said to open."""


def motion_figures(table: pd.DataFrame) -> dict[str, Any]:
    """Pose, landmarks, mouth, eyes and flicker over the frames in a row.

    Args:
        table: as `measure_frames` returns it.

    Returns:
        `pose` and `pose_floor`: mean absolute differences in degrees of `yaw`, `pitch`, `roll`, and `combined`, the
        mean length of the three together; `centred` is that with each video measured from its own median, since pitch
        carries an offset of the person; `landmark_error` and its floor in distances of the eyes; `mouth` and `eyes`:
        `correlation` with the clip, `amplitude` as a share of the clip's, both with their floors; `flicker`:
        `landmarks` and `picture`, the swap's as a multiple of the clip's, with floors, and the means themselves;
        `change_outside_face` and `change_around_face` of 255 with floors; `missing`: what could not be said and why.
    """
    run = table[table["run"]]
    figures: dict[str, Any] = {"consecutive": len(run)}
    figures["pose"] = _pose(run, "swap")
    figures["pose_floor"] = _pose(run, "again")
    for name, column in (("landmark_error", "landmarks"),):
        figures |= {name: mean(run[f"{column}_swap"]), f"{name}_floor": mean(run[f"{column}_again"])}
    missing: dict[str, str] = {}
    for name in ("mouth", "eyes"):
        figures[name], reason = opening(run, name)
        if reason:
            missing[name] = reason
    figures["flicker"] = _flicker(run)
    for name, column in (("change_outside_face", "outside"), ("change_around_face", "around")):
        figures |= {name: mean(table[f"{column}_swap"]), f"{name}_floor": mean(table[f"{column}_again"])}
    if figures["landmark_error"] is None:
        missing["pose"] = "No frame shows a face in both videos, so head, landmarks and flicker cannot be compared."
    return figures | {"missing": missing}


def opening(run: pd.DataFrame, name: str) -> tuple[dict[str, float | None], str | None]:
    """How the opening of `mouth` or `eyes` follows the clip, with floors, and why it cannot be said."""
    figures: dict[str, float | None] = {}
    reason = None
    for video, end in (("swap", ""), ("again", "_floor")):
        pair = run[[f"{name}_original", f"{name}_{video}"]].dropna().to_numpy()  # (F, 2)
        fault = _unmoved(pair, name)
        figures[f"correlation{end}"] = None if fault else float(np.corrcoef(pair.T)[0, 1])
        reach = np.diff(np.percentile(pair, ENDS, axis=0), axis=0)[0] if len(pair) >= FEWEST else np.zeros(2)
        still = reach[0] <= STILL
        figures[f"amplitude{end}"] = None if still else float(reach[1] / reach[0])
        reason = reason or (fault if video == "swap" else None)
    return figures, reason


def mean(values: pd.Series) -> float | None:
    """The mean of what is known; None where nothing is."""
    known = values.to_numpy()[np.isfinite(values.to_numpy())]
    return float(known.mean()) if len(known) else None


def _unmoved(pair: np.ndarray, name: str) -> str | None:
    """Why a correlation is undefined, if it is."""
    if len(pair) < FEWEST:
        return f"Fewer than {FEWEST} frames in a row show a face in both videos, so the {name} cannot be compared."
    verb = "moves" if name == "mouth" else "move"
    for which, video in enumerate(("clip", "swap")):
        if pair[:, which].std() < STILL:
            return f"In the {video} the {name} hardly {verb}, so the correlation is undefined."
    return None


def _pose(run: pd.DataFrame, video: str) -> dict[str, float | None]:
    turned = np.stack([(run[f"{name}_{video}"] - run[f"{name}_original"]).to_numpy() for name in POSE], 1)  # F x 3
    turned = turned[np.isfinite(turned).all(1)]
    if not len(turned):
        return dict.fromkeys((*POSE, "combined", "centred"))
    figures: dict[str, float | None] = dict(zip(POSE, np.abs(turned).mean(0).tolist(), strict=True))
    figures["combined"] = float(np.linalg.norm(turned, axis=1).mean())
    figures["centred"] = float(np.linalg.norm(turned - np.median(turned, axis=0), axis=1).mean())
    return figures


def _flicker(run: pd.DataFrame) -> dict[str, float | None]:
    figures: dict[str, float | None] = {}
    for name, column in (("landmarks", "tremble"), ("picture", "step")):
        known = run[[f"{column}_{video}" for video in ("original", "swap", "again")]].dropna()
        own, made, again = (mean(known[key]) for key in known)
        figures |= {f"{name}_original": own, f"{name}_swap": made}
        figures |= {name: _ratio(made, own), f"{name}_floor": _ratio(again, own)}
    return figures


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None
