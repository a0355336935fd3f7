"""Improved precision and recall of two sets of feature vectors (Kynkäänniemi et al. 2019), in float64.

Precision: the share of synthetic samples that lie no farther from some real sample than that one's third nearest
neighbour among the real ones. Recall: the same with the sides exchanged. Precision asks whether synthetic faces look
real, recall whether all that is real occurs.
"""

from typing import Any

import numpy as np

from understudy.metrics.draws import draw_rows
from understudy.progress import track

NEIGHBOURS = 3
DRAWS = 5
"""Random draws behind each figure and its deviation."""
_BLOCK = 1024


def precision_recall(real: np.ndarray, synthetic: np.ndarray, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """Precision and recall.

    Args:
        real: features (n, d), n above `neighbours`.
        synthetic: features (m, d), m above `neighbours`.
        neighbours: which neighbour's distance counts.
    """
    if min(len(real), len(synthetic)) <= neighbours:
        raise ValueError(f"precision and recall need more than {neighbours} samples on each side")
    centre = real.mean(0, dtype=np.float64)  # near the origin, squares lose fewer digits
    real, synthetic = real.astype(np.float64) - centre, synthetic.astype(np.float64) - centre
    tiny = 1e-12 * max((real**2).sum(1).max(), (synthetic**2).sum(1).max())  # equal vectors differ by rounding
    real_reach, synthetic_reach = (_reach(rows, neighbours) + tiny for rows in (real, synthetic))
    inside, covered = 0, np.zeros(len(real), bool)
    for start in range(0, len(synthetic), _BLOCK):
        block = slice(start, start + _BLOCK)
        squares = _squares(synthetic[block], real)  # (block, n)
        inside += int((squares <= real_reach).any(1).sum())
        covered |= (squares <= synthetic_reach[block, None]).any(0)
    return inside / len(synthetic), float(covered.mean())


def precision_figures(synthetic: np.ndarray, real: np.ndarray, clips: np.ndarray, seed: int) -> dict[str, Any]:
    """Precision and recall at equal N beside what filmed faces score against other filmed faces.

    Args:
        synthetic: features (n, d).
        real: features (m, d).
        clips: the clip of each real face, (m,).
        seed: of the draws.

    Returns:
        `n`, `neighbours`, and each of `precision`, `recall` with `_std` (ddof 0), `real_` (random halves) and
        `real_by_clip_` (halves without a common clip); None where the sets are too small.
    """
    found: dict[str, list[float]] = {
        f"{kind}{name}": [] for kind in ("", "real_", "real_by_clip_") for name in ("precision", "recall")
    }
    draws = draw_rows(len(synthetic), clips, DRAWS, seed)
    for draw in track(draws, "Precision and recall") if draws else ():
        pairs = {
            "": None if draw.near is None else (real[draw.near[1]], synthetic[draw.near[0]]),
            "real_": (real[draw.halves[0]], real[draw.halves[1]]),
            "real_by_clip_": None if draw.by_clip is None else (real[draw.by_clip[0]], real[draw.by_clip[1]]),
        }
        for kind, sets in pairs.items():
            if sets is not None and min(map(len, sets)) > NEIGHBOURS:
                for name, value in zip(("precision", "recall"), precision_recall(*sets), strict=True):
                    found[f"{kind}{name}"].append(value)
    figures: dict[str, Any] = {"n": len(draws[0].halves[0]) if draws else None, "neighbours": NEIGHBOURS}
    for name, values in found.items():
        figures[name] = float(np.mean(values)) if values else None
        figures[f"{name}_std"] = float(np.std(values)) if values else None
    return figures


def _reach(rows: np.ndarray, neighbours: int) -> np.ndarray:
    """Squared distance of each row to its n-th nearest other row, (N,)."""
    reach = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK):
        squares = _squares(rows[start : start + _BLOCK], rows)
        own = np.arange(len(squares))
        squares[own, start + own] = np.inf
        reach[start : start + _BLOCK] = np.partition(squares, neighbours - 1, axis=1)[:, neighbours - 1]
    return reach


def _squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances of all rows of `a` (n, d) to all of `b` (m, d), (n, m)."""
    squares: np.ndarray = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.maximum(squares, 0, out=squares)
