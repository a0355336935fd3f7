"""Who it is: distances between 128-d embeddings."""

import numpy as np

TOLERANCE = 0.6
"""Euclidean distance up to which two faces count as one person: face_recognition's default."""

_MOST = 4096


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances between all rows of `a` (N, D) and of `b` (M, D), (N, M) float32; NaN rows give NaN."""
    out = np.empty((len(a), len(b)), np.float32)
    right = b.astype(np.float64)
    right_squares = (right**2).sum(1)
    for start in range(0, len(a), 1024):  # float64 by blocks: exact for near twins, flat in memory
        left = a[start : start + 1024].astype(np.float64)
        squares = (left**2).sum(1)[:, None] + right_squares - 2 * left @ right.T
        out[start : start + 1024] = np.sqrt(np.maximum(squares, 0))
    return out


def medoid_row(embeddings: np.ndarray) -> int:
    """Row of `embeddings` (N, D) with the smallest mean distance to all others. Rows with NaN are left out.

    Above 4,096 rows it is chosen among, and by the distance to, 4,096 rows spread evenly.

    Raises:
        ValueError: every row is NaN.
    """
    rows = np.flatnonzero(np.isfinite(embeddings).all(1))
    if not len(rows):
        raise ValueError("no embedding is known, so there is no medoid")
    if len(rows) > _MOST:
        rows = rows[np.linspace(0, len(rows) - 1, _MOST).round().astype(np.int64)]
    known = embeddings[rows]
    return int(rows[distances(known, known).mean(1).argmin()])


def medoid(embeddings: np.ndarray) -> np.ndarray:
    """The embedding nearest to all others, (D,): the person. Rows with NaN are left out."""
    return embeddings[medoid_row(embeddings)]
