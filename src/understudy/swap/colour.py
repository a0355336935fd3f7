"""The frame's colours for the new face: measured in small crops, then applied.

A measured change is a few numbers, so that those of one frame can be averaged with those of the frames before: colours
that are matched anew in every frame flicker.
"""

from collections.abc import Callable

import cv2
import numpy as np
from skimage.exposure import match_histograms

from understudy.swap.config import ColourTransfer

SPREAD = {"lightness": (0.8, 1.25), "colour": (0.67, 1.5)}
"""Limits of the change of spread in `rct`: light and shadow are part of who somebody is."""

STRETCH = 1.5
"""Limit of the change of spread in `linear` and `mkl`, in any direction of colour."""

LEAST = 0.05
"""Weights of the mask below this do not count."""

Linear = Callable[[np.ndarray, np.ndarray], np.ndarray]

GRAIN = 1e-4
"""Variance of colour (0..1) that counts as none: two and a half levels."""


def measure(face: np.ndarray, frame: np.ndarray, mask: np.ndarray, way: ColourTransfer) -> np.ndarray:
    """How the colours of the new face have to change to be the frame's.

    Args:
        face: RGB uint8 (S, S, 3).
        frame: the frame's own face in the same crop, RGB uint8 (S, S, 3).
        mask: where they are compared, weights (S, S).
        way: what is compared.

    Returns:
        Of `rct`, scale and shift of L*, a*, b*, (2, 3); of `linear` and `mkl` an affine map of RGB in 0..1, (3, 4); of
        `histogram` a curve for each of R, G, B, (256, 3); of `none` nothing, (0,). Such numbers may be averaged.
    """
    inside = mask > LEAST
    if not inside.any():
        return neutral(way)
    weights = mask[inside] / mask[inside].sum()
    a, b = face[inside], frame[inside]  # N x 3
    if way == "rct":
        return _reinhard(a, b, weights)
    if way in ("linear", "mkl"):
        return _affine(a / 255, b / 255, weights, _monge if way == "mkl" else _cholesky)
    return _curves(a, b) if way == "histogram" else neutral(way)


def apply(face: np.ndarray, change: np.ndarray, way: ColourTransfer) -> np.ndarray:
    """The face, RGB uint8 (S, S, 3), with its colours changed as `measure` says."""
    if way == "rct":
        lab = cv2.cvtColor(face.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) * change[0] + change[1]
        return _bytes(cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB) * 255)
    if way in ("linear", "mkl"):
        return cv2.transform(face, change * (1, 1, 1, 255))
    return cv2.LUT(face, _bytes(change)[:, None]) if way == "histogram" else face


def neutral(way: ColourTransfer) -> np.ndarray:
    """The change that changes nothing."""
    return {
        "rct": np.stack([np.ones(3), np.zeros(3)]),
        "linear": np.eye(3, 4),
        "mkl": np.eye(3, 4),
        "histogram": np.repeat(np.arange(256.0)[:, None], 3, 1),
        "none": np.zeros(0),
    }[way]


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


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.round(values).clip(0, 255).astype(np.uint8)
