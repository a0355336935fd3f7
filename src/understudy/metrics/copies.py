"""Is a synthetic face a copy of a filmed frame? A generator that knows its footage by heart draws it again.

A copy lies nearer to its original than frames of different clips ever lie to each other. So each filmed face's nearest
neighbour in other clips gives the scale, and a synthetic face counts as near when it is nearer to a frame than all but
1 % of filmed faces are: 1 % of honest faces are to be expected, and many more mean copies.
"""

from typing import Any

import cv2
import numpy as np

from understudy.faces.faceset import Faceset
from understudy.metrics.crops import crop_batches
from understudy.metrics.groups import group_by_clip
from understudy.metrics.identity import has_face, interval
from understudy.metrics.neighbours import nearest
from understudy.progress import meter

SIDE = 16
"""Side of the thumbnails that are compared, in pixels."""

CENTRE = 0.75
"""How much of the crop's side they show: the face, and little of what is around it."""

SAME = 0.005
"""Two codings of one picture lie nearer than this, in thumbnails and in embeddings; it is a copy at any scale."""

EXPECTED = 0.01
"""Share of honest faces that count as near."""

REFERENCES = 2000
"""Filmed faces whose neighbours give the scale, at most, spread evenly."""

STRETCHES = 10
"""Parts into which a single clip is cut in place of clips; neighbouring parts do not count."""


def copy_scores(synthetic: Faceset, filmed: Faceset, originals: Faceset, pairs: int) -> dict[str, Any]:
    """How near each synthetic face lies to the nearest of all filmed ones.

    Args:
        synthetic: an unselected sample of the generator.
        filmed: all crops of the person, for the pixels.
        originals: those that were described as synthetic faces are, for the embeddings.
        pairs: how many of the nearest pairs are named.

    Returns:
        Plain figures. `copies`, with its share and 95 % interval: synthetic faces that are near by their pixels, either
        way round. `pixels` and `embedding`: figures of either space, see `_figures`. `pairs`: the nearest by pixels,
        each with the row in `synthetic`, the row in `filmed`, its clip and frame, whether mirrored, and the distance;
        `embedding_pairs` likewise with the row in `originals`.

    Raises:
        UserError: crops of unlike sizes in a batch.
    """
    if not len(synthetic) or not len(filmed):
        return {"missing": f"There are {len(synthetic)} synthetic and {len(filmed)} filmed faces to compare."}
    theirs, clips = _thumbnails(filmed, "Reading filmed faces"), filmed.column("clip")
    ours = _thumbnails(synthetic, "Reading synthetic faces")
    turned = ours.reshape(-1, SIDE, SIDE)[:, :, ::-1].reshape(-1, SIDE * SIDE)
    plain, plain_rows = nearest(ours, theirs)
    mirror, mirror_rows = nearest(turned, theirs)
    mirrored = mirror < plain
    distance, rows = np.where(mirrored, mirror, plain), np.where(mirrored, mirror_rows, plain_rows)
    kind, scale = _scale(theirs, clips)
    pixels = _figures(distance, scale)
    known, seen = has_face(originals.column("embedding")), has_face(synthetic.column("embedding"))
    faces, own = originals.column("embedding")[known], synthetic.column("embedding")[seen]
    _, face_scale = _scale(faces, originals.column("clip")[known])
    near, near_rows = nearest(own, faces)
    frames = filmed.column("frame")
    chosen = np.argsort(distance, kind="stable")[:pairs]
    by_face = np.argsort(near, kind="stable")[:pairs] if len(faces) else np.empty(0, np.int64)
    return {
        "synthetic": len(synthetic),
        "filmed": len(filmed),
        "originals": len(faces),
        "grouped_by": kind,
        "expected_share": EXPECTED,
        "copies": pixels["near"],
        "copies_share": pixels["share"],
        "copies_low": pixels["share_low"],
        "copies_high": pixels["share_high"],
        "pixels": pixels,
        "embedding": _figures(near[np.isfinite(near)], face_scale),
        "pairs": [
            {
                "synthetic": int(row),
                "filmed": int(rows[row]),
                "clip": str(clips[rows[row]]),
                "frame": int(frames[rows[row]]),
                "mirrored": bool(mirrored[row]),
                "distance": float(distance[row]),
            }
            for row in chosen
        ],
        "embedding_pairs": [
            {
                "synthetic": int(np.flatnonzero(seen)[row]),
                "original": int(np.flatnonzero(known)[near_rows[row]]),
                "distance": float(near[row]),
            }
            for row in by_face
        ],
        "missing": None if len(scale) else "The filmed faces are too few to say how near two of them lie by chance.",
    }


def thumbnails(images: np.ndarray) -> np.ndarray:
    """The middle of each picture as 16x16 grey values, less their mean, of length 1: (N, 256) float32.

    Brightness and contrast thus do not matter. Two of them lie 0 to 2 apart; their squared distance is twice 1 less
    their correlation. A picture of one colour becomes zero.

    Args:
        images: RGB uint8 (N, S, S, 3).
    """
    side = images.shape[1]
    edge = round(side * (1 - CENTRE) / 2)
    out = np.empty((len(images), SIDE * SIDE), np.float32)
    for number, image in enumerate(images):
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[edge : side - edge, edge : side - edge].astype(np.float32)
        small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel()
        small -= small.mean()
        out[number] = small / max(float(np.linalg.norm(small)), 1e-3)
    return out


def _thumbnails(faces: Faceset, description: str) -> np.ndarray:
    parts = []
    with meter(description, len(faces)) as shown:
        for images in crop_batches(faces, np.arange(len(faces))):
            parts.append(thumbnails(images))
            shown.step(len(images))
    return np.concatenate(parts)


def _scale(points: np.ndarray, clips: np.ndarray) -> tuple[str, np.ndarray]:
    """What frames were grouped by, and how far the nearest neighbour in another group lies, (R,)."""
    groups = group_by_clip(clips, 2)
    if groups.kind != "clip":
        groups = group_by_clip(clips, STRETCHES)
    rows = np.unique(np.linspace(0, len(points) - 1, min(len(points), REFERENCES)).round().astype(np.int64))
    distances, _ = nearest(points[rows], points, groups.labels[rows], groups.labels)
    return groups.kind, distances[np.isfinite(distances)]


def _figures(distances: np.ndarray, scale: np.ndarray) -> dict[str, Any]:
    """`near` and its share: distances of at most `limit`, the first percentile of the scale; medians of both."""
    names = ("near", "share", "share_low", "share_high", "limit", "median", "filmed_median")
    if not len(distances) or not len(scale):
        return dict.fromkeys(names)
    limit = max(float(np.percentile(scale, 100 * EXPECTED)), SAME)
    near = int((distances <= limit).sum())
    low, high = interval(near, len(distances))
    values = (near, near / len(distances), low, high, limit, float(np.median(distances)), float(np.median(scale)))
    return dict(zip(names, values, strict=True))
