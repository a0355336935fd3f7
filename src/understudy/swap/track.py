"""Where the face is in every frame of the target's clip, from the faceset that was cut out of it."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import correlate1d

from understudy.errors import UserError
from understudy.faces.align import invert, transform_points
from understudy.faces.faceset import Faceset, decode_image

JUMP = 0.2
"""A face that moves by more than this share of its crop's side between two frames is another shot or another face."""

SHOT = 25.0
"""Mean difference in steps of luma, in 16x16 pixels, of two crops from one frame to the next of which the later one
begins another shot. Within a shot it was 5 at most in footage of people who talk."""

TREMOR = 0.004
"""How far landmarks of a still face tremble, in sides of the crop: 0.6 to 1.5 % of the eyes' distance."""

_QUICK = np.array([-3, 12, 17, 12, -3]) / 35
"""Savitzky-Golay's filter of degree 2 over five frames: it follows a parabola without error."""


@dataclass(frozen=True)
class Track:
    """The face over the frames of one clip.

    Args:
        rows: frames that hold a face, found or bridged, in order, (F,).
        matrices: frame pixels to crop pixels, (F, 2, 3).
        landmarks: in crop pixels of `matrices`, (F, 68, 2).
        bridged: how many of them were bridged.
        shots: number of the unbroken run that each belongs to, (F,).
    """

    rows: np.ndarray
    matrices: np.ndarray
    landmarks: np.ndarray
    bridged: int
    shots: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, frame: int) -> int | None:
        """The position of a frame in the track; None when it holds no face."""
        position = int(np.searchsorted(self.rows, frame))
        return position if position < len(self.rows) and self.rows[position] == frame else None

    def counts(self, frames: int) -> dict[str, int]:
        """What becomes of the `frames` frames of the clip, in plain numbers."""
        return {
            "frames": frames,
            "swapped": len(self),
            "bridged": self.bridged,
            "left_as_they_are": frames - len(self),
            "runs": int(self.shots[-1]) + 1,
        }


def follow(faces: Faceset, clip: str, size: int, max_gap: int, smooth: float) -> Track:
    """The track of the face in `clip`.

    Args:
        faces: the target's faceset.
        clip: file name of the clip.
        size: pixels of the crop.
        max_gap: frames without a face that are bridged.
        smooth: standard deviation, in frames, of the smoothing of a still face; see `steady`. It does not reach over
            gaps, jumps and cuts.

    Raises:
        UserError: no frame of the clip holds a face.
    """
    mine = np.flatnonzero((faces.column("clip") == clip) & faces.found())
    if not len(mine):
        raise UserError(f"No face of the target was found in {clip}: choose another clip with deepfake.render.clip.")
    mine = mine[np.argsort(faces.column("frame")[mine], kind="stable")]
    frames = faces.column("frame")[mine].astype(np.int64)
    frames, first = np.unique(frames, return_index=True)
    mine = mine[first]
    matrices = faces.column("matrix")[mine].reshape(-1, 2, 3)
    landmarks = faces.landmarks()[mine]
    # In frame pixels everything moves with the face; a crop's own pixels move with its noise too.
    places = np.stack([invert(matrix) for matrix in matrices])  # F x 2 x 3, crop to frame
    points = np.stack([transform_points(p, place) for p, place in zip(landmarks, places, strict=True)])
    side = size * np.linalg.norm(places[:, :, 0], axis=1)  # of the crop, in frame pixels
    centres = places[:, :, :2] @ np.full(2, (size - 1) / 2) + places[:, :, 2]
    starts = np.union1d(breaks(frames, centres, side, max_gap), cuts(faces, mine))
    # Three corners tell the crop's place: their lengths are pixels, as those of the landmarks.
    corners = np.array([[0.0, 0, 1], [size, 0, 1], [0, size, 1]])  # 3 x 3
    values = np.concatenate([(places @ corners.T).transpose(0, 2, 1), points], 1)  # F x 71 x 2
    every, filled = bridge(frames, values.reshape(len(values), -1), starts)
    sides = np.split(side, starts)
    joined = np.concatenate(
        [_calm(run.reshape(len(run), 71, 2), float(np.median(s)), smooth) for run, s in zip(filled, sides, strict=True)]
    )
    places = joined[:, :3].transpose(0, 2, 1) @ np.linalg.inv(corners.T)
    matrices = np.stack([invert(place) for place in places])
    landmarks = np.stack([transform_points(p, m) for p, m in zip(joined[:, 3:], matrices, strict=True)])
    rows = np.concatenate(every)
    shots = np.repeat(np.arange(len(every)), [len(run) for run in every])
    return Track(rows, matrices, landmarks, len(rows) - len(frames), shots)


def breaks(frames: np.ndarray, centres: np.ndarray, side: np.ndarray, max_gap: int) -> np.ndarray:
    """Positions at which a new run begins: after a long gap, or a jump, (R,)."""
    gap = np.diff(frames)
    moved = np.linalg.norm(np.diff(centres, axis=0), axis=1) / side[1:]
    grown = np.abs(np.log(side[1:] / side[:-1]))
    return np.flatnonzero((gap > max_gap + 1) | (moved > JUMP * gap) | (grown > JUMP * gap)) + 1


def cuts(faces: Faceset, rows: np.ndarray) -> np.ndarray:
    """Positions in `rows`, rising numbers of the faceset, at which the picture itself says that a shot begins, (C,).

    A face may be at the same place in two shots; what is in and around it is not the same.
    """
    found, before = [], None
    for position, (_, jpeg) in enumerate(faces.jpegs(rows)):
        luma = cv2.cvtColor(decode_image(jpeg), cv2.COLOR_RGB2GRAY)
        small = cv2.resize(luma, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32)
        if before is not None and np.abs(small - before).mean() > SHOT:
            found.append(position)
        before = small
    return np.array(found, np.int64)


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


def steady(values: np.ndarray, tremor: float, sigma: float) -> np.ndarray:
    """Smooth places over time: still ones strongly, moving ones so little that they do not lag or fall short.

    A Gaussian alone takes the turning points off a shaken head: at 2 nods a second and 25 frames, sigma 2 takes 40 %
    of them. Here a place follows a short parabola wherever the Gaussian departs from it by more than a tremor, as the
    gain of a Wiener filter does: r^2 / (r^2 + tremor^2), with r the departure. Both look as far ahead as back, so
    that nothing comes late.

    Args:
        values: (F, D), numbers that move together.
        tremor: what of their movement is noise, the root of the summed squares over D.
        sigma: of the Gaussian, in frames; 0 leaves everything as it is.
    """
    if sigma == 0 or len(values) < 3:
        return values
    slow = gaussian(values, sigma)
    quick = correlate1d(values, _QUICK, axis=0, mode="nearest")
    ends = [0, 1, -2, -1]  # which lack neighbours
    quick[ends] = values[ends]
    departure = quick - slow
    power = gaussian((departure**2).sum(1, keepdims=True), 1.0)
    return slow + power / (power + tremor**2) * departure


def gaussian(values: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth (F, D) over time; at the ends the weights that remain are normalised."""
    if sigma == 0 or len(values) < 2:
        return values
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weight = correlate1d(np.ones(len(values)), kernel, mode="constant")
    return correlate1d(values, kernel, axis=0, mode="constant") / weight.reshape(-1, *[1] * (values.ndim - 1))


def _calm(points: np.ndarray, side: float, smooth: float) -> np.ndarray:
    """Smooth the crop's corners (the first three points) together, and each landmark, (F, 71, 2) in frame pixels."""
    corners = steady(points[:, :3].reshape(len(points), 6), TREMOR * side, smooth).reshape(-1, 3, 2)
    landmarks = [steady(points[:, at], TREMOR * side, smooth) for at in range(3, points.shape[1])]
    return np.concatenate([corners, np.stack(landmarks, 1)], 1)
