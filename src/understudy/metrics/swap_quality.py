"""How good a swap is: whose face the rendered video shows, frame by frame, found and embedded afresh."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from understudy.faces.detect import Detection, detect
from understudy.faces.embedding import chip, load_embedder
from understudy.faces.faceset import Faceset
from understudy.faces.identity import TOLERANCE, distances, medoid
from understudy.faces.landmarks import predict5
from understudy.progress import track
from understudy.video.decode import Frame, decode
from understudy.video.probe import timing

AROUND = 1.0
"""Outside of the face begins this many widths of the detector's box away from its edges."""


@dataclass(frozen=True)
class Seen:
    """The face of one frame.

    Args:
        face: where it is; None when none was found.
        chip: its 150x150 picture.
    """

    face: Detection | None
    chip: np.ndarray | None


def measure_swap(
    original: Path, swap: Path, source: Faceset, target: Faceset, most: int, label_rows: int = 0
) -> dict[str, Any]:
    """Compare the faces of a swap, and of the clip it was made from, with the source and the target.

    The network that judges, dlib's, takes no part in training the swap.

    Args:
        original: the target's clip.
        swap: the rendered video, with as many frames.
        source: filmed faces of the source.
        target: filmed faces of the target.
        most: at most this many frames are judged, spread evenly.
        label_rows: pixel rows at the lower edge that hold the label; they do not count as changed.

    Returns:
        Plain numbers. Distances are Euclidean in dlib's 128 dimensions, medians over frames; None where no frame
        holds a face.
    """
    people = np.stack([medoid(source.column("embedding")), medoid(target.column("embedding"))])  # 2 x 128
    total = len(timing(original).pts)
    wanted = np.unique(np.linspace(0, total - 1, min(most, total)).round().astype(int))
    before, after, changed = _look(original, swap, wanted, label_rows)
    swapped, filmed = _distances(after, people), _distances(before, people)
    found = np.isfinite(swapped[:, 0])
    return {
        "frames": total,
        "judged": len(wanted),
        "faceless": int((~found).sum()),
        "faceless_in_original": int((~np.isfinite(filmed[:, 0])).sum()),
        "nearer_to_source": float((swapped[found, 0] < swapped[found, 1]).mean()) if found.any() else 0.0,
        "matched_to_source": float((swapped[found, 0] <= TOLERANCE).mean()) if found.any() else 0.0,
        "distance_to_source": _median(swapped[:, 0]),
        "distance_to_target": _median(swapped[:, 1]),
        "original_to_source": _median(filmed[:, 0]),
        "original_to_target": _median(filmed[:, 1]),
        "source_to_target": float(distances(people[:1], people[1:])[0, 0]),
        "change_outside_face": float(np.mean(changed)) if changed else None,
    }


def _look(
    original: Path, swap: Path, wanted: np.ndarray, label_rows: int
) -> tuple[list[Seen], list[Seen], list[float]]:
    """The faces of the wanted frames in both videos, and the mean change (0..255) far from the face."""
    chosen = set(wanted.tolist())
    before, after, changed = [], [], []
    for old, new in track(_pairs(original, swap, chosen), "Judging the swap (frames)", len(chosen)):
        image, result = old.rgb(), new.rgb()
        result = result[: image.shape[0], : image.shape[1]]
        seen = _face(image)
        before.append(seen)
        after.append(_face(result))
        if seen.face is not None:
            outside = _outside(image.shape[:2], seen.face, label_rows)
            if outside.any():
                changed.append(float(np.abs(image[outside].astype(int) - result[outside]).mean()))
    return before, after, changed


def _pairs(original: Path, swap: Path, chosen: set[int]) -> Iterator[tuple[Frame, Frame]]:
    for old, new in zip(decode(original), decode(swap), strict=True):
        if old.index in chosen:
            yield old, new


def _face(image: np.ndarray) -> Seen:
    """The surest face of an image; smaller ones are looked for when no large one is there."""
    found = detect(image) or detect(image, upsample=1)
    if not found:
        return Seen(None, None)
    face = max(found, key=lambda one: one.width)
    return Seen(face, chip(image, predict5(image, face.box)))


def _distances(seen: list[Seen], people: np.ndarray) -> np.ndarray:
    """Distances of each frame's face to the people, (F, P); NaN without a face."""
    result = np.full((len(seen), len(people)), np.nan)
    rows = [number for number, one in enumerate(seen) if one.chip is not None]
    if rows:
        chips = np.stack([one.chip for one in seen if one.chip is not None])
        embedded = load_embedder().embed_chips(chips)
        result[rows] = distances(embedded, people)
    return result


def _outside(shape: tuple[int, int], face: Detection, label_rows: int) -> np.ndarray:
    left, top, right, bottom = face.box
    reach = AROUND * (right - left)
    outside = np.ones(shape, bool)
    rows = slice(max(0, int(top - reach)), max(0, int(bottom + reach)))
    outside[rows, max(0, int(left - reach)) : max(0, int(right + reach))] = False
    if label_rows:
        outside[-label_rows:] = False
    return outside


def _median(values: np.ndarray) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else None
