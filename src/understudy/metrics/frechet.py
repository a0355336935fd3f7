"""Distances between two sets of feature vectors: Fréchet and kernel distance, with their floors.

Both are zero in expectation only for endless samples; at N samples the Fréchet distance of a person to himself is far
from zero. So each distance is stated beside its floor: real against real at the same N.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

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
        product = np.linalg.qr(a, mode="r") @ np.linalg.qr(b, mode="r").T
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
    figures: dict[str, Any] = dict.fromkeys(
        ("n", "distance", "distance_std", "floor", "floor_std", "floor_by_clip", "floor_by_clip_n", "all")
    )
    figures |= {"all_synthetic": len(synthetic), "all_real": len(real)}
    if min(len(synthetic), len(real)) >= 2:
        figures["all"] = measure(synthetic, real)
    if len(real) >= 4:
        side = max(count, 2) if len(synthetic) >= 2 else len(real) // 2
        floor = _draws(lambda: measure(*_halves(real, side, rng)), repeats)
        figures |= {"n": side, "floor": float(floor.mean()), "floor_std": float(floor.std())}
        figures |= _by_clip(real, clips, side, measure, repeats, rng)
    if count >= 2:
        near = _draws(lambda: measure(_some(synthetic, count, rng), _some(real, count, rng)), repeats)
        figures |= {"distance": float(near.mean()), "distance_std": float(near.std())}
    return figures


def _by_clip(
    real: np.ndarray, clips: np.ndarray, side: int, measure: Measure, repeats: int, rng: np.random.Generator
) -> dict[str, Any]:
    names = np.unique(clips)
    if len(names) < 2:
        return {}
    pairs = []
    for _ in range(repeats):
        left = np.isin(clips, rng.permutation(names)[: len(names) // 2])
        pairs.append((real[left], real[~left]))
    size = min(side, *(min(len(a), len(b)) for a, b in pairs))
    if size < 2:
        return {}
    values = [measure(_some(a, size, rng), _some(b, size, rng)) for a, b in pairs]
    return {"floor_by_clip": float(np.mean(values)), "floor_by_clip_n": size}


def _draws(draw: Callable[[], float], repeats: int) -> np.ndarray:
    return np.array([draw() for _ in range(repeats)])


def _some(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return rows[rng.permutation(len(rows))[:count]]


def _halves(rows: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order = rng.permutation(len(rows))
    return rows[order[:count]], rows[order[count : 2 * count]]


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _off_diagonal_mean(square: np.ndarray) -> float:
    return float((square.sum() - np.trace(square)) / (len(square) * (len(square) - 1)))
