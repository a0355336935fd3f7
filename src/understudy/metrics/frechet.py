"""Distances between two sets of feature vectors: Fréchet and kernel distance, with their floors.

Both are zero in expectation only for endless samples; at N samples the Fréchet distance of a person to himself is far
from zero. So each distance is stated beside its floor: real against real at the same N.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.metrics.draws import draw_rows
from understudy.progress import track

Measure = Callable[[np.ndarray, np.ndarray], float]

FRACTIONS = np.linspace(0.25, 1, 15)
"""Parts of both sets whose distances are extrapolated to endless sets."""


@dataclass(frozen=True)
class Cloud:
    """The Gaussian fitted to a set: its mean (d,) and a root R (k, d) of its covariance, R^T R, k at most d."""

    mean: np.ndarray
    root: np.ndarray


def cloud(features: np.ndarray) -> Cloud:
    """Fit a Gaussian to features (n, d), n at least 2; the covariance divides by n - 1.

    With centred samples A the covariance is A^T A / (n - 1): A itself is a root. Where n is above d, the triangle of
    its QR decomposition is a smaller one.
    """
    if len(features) < 2:
        raise ValueError("a Fréchet distance needs two samples on each side")
    rows = features.astype(np.float64)
    mean = rows.mean(0)
    root = (rows - mean) / np.sqrt(len(rows) - 1)
    if len(root) > root.shape[1]:
        root = np.asarray(np.linalg.qr(root, mode="r"))
    return Cloud(mean, root)


def cloud_distance(a: Cloud, b: Cloud) -> float:
    """|mu_a - mu_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^1/2), Heusel et al. 2017, eq. 6.

    The trace of the root is the nuclear norm of R_a R_b^T: singular values of a small matrix, no root of a singular
    one, no complex numbers.
    """
    shift = a.mean - b.mean
    shared = np.linalg.svd(a.root @ b.root.T, compute_uv=False).sum()
    distance = shift @ shift + (a.root**2).sum() + (b.root**2).sum() - 2 * shared
    return max(float(distance), 0.0)  # rounding may leave -1e-15 for equal sets


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance of the Gaussians fitted to features (n, d) and (m, d), n and m at least 2, in float64."""
    return cloud_distance(cloud(a), cloud(b))


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


def extrapolate(a: np.ndarray, b: np.ndarray, seed: int) -> dict[str, float | None]:
    """The Fréchet distance at endless samples (Chong & Forsyth 2020).

    At N samples it is too large by about a constant over N. So both sets are cut to 15 parts, from a quarter to the
    whole, and the distances are regressed on one over the part: what is left at 0 is the distance at endless samples.
    It holds where the smallest part outnumbers the directions in which the features spread, and for independent
    samples, which frames of one clip are not.

    Args:
        a: features (n, d).
        b: features (m, d).
        seed: of the draws.

    Returns:
        `infinity`, and `infinity_error`, the standard error of the fit, which is too small because parts share
        samples; None below 8 samples on a side.
    """
    if min(len(a), len(b)) < 8:
        return {"infinity": None, "infinity_error": None}
    rng = np.random.default_rng(seed)
    found = []
    for part in track(FRACTIONS, "Fréchet distance at endless N"):
        some = (rows[rng.permutation(len(rows))[: round(part * len(rows))]] for rows in (a, b))
        found.append(frechet_distance(*some))
    values, design = np.array(found), np.stack([np.ones_like(FRACTIONS), 1 / FRACTIONS], 1)  # 15 x 2
    line = np.linalg.lstsq(design, values, rcond=None)[0]
    noise = ((values - design @ line) ** 2).sum() / (len(values) - 2)
    error = np.sqrt(noise * np.linalg.inv(design.T @ design)[0, 0])
    return {"infinity": float(line[0]), "infinity_error": float(error)}


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
        `all_synthetic`, `all_real`; None where the sets are too small. Deviations have ddof 0.
    """
    draws = draw_rows(len(synthetic), clips, repeats, seed)
    near, floor, by_clip = [], [], []
    for draw in track(draws, "Distances and floors") if draws else ():
        if draw.near is not None:
            near.append(measure(synthetic[draw.near[0]], real[draw.near[1]]))
        floor.append(measure(real[draw.halves[0]], real[draw.halves[1]]))
        if draw.by_clip is not None:
            by_clip.append(measure(real[draw.by_clip[0]], real[draw.by_clip[1]]))
    return {
        "n": len(draws[0].halves[0]) if draws else None,
        "distance": _mean(near),
        "distance_std": _std(near),
        "floor": _mean(floor),
        "floor_std": _std(floor),
        "floor_by_clip": _mean(by_clip),
        "floor_by_clip_n": draws[0].clip_n if by_clip else None,
        "all": measure(synthetic, real) if min(len(synthetic), len(real)) >= 2 else None,
        "all_synthetic": len(synthetic),
        "all_real": len(real),
    }


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _std(values: list[float]) -> float | None:
    return float(np.std(values)) if values else None


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _off_diagonal_mean(square: np.ndarray) -> float:
    return float((square.sum() - np.trace(square)) / (len(square) * (len(square) - 1)))
