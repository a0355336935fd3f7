"""Distances between two sets of feature vectors: Fréchet and kernel distance, with their floors.

Both are zero in expectation only for endless samples; at N samples the Fréchet distance of a person to himself is far
from zero. So each distance is stated beside its floor: real against real at the same N.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from understudy.progress import track

Measure = Callable[[np.ndarray, np.ndarray], float]


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance of the Gaussians fitted to two sets, |mu_a - mu_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^1/2).

    With centred samples A, B the trace of the root is the nuclear norm of A B^T / sqrt((n - 1)(m - 1)): an n x m
    matrix, no root of a singular matrix, no complex numbers (Heusel et al. 2017, eq. 6; float64).

    Args:
        a: features (n, d), n at least 2.
        b: features (m, d), m at least 2.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError("a Fréchet distance needs two samples on each side")
    a, b = a.astype(np.float64), b.astype(np.float64)
    mean = a.mean(0) - b.mean(0)
    a, b = (a - a.mean(0)) / np.sqrt(len(a) - 1), (b - b.mean(0)) / np.sqrt(len(b) - 1)
    # The smaller of the two equal problems: R_a R_b^T (d x d) has the singular values of A B^T.
    if min(len(a), len(b)) > a.shape[1]:
        product = np.linalg.qr(a)[1] @ np.linalg.qr(b)[1].T
    else:
        product = a @ b.T
    root = np.linalg.svd(product, compute_uv=False).sum()
    distance = mean @ mean + (a * a).sum() + (b * b).sum() - 2 * root
    return max(float(distance), 0.0)  # rounding may leave -1e-15 for equal sets


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy with the cubic kernel (x.y / d + 1)^3 (Bińkowski et al. 2018).

    Args:
        a: features (n, d), n at least 2.
        b: features (m, d), m at least 2.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError("a kernel distance needs two samples on each side")
    a, b = a.astype(np.float64), b.astype(np.float64)
    within = [_off_diagonal_mean(_kernel(x, x)) for x in (a, b)]
    return float(within[0] + within[1] - 2 * _kernel(a, b).mean())


def compare_sets(
    synthetic: np.ndarray, real: np.ndarray, clips: np.ndarray, measure: Measure, repeats: int, seed: int
) -> dict[str, Any]:
    """A distance at equal N beside its real-against-real floor, mean and standard deviation over random draws.

    Frames of one clip resemble each other, so a floor of random halves is too kind: where there are several clips a
    second floor draws its two sides from different clips.

    Args:
        synthetic: features (n, d).
        real: features (m, d).
        clips: the clip of each real face, (m,).
        measure: the distance.
        repeats: random draws.
        seed: of the draws.

    Returns:
        `n`, `distance`, `distance_std`, `floor`, `floor_std`, `floor_by_clip`, `floor_by_clip_n`, and `all` with
        `all_synthetic`, `all_real`; None where the sets are too small.
    """
    rng = np.random.default_rng(seed)
    count = min(len(synthetic), len(real) // 2)
    side = count if count >= 2 else len(real) // 2
    parts = _clip_halves(clips, repeats, rng)
    clip_side = min([side, *(min(len(left), len(right)) for left, right in parts)]) if parts else 0
    near, floor, by_clip = [], [], []
    draws = range(repeats if side >= 2 else 0)
    for place in track(draws, "Distances and floors") if draws else ():
        if count >= 2:
            near.append(measure(_some(synthetic, count, rng), _some(real, count, rng)))
        order = rng.permutation(len(real))
        floor.append(measure(real[order[:side]], real[order[side : 2 * side]]))
        if clip_side >= 2:
            left, right = (real[_some(rows, clip_side, rng)] for rows in parts[place])
            by_clip.append(measure(left, right))
    return {
        "n": side if floor else None,
        "distance": _mean(near),
        "distance_std": _std(near),
        "floor": _mean(floor),
        "floor_std": _std(floor),
        "floor_by_clip": _mean(by_clip),
        "floor_by_clip_n": clip_side if by_clip else None,
        "all": measure(synthetic, real) if min(len(synthetic), len(real)) >= 2 else None,
        "all_synthetic": len(synthetic),
        "all_real": len(real),
    }


def _clip_halves(clips: np.ndarray, repeats: int, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Row numbers of two halves that share no clip, once a draw; none where there is one clip."""
    names = np.unique(clips)
    if len(names) < 2:
        return []
    lefts = [np.isin(clips, rng.permutation(names)[: len(names) // 2]) for _ in range(repeats)]
    return [(np.flatnonzero(left), np.flatnonzero(~left)) for left in lefts]


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _std(values: list[float]) -> float | None:
    return float(np.std(values)) if values else None


def _some(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return rows[rng.permutation(len(rows))[:count]]


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _off_diagonal_mean(square: np.ndarray) -> float:
    return float((square.sum() - np.trace(square)) / (len(square) * (len(square) - 1)))
