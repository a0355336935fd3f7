"""What a filmed faceset holds, in numbers."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from understudy.errors import UserError
from understudy.faces.align import invert, scale_of
from understudy.faces.expression import expression_features, mean_distance
from understudy.faces.faceset import Faceset
from understudy.faces.identity import TOLERANCE, distances, medoid
from understudy.faces.selection import REASONS, Selection

logger = logging.getLogger(__name__)


def refuse_empty(folder: str, clips: Sequence[str], rows: Sequence[int]) -> None:
    """Complain about clips without a face.

    Args:
        folder: where the clips are.
        clips: the clip's file name of each shard.
        rows: the faces of each shard.

    Raises:
        UserError: no clip holds a face. When only some hold none, they are named in a warning.
    """
    faces: dict[str, int] = {}
    for name, count in zip(clips, rows, strict=True):
        faces[name] = faces.get(name, 0) + count
    empty = sorted(name for name, count in faces.items() if not count)
    if empty and len(empty) == len(faces):
        others = f" nor in the {len(empty) - 1} other clips of its folder" if len(empty) > 1 else ""
        raise UserError(
            f"No face was found in {folder}/{empty[0]}{others}: "
            "remove it and add a clip that shows the face from the front."
        )
    for name in empty:
        logger.warning("No face was found in %s/%s: remove it or leave it, it adds nothing.", folder, name)


def summarise(faceset: Faceset, clips: Sequence[Mapping[str, Any]], selection: Selection) -> dict[str, Any]:
    """Count and measure a filmed faceset.

    Args:
        faceset: the faces.
        clips: the probed clips that they were cut from.
        selection: which faces are kept.

    Returns:
        Plain numbers over all faces; None where nothing could be measured. Angles in degrees around the median of
        their clip, `face_size` in frame pixels, mouth and eye opening as in the schema, `expression_distance` (the
        mean over all pairs) in units of expression space. `noted` is what the search for faces has counted in frames.
        `per_clip` is the table of `clip_table`.
    """
    selection.check(faceset)
    frames = sum(int(clip["frames"]) for clip in clips)
    faces = len(faceset)
    names = faceset.column("clip")
    features = expression_features(faceset)
    scales = np.array([scale_of(matrix) for matrix in faceset.column("matrix").reshape(-1, 2, 3)])
    boxes = faceset.column("box")
    return {
        "clips": len(clips),
        "clips_with_a_face": len(np.unique(names)),
        "seconds": round(sum(float(clip["duration"]) for clip in clips), 3),
        "segments": len(faceset.shards),
        "frames": frames,
        "faces": faces,
        "recall": faces / frames if frames else None,
        "kept": len(selection.rows),
        "kept_share": len(selection.rows) / faces if faces else None,
        "teaching": len(selection.training_rows),
        "rejected": selection.counts(),
        "noted": _noted(faceset.notes()),
        "expression_distance": {
            "kept": _known(mean_distance(features[selection.keep])),
            "teaching": _known(mean_distance(features[selection.training])),
        },
        "face_size": spread(boxes[:, 2] - boxes[:, 0]),
        "crop_pixels_per_frame_pixel": spread(scales),
        "score": spread(faceset.column("score")),
        "blur": spread(faceset.column("blur")),
        "exposure": spread(faceset.column("exposure")),
        "yaw": spread(selection.yaw),
        "pitch": spread(selection.pitch),
        "roll": spread(selection.roll),
        "mouth_open": spread(faceset.column("mouth_open")),
        "eye_open": spread(faceset.column("eye_open")),
        "brow_height": spread(faceset.column("brow_height")),
        "landmark_jitter": jitter(faceset),
        "identity": identity_spread(faceset.column("embedding")),
        "bytes_per_face": sum(shard.bytes for shard in faceset.shards) / faces if faces else None,
        "per_clip": clip_table(faceset, clips, selection),
    }


def clip_table(
    faceset: Faceset, clips: Sequence[Mapping[str, Any]], selection: Selection
) -> list[dict[str, str | int | float]]:
    """One row a clip, in the order of `clips`.

    Returns:
        `clip`, `seconds`, `frames`, `found` (faces), `kept`, `teaching`, the count of each reason for which faces were
        left out, and `others`: the frames in which somebody else was seen, beside the person or alone.
    """
    names = faceset.column("clip")
    others: dict[str, int] = {}
    for note in faceset.notes():
        if "clip" in note:
            others[note["clip"]] = others.get(note["clip"], 0) + int(note.get("others", 0))
    table: list[dict[str, str | int | float]] = []
    for clip in clips:
        name = Path(clip["path"]).name
        mine = names == name
        reasons = selection.reason[mine]
        table.append(
            {
                "clip": name,
                "seconds": round(float(clip["duration"]), 3),
                "frames": int(clip["frames"]),
                "found": int(mine.sum()),
                "kept": int(selection.keep[mine].sum()),
                "teaching": int(selection.training[mine].sum()),
                **{reason: int((reasons == reason).sum()) for reason in REASONS},
                "others": others.get(name, 0),
            }
        )
    return table


def spread(values: np.ndarray) -> dict[str, float | None]:
    """Quantiles of the finite values: 1, 25, 50, 75 and 99 %."""
    known = values[np.isfinite(values)]
    names = ("p01", "p25", "median", "p75", "p99")
    if not len(known):
        return dict.fromkeys(names)
    quantiles = np.percentile(known.astype(np.float64), [1, 25, 50, 75, 99])
    return {name: round(float(value), 5) for name, value in zip(names, quantiles, strict=True)}


def jitter(faceset: Faceset) -> float | None:
    """Median movement of the points of nose and eyes between neighbouring frames, over the distance of the eyes."""
    if len(faceset) < 2:
        return None
    inverses = np.stack([invert(matrix) for matrix in faceset.column("matrix").reshape(-1, 2, 3)])
    points = faceset.landmarks()[:, 27:48].astype(np.float64)
    points = np.einsum("nij,npj->npi", inverses[:, :, :2], points) + inverses[:, None, :, 2]  # frame pixels
    eyes = np.linalg.norm(points[:, 9:15].mean(1) - points[:, 15:21].mean(1), axis=1)
    moved = np.linalg.norm(np.diff(points, axis=0), axis=2).mean(1) / eyes[1:]
    names = faceset.column("clip")
    neighbours = (np.diff(faceset.column("frame")) == 1) & (names[1:] == names[:-1])
    return round(float(np.median(moved[neighbours])), 6) if neighbours.any() else None


def identity_spread(embeddings: np.ndarray) -> dict[str, float | int | None]:
    """Distances of the embeddings (N, 128) to their medoid: median, 95 %, and the share beyond the tolerance."""
    known = embeddings[np.isfinite(embeddings).all(1)]
    if not len(known):
        return {"embeddings": 0, "median_to_medoid": None, "p95_to_medoid": None, "beyond_tolerance": None}
    away = distances(known, medoid(known)[None])[:, 0]
    return {
        "embeddings": len(known),
        "median_to_medoid": round(float(np.median(away)), 5),
        "p95_to_medoid": round(float(np.percentile(away, 95)), 5),
        "beyond_tolerance": float((away > TOLERANCE).mean()),
    }


def _noted(notes: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The sum of every count that the shards' notes hold."""
    sums: dict[str, int] = {}
    for note in notes:
        for name, value in note.items():
            if isinstance(value, int):
                sums[name] = sums.get(name, 0) + value
    return sums


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
