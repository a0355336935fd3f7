"""Where the face is in every frame of the target's clip, from the faceset that was cut out of it."""

from dataclasses import dataclass

import numpy as np

from understudy.errors import UserError
from understudy.faces.align import invert, transform_points
from understudy.faces.faceset import Faceset

JUMP = 0.2
"""A face that moves by more than this share of its crop's side between two frames is another shot or another face."""


@dataclass(frozen=True)
class Track:
    """The face over the frames of one clip.

    Args:
        rows: frames that hold a face, found or bridged, in order, (F,).
        matrices: frame pixels to crop pixels, (F, 2, 3).
        landmarks: in crop pixels of `matrices`, (F, 68, 2).
        bridged: how many of them were bridged.
    """

    rows: np.ndarray
    matrices: np.ndarray
    landmarks: np.ndarray
    bridged: int

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, frame: int) -> int | None:
        """The position of a frame in the track; None when it holds no face."""
        position = int(np.searchsorted(self.rows, frame))
        return position if position < len(self.rows) and self.rows[position] == frame else None


def follow(faces: Faceset, clip: str, size: int, max_gap: int, smooth: float) -> Track:
    """The track of the face in `clip`.

    Args:
        faces: the target's faceset.
        clip: file name of the clip.
        size: pixels of the crop.
        max_gap: frames without a face that are bridged.
        smooth: standard deviation, in frames, of the smoothing over time; it does not reach over gaps and jumps.

    Raises:
        UserError: no frame of the clip holds a face.
    """
    mine = np.flatnonzero((faces.column("clip") == clip) & faces.found())
    if not len(mine):
        raise UserError(f"No face of the target was found in {clip}: choose another clip with deepfake.render.clip.")
    mine = mine[np.argsort(faces.column("frame")[mine], kind="stable")]
    frames = faces.column("frame")[mine].astype(np.int64)
    frames, first = np.unique(frames, return_index=True)
    matrices = faces.column("matrix")[mine[first]].reshape(-1, 2, 3)
    landmarks = faces.landmarks()[mine[first]]
    # In frame pixels everything moves with the face; a crop's own pixels move with its noise too.
    places = np.stack([invert(matrix) for matrix in matrices])  # F x 2 x 3, crop to frame
    points = np.stack([transform_points(p, place) for p, place in zip(landmarks, places, strict=True)])
    values = np.concatenate([places.reshape(len(places), 6), points.reshape(len(points), 136)], 1)  # F x 142
    side = size * np.linalg.norm(places[:, :, 0], axis=1)  # of the crop, in frame pixels
    centres = places[:, :, :2] @ np.full(2, (size - 1) / 2) + places[:, :, 2]
    every, filled = bridge(frames, values, breaks(frames, centres, side, max_gap))
    smoothed = [gaussian(run, smooth) for run in filled]
    joined = np.concatenate(smoothed)
    places = joined[:, :6].reshape(-1, 2, 3)
    matrices = np.stack([invert(place) for place in places])
    points = joined[:, 6:].reshape(-1, 68, 2)
    landmarks = np.stack([transform_points(p, matrix) for p, matrix in zip(points, matrices, strict=True)])
    rows = np.concatenate(every)
    return Track(rows, matrices, landmarks, len(rows) - len(frames))


def breaks(frames: np.ndarray, centres: np.ndarray, side: np.ndarray, max_gap: int) -> np.ndarray:
    """Positions at which a new run begins: after a long gap, or a jump, (R,)."""
    gap = np.diff(frames)
    moved = np.linalg.norm(np.diff(centres, axis=0), axis=1) / side[1:]
    grown = np.abs(np.log(side[1:] / side[:-1]))
    return np.flatnonzero((gap > max_gap + 1) | (moved > JUMP * gap) | (grown > JUMP * gap)) + 1


def bridge(frames: np.ndarray, values: np.ndarray, starts: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Fill the gaps within each run linearly: the frames of each run and their values (F, D)."""
    every, filled = [], []
    for part, numbers in zip(np.split(frames, starts), np.split(values, starts), strict=True):
        steps = np.arange(part[0], part[-1] + 1)
        right = np.searchsorted(part, steps)
        left = np.where(part[right] == steps, right, right - 1)
        span = np.maximum(part[right] - part[left], 1)
        share = ((steps - part[left]) / span)[:, None]
        every.append(steps)
        filled.append(numbers[left] * (1 - share) + numbers[right] * share)
    return every, filled


def gaussian(values: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth (F, D) over time; at the ends the weights that remain are normalised."""
    if sigma == 0 or len(values) < 2:
        return values
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weight = np.convolve(np.ones(len(values)), kernel, "full")[reach : reach + len(values)]
    sums = np.stack([np.convolve(column, kernel, "full")[reach : reach + len(values)] for column in values.T], 1)
    return sums / weight[:, None]
