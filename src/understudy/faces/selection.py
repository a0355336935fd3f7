"""The selection: which faces of a filmed faceset are fit for use, why the others are not, and which ones teach."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.errors import UserError
from understudy.faces.align import scale_of
from understudy.faces.config import SelectionConfig
from understudy.faces.duplicates import duplicate_rows
from understudy.faces.expression import Variety, centred, choose, clip_rows, expression_features, mean_distance
from understudy.faces.faceset import Faceset
from understudy.faces.identity import distances, medoid
from understudy.faces.landmarks import LEFT_EYE, RIGHT_EYE
from understudy.files import fingerprint

REASONS = ("no face", "too small", "blurred", "dark", "bright", "turned away", "someone else", "duplicate")
"""Why a face is left out, in the order in which it is asked."""

VARIETY_SETS: dict[str, Variety] = {"monotone": "homogeneous", "varied": "varied"}
"""The paper's names for the choices."""


@dataclass(frozen=True)
class Selection:
    """One row a face, in the order of the faceset.

    Args:
        keep: (N,) bool, fit for use.
        reason: (N,) str, why not, one of `REASONS`; "" when kept.
        distance: (N,) float64, of the embedding to that of the person; NaN where none is known.
        yaw: (N,) float64, degrees from the median of the clip.
        pitch: the same.
        roll: the same.
        training: (N,) bool, kept and chosen to teach networks.
        content: names the faceset that it was made for; "" when unknown.
    """

    keep: np.ndarray
    reason: np.ndarray
    distance: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    roll: np.ndarray
    training: np.ndarray
    content: str = ""

    @property
    def rows(self) -> np.ndarray:
        """Numbers of the kept rows."""
        return np.flatnonzero(self.keep)

    @property
    def training_rows(self) -> np.ndarray:
        """Numbers of the rows that teach."""
        return np.flatnonzero(self.training)

    def counts(self) -> dict[str, int]:
        """How many faces were left out, by reason."""
        return {reason: int((self.reason == reason).sum()) for reason in REASONS}

    def check(self, faceset: Faceset) -> None:
        """Raise a UserError when this is the selection of another faceset."""
        if len(self.keep) != len(faceset) or self.content not in {"", content_of(faceset)}:
            raise UserError(
                f"The selection does not belong to the faces in {faceset.path}, which have changed: "
                "run the pipeline data_engineering again."
            )


def content_of(faceset: Faceset) -> str:
    """A name for the faces of a faceset, equal when they are equal."""
    return fingerprint([shard.sha256 for shard in faceset.shards])


def select(faceset: Faceset, config: SelectionConfig, seed: int) -> Selection:
    """Judge every face of a filmed faceset; nothing is written and no image is read.

    Args:
        faceset: one person's faces.
        config: thresholds, and how many faces shall teach.
        seed: of what is drawn when faces are chosen for their variety.

    Raises:
        UserError: fewer faces are kept than `count` asks for.
    """
    clips = faceset.column("clip")
    yaw, pitch, roll = (centred(faceset.column(name), clips) for name in ("yaw", "pitch", "roll"))
    away = distance_to_person(faceset.column("embedding"), clips, faceset.column("frame"))
    blur, exposure = faceset.column("blur").astype(np.float64), faceset.column("exposure")
    turned = (np.abs(yaw) > config.max_yaw) | (np.abs(pitch) > config.max_pitch) | (np.abs(roll) > config.max_roll)
    features = expression_features(faceset)
    failed = {
        "no face": ~(faceset.found() & np.isfinite(blur) & np.isfinite(features).all(1)),
        "too small": eye_distances(faceset) < config.min_eye_distance,
        "blurred": is_blurred(blur, clips, config),
        "dark": exposure < config.min_exposure,
        "bright": exposure > config.max_exposure,
        "turned away": turned,
        "someone else": away > config.max_distance,
    }
    reason = np.full(len(clips), "", dtype="U16")
    for name, rows in failed.items():
        reason[rows & (reason == "")] = name
    if config.duplicates:
        rows = np.flatnonzero(reason == "")
        hashes = faceset.column("phash")[rows]
        twins = duplicate_rows(hashes, features[rows], blur[rows], config.duplicate_bits, config.duplicate_expression)
        reason[rows[twins]] = "duplicate"
    keep = reason == ""
    training = np.zeros(len(keep), bool)
    training[_teaching(faceset, features, np.flatnonzero(keep), config, seed)] = True
    return Selection(keep, reason, away, yaw, pitch, roll, training, content_of(faceset))


def variety_sets(faceset: Faceset, selection: Selection, seed: int, count: int = 100) -> dict[str, Any]:
    """The sets of the paper's first table: the kept faces that differ least and those that differ most.

    Args:
        faceset: one person's faces.
        selection: theirs.
        seed: of what is drawn.
        count: faces of a set; when fewer are kept, both sets are all of them.

    Returns:
        `monotone` and `varied`, each with `rows` of the faceset and `expression_distance`, the mean over all pairs in
        units of expression space, None for fewer than two faces.
    """
    selection.check(faceset)
    features, kept = expression_features(faceset), selection.rows
    count = min(count, len(kept))
    sets = {}
    for name, variety in VARIETY_SETS.items():
        rows = np.sort(kept[choose(features[kept], count, variety, seed)])
        distance = mean_distance(features[rows])
        sets[name] = {"rows": rows.tolist(), "expression_distance": distance if np.isfinite(distance) else None}
    return sets


def eye_distances(faceset: Faceset) -> np.ndarray:
    """Distance between the centres of the eyes in frame pixels, (N,) float64."""
    landmarks = faceset.landmarks().astype(np.float64)
    crop = np.linalg.norm(landmarks[:, LEFT_EYE].mean(1) - landmarks[:, RIGHT_EYE].mean(1), axis=1)
    scales = np.array([scale_of(matrix) for matrix in faceset.column("matrix").reshape(-1, 2, 3)])
    return crop / scales if len(crop) else crop


def is_blurred(blur: np.ndarray, clips: np.ndarray, config: SelectionConfig) -> np.ndarray:
    """Which faces are blurred, (N,) bool.

    The variance of the Laplacian depends on the size of the crop and on the light, so it is held against that of the
    same clip, which finds moments of motion, and against that of all clips, which finds a clip out of focus.
    """
    out = blur < config.min_blur
    if np.isfinite(blur).any():
        out |= blur < config.min_sharpness_of_all * np.nanmedian(blur)
    for rows in clip_rows(clips):
        if np.isfinite(blur[rows]).any():
            out[rows] |= blur[rows] < config.min_sharpness_of_clip * np.nanmedian(blur[rows])
    return out


def distance_to_person(embeddings: np.ndarray, clips: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Distance of each face to the person, the medoid of all embeddings, (N,) float64.

    Embeddings are known for every few frames only: the other faces take that of the nearest frame of their clip, the
    earlier of two as near. NaN in clips where none is known.
    """
    out = np.full(len(clips), np.nan)
    known = np.isfinite(embeddings).all(1)
    if not known.any():
        return out
    out[known] = distances(embeddings[known], medoid(embeddings)[None])[:, 0]
    for rows in clip_rows(clips):
        have = rows[known[rows]]
        if len(have):
            have = have[np.argsort(frames[have], kind="stable")]
            after = np.searchsorted(frames[have], frames[rows]).clip(0, len(have) - 1)
            before = (after - 1).clip(0)
            gap_after, gap_before = (np.abs(frames[have[side]] - frames[rows]) for side in (after, before))
            out[rows] = out[have[np.where(gap_before <= gap_after, before, after)]]
    return out


def _teaching(
    faceset: Faceset, features: np.ndarray, kept: np.ndarray, config: SelectionConfig, seed: int
) -> np.ndarray:
    """Of the rows `kept`, those that teach."""
    if config.count is None:
        return kept
    if len(kept) < config.count:
        raise UserError(
            f"Parameter 'data_engineering.selection.count' is {config.count} and only {len(kept)} of the "
            f"{len(faceset)} faces in {faceset.path} are kept: lower it or add footage."
        )
    if config.variety == "all":
        return kept[np.linspace(0, len(kept) - 1, config.count).round().astype(np.int64)]
    return kept[choose(features[kept], config.count, config.variety, seed)]
