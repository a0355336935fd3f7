"""The page about a swap: one self-contained HTML, made of its figures, its table of frames and its stills."""

import base64
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd

from understudy.metrics.formats import ABSENT, at, number, percent
from understudy.metrics.page import environment
from understudy.metrics.swap_peers import DETECTORS, NOTE, PEERS
from understudy.metrics.swap_report_plots import detected_panels, identity_panels, motion_panels
from understudy.metrics.swap_report_tables import table_groups

WIDTH = 1400
"""Stills are stored at most this wide."""

NAMES = {
    "quality": "Identity",
    "identity": "Identity",
    "mouth": "Mouth over time",
    "eyes": "Eyes over time",
    "pose": "Pose and landmarks",
    "openface": "A second network",
    "reconstruction": "Held-out reconstruction",
    "detectability": "Detectability",
}
"""What each thing that can be missing is called on the page."""


@dataclass(frozen=True)
class SwapResult:
    """What is known of a swap.

    Args:
        source: name of the person whose face is put on.
        target: name of the person in the clip.
        size: of the crops in pixels.
        quality: as `swap_figures` returns it, with `provenance` added.
        frames: as `measure_frames` returns it.
        reconstruction: as `reconstruction_scores` returns it.
        detectability: as `detectability` returns it.
        summary: of the training.
    """

    source: str
    target: str
    size: int
    quality: dict[str, Any]
    frames: pd.DataFrame
    reconstruction: dict[str, Any]
    detectability: dict[str, Any]
    summary: dict[str, Any]


def render(result: SwapResult, stills: np.ndarray) -> str:
    """Render the page. Whatever is absent is said to be.

    Args:
        result: what is known.
        stills: frames of the clip above frames of the swap, RGB uint8.

    Returns:
        HTML that refers to nothing outside itself.
    """
    return environment().get_template("swap_report.html.j2").render(
        result=result,
        lead=lead(result),
        stills=_picture(stills),
        cards=cards(result),
        groups=table_groups(result.quality, result.reconstruction, result.detectability),
        identity=identity_panels(result.frames),
        motion=motion_panels(result.frames, result.quality),
        detected=detected_panels(result.detectability),
        peers=[
            (peer, percent(peer.retrieval), f"{peer.pose:.2f}°" if peer.pose else ABSENT, number(peer.ssim, 2))
            for peer in PEERS
        ],
        peers_note=NOTE,
        detectors=DETECTORS,
        training=_plain(result.summary),
        provenance=_plain(result.quality.get("provenance") or {}),
        missing=missing(result),
    )  # fmt: skip


def lead(result: SwapResult) -> str:
    """The result in one or two sentences."""
    quality = result.quality
    found = quality["judged"] - quality["faceless"]
    if not found:
        return f"No judged frame of the swap shows a face, so it cannot be said to be {result.source}."
    nearer = round(quality["nearer_to_source"] * found)
    follows = at(quality, "mouth.correlation")
    spoken = "" if follows is None else f" The mouth follows the clip's with a correlation of {follows:.2f}."
    return (
        f"{nearer} of {found} judged frames that show a face are nearer to {result.source} than to "
        f"{result.target}.{spoken}"
    )


def cards(result: SwapResult) -> list[dict[str, str]]:
    """The headline figures: name, value, what stands beside it."""
    quality = result.quality
    mouth, ratio = at(quality, "mouth.correlation"), at(quality, "flicker.landmarks")
    found = [
        ("Nearer to the source", percent(quality["nearer_to_source"] if quality["judged"] > quality["faceless"]
                                         else None), f"{quality['judged']} frames judged"),
        ("Distance to the source", number(quality["distance_to_source_mean"], 2),
         f"to the target {number(quality['distance_to_target_mean'], 2)}; the clip's own face is "
         f"{number(quality['original_to_source'], 2)} away"),
        ("Mouth follows", number(mouth, 2),
         f"opens {percent(at(quality, 'mouth.amplitude'), 0)} as far as the clip's"),
        ("Head pose error", _degrees(at(quality, "pose.combined")),
         f"{_degrees(at(quality, 'pose.centred'))} without the faces' own offset"),
        ("Flicker", "not measured" if ratio is None else f"{ratio:.2f} ×",
         f"the clip's; coding alone {number(at(quality, 'flicker.landmarks_floor'), 2)} ×"),
    ]  # fmt: skip
    return [
        {"name": name, "value": value, "beside": beside, "absent": "absent" if value == ABSENT else ""}
        for name, value, beside in found
    ]


def missing(result: SwapResult) -> list[tuple[str, str]]:
    """What was not measured: its name, and why."""
    reasons: dict[str, str] = dict(result.quality.get("missing") or {})
    for name in ("reconstruction", "detectability"):
        if reason := getattr(result, name).get("missing"):
            reasons[name] = reason
    return [(NAMES.get(name) or name, reason) for name, reason in reasons.items()]


def _degrees(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.1f}°"


def _plain(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and values in words."""
    return [(name.replace("_", " "), _word(value)) for name, value in values.items()]


def _word(value: Any) -> str:
    if isinstance(value, dict):
        return " · ".join(f"{key} {_word(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_word(inner) for inner in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _picture(rgb: np.ndarray) -> str:
    """A wide RGB picture as text inside the page."""
    if rgb.shape[1] > WIDTH:
        size = (WIDTH, round(rgb.shape[0] * WIDTH / rgb.shape[1]))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
