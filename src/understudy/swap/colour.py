"""The frame's colours and sharpness for the new face: measured in small crops, steadied over time, then applied.

A measured change is a few numbers (`Match`), so that those of one frame can be averaged with those of the frames
before: colours that are matched anew in every frame flicker.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from skimage.exposure import match_histograms

from understudy.swap.config import BlendConfig, ColourTransfer

SPREAD = {"lightness": (0.8, 1.25), "colour": (0.67, 1.5)}
"""Limits of the change of spread in `rct`: light and shadow are part of who somebody is."""

STRETCH = 1.5
"""Limit of the change of spread in `linear` and `mkl`, in any direction of colour."""

SUDDEN = 0.06
"""A change of the face's mean colour (0..1) by more than this from frame to frame is light switched on, not flicker."""

Linear = Callable[[np.ndarray, np.ndarray], np.ndarray]

GRAIN = 1e-4
"""Variance of colour (0..1) that counts as none: two and a half levels."""


@dataclass(frozen=True)
class Match:
    """What makes a new face look as the frame does.

    Args:
        colours: of `rct`, scale and shift of L*, a*, b*, (2, 3); of `linear` and `mkl` an affine map of RGB, (3, 4); of
            `histogram`, a curve for each of R, G, B, (256, 3); of `none`, empty.
        sharpness: strength of the unsharp mask; less than nought softens.
        mean: the mean colour that the face will have, RGB in 0..1, (3,).
    """

    colours: np.ndarray
    sharpness: float
    mean: np.ndarray


def measure(face: np.ndarray, frame: np.ndarray, mask: np.ndarray, config: BlendConfig) -> Match:
    """How the new face has to change.

    Args:
        face: RGB uint8 (S, S, 3).
        frame: the frame's own face in the same crop, RGB uint8 (S, S, 3).
        mask: where they are compared, weights (S, S).
        config: the way of colour transfer and the limit of sharpening.
    """
    way = config.colour_transfer
    inside = mask > 0.05
    if not inside.any():
        return Match(_neutral(way), 0.0, np.zeros(3))
    weights = mask[inside] / mask[inside].sum()
    a, b = face[inside], frame[inside]  # N x 3
    return Match(_colours(way, a, b, weights), _sharpness(face, frame, mask, config.sharpen), weights @ b / 255)


def apply(face: np.ndarray, match: Match, way: ColourTransfer) -> np.ndarray:
    """The face, RGB uint8 (S, S, 3), with the colours and the sharpness of a match."""
    out = face
    if way == "rct":
        lab = cv2.cvtColor(face.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) * match.colours[0] + match.colours[1]
        out = _bytes(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB) * 255)
    elif way in ("linear", "mkl"):
        out = cv2.transform(face, match.colours * (1, 1, 1, 255))
    elif way == "histogram":
        out = cv2.LUT(face, _bytes(match.colours)[:, None])
    if match.sharpness == 0:
        return out
    fine = out.astype(np.float32)
    return _bytes(fine + match.sharpness * (fine - _soft(fine)))


class Steady:
    """Averages the matches of a shot over time, exponentially: no flicker, and light that is switched on comes at once.

    Args:
        frames: how far back, in frames; 0 takes each match as it is.
    """

    def __init__(self, frames: float) -> None:
        self._rate = 1 / (1 + frames)
        self._last: Match | None = None
        self._shot: int | None = None

    def __call__(self, match: Match, shot: int) -> Match:
        """The match to use for the next frame, which belongs to `shot`."""
        last = self._last
        if last is not None and shot == self._shot and np.abs(match.mean - last.mean).max() <= SUDDEN:
            rate = self._rate
            match = Match(
                last.colours + rate * (match.colours - last.colours),
                last.sharpness + rate * (match.sharpness - last.sharpness),
                last.mean + rate * (match.mean - last.mean),
            )
        self._last, self._shot = match, shot
        return match


def _neutral(way: ColourTransfer) -> np.ndarray:
    """The change that changes nothing."""
    return {
        "rct": np.stack([np.ones(3), np.zeros(3)]),
        "linear": np.eye(3, 4),
        "mkl": np.eye(3, 4),
        "histogram": np.repeat(np.arange(256.0)[:, None], 3, 1),
        "none": np.zeros(0),
    }[way]


def _colours(way: ColourTransfer, face: np.ndarray, frame: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The change of colour for pixels (N, 3) uint8 of both, of which each counts with its weight (N,)."""
    if way == "rct":
        return _reinhard(face, frame, weights)
    if way in ("linear", "mkl"):
        return _affine(face / 255, frame / 255, weights, _monge if way == "mkl" else _cholesky)
    if way == "histogram":
        return _curves(face, frame)
    return _neutral(way)


def _reinhard(face: np.ndarray, frame: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean and, within limits, spread in L*a*b*: Reinhard et al., IEEE CG&A 21(5), 2001."""
    a, b = (cv2.cvtColor(x[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0] for x in (face, frame))
    mean_a, mean_b = weights @ a, weights @ b
    spread_a, spread_b = (np.sqrt(weights @ (x - mean) ** 2) for x, mean in ((a, mean_a), (b, mean_b)))
    low, high = np.array([SPREAD["lightness"], SPREAD["colour"], SPREAD["colour"]]).T
    scale = (spread_b / np.maximum(spread_a, 1e-3)).clip(low, high)
    return np.stack([scale, mean_b - scale * mean_a])


def _affine(face: np.ndarray, frame: np.ndarray, weights: np.ndarray, way: Linear) -> np.ndarray:
    """The map of RGB in 0..1 that gives pixels (N, 3) the other's mean and covariance, (3, 4)."""
    mean_a, mean_b = weights @ face, weights @ frame
    a, b = face - mean_a, frame - mean_b
    noise = GRAIN * np.eye(3)
    linear = way((a * weights[:, None]).T @ a + noise, (b * weights[:, None]).T @ b + noise)
    left, stretch, right = np.linalg.svd(linear)
    linear = left * stretch.clip(1 / STRETCH, STRETCH) @ right
    return np.hstack([linear, (mean_b - linear @ mean_a)[:, None]])


def _cholesky(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """T = L_b L_a^-1, with L the triangular roots of the covariances: T A T' = B."""
    return np.linalg.cholesky(b) @ np.linalg.inv(np.linalg.cholesky(a))


def _monge(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The symmetric T = A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2, which moves colours least: Pitie and Kokaram, CVMP 2007."""
    root = _power(a, 0.5)
    back = np.linalg.inv(root)
    return back @ _power(root @ b @ root, 0.5) @ back


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.maximum(values, 0) ** exponent @ vectors.T


def _curves(face: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """For each channel the curve that gives pixels (N, 3) the other's histogram, (256, 3); straight between levels."""
    matched = match_histograms(face, frame, channel_axis=1)
    levels = np.arange(256)
    curves = []
    for channel in range(3):
        known, first = np.unique(face[:, channel], return_index=True)
        values = matched[first, channel].astype(float)
        # Beyond the face's own levels the curve goes on in parallel to the identity.
        curve = np.interp(levels, known, values)
        below, above = levels < known[0], levels > known[-1]
        curve[below] = values[0] + levels[below] - known[0]
        curve[above] = values[-1] + levels[above] - known[-1]
        curves.append(curve)
    return np.stack(curves, 1)


def _sharpness(face: np.ndarray, frame: np.ndarray, mask: np.ndarray, limit: float) -> float:
    """Strength of the unsharp mask after which the face's fine detail has the energy of the frame's.

    With d the detail of the face (what a small blur takes off) and e the detail of d, an unsharp mask of strength s
    makes it d + s e, so that s solves |d|^2 + 2 s d.e + s^2 |e|^2 = |detail of the frame|^2.
    """
    if limit == 0:
        return 0.0
    grey, other = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) for x in (face, frame))
    detail, wanted = grey - _soft(grey), other - _soft(other)
    again = detail - _soft(detail)
    square, mixed, plain = ((mask * x * y).sum() for x, y in ((again, again), (detail, again), (detail, detail)))
    missing = plain - (mask * wanted**2).sum()
    root = mixed**2 - square * missing
    if square <= 0:
        return 0.0
    # No softening makes detail as small as that: then the least there is, which is at -mixed / square.
    strength = (np.sqrt(max(root, 0.0)) - mixed) / square
    return float(np.clip(strength, -min(1.0, limit), limit))


def _soft(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), max(1.0, len(image) / 64))


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.round(values).clip(0, 255).astype(np.uint8)
