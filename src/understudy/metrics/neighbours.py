"""Nearest neighbours among many, block by block, so that no table of all pairs is ever held."""

import numpy as np

_QUERIES, _KEYS = 512, 8192


def nearest(
    queries: np.ndarray,
    keys: np.ndarray,
    query_groups: np.ndarray | None = None,
    key_groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest key of each query by Euclidean distance.

    Args:
        queries: (N, D) float32.
        keys: (M, D) float32.
        query_groups: label of each query, (N,) int. A key whose label differs by at most 1 does not count; see
            `group_by_clip`.
        key_groups: label of each key, (M,) int.

    Returns:
        Distances (N,) float64 and row numbers (N,) int64; infinity and -1 where no key counts.
    """
    best, rows = np.full(len(queries), np.inf, np.float32), np.full(len(queries), -1, np.int64)
    lengths = (keys.astype(np.float64) ** 2).sum(1).astype(np.float32)
    for first in range(0, len(queries), _QUERIES):
        some = slice(first, first + _QUERIES)
        for start in range(0, len(keys), _KEYS):
            part = slice(start, start + _KEYS)
            squares = lengths[part][None] - 2 * queries[some] @ keys[part].T  # less the query's own length
            if query_groups is not None and key_groups is not None:
                squares[np.abs(query_groups[some][:, None] - key_groups[part][None]) <= 1] = np.inf
            at = squares.argmin(1)
            least = squares[np.arange(len(at)), at]
            nearer = least < best[some]
            best[some] = np.where(nearer, least, best[some])
            rows[some] = np.where(nearer, start + at, rows[some])
    found = rows >= 0
    distances = np.full(len(queries), np.inf)  # anew in float64, since the difference of squares lost digits
    distances[found] = np.linalg.norm(queries[found].astype(np.float64) - keys[rows[found]], axis=1)
    return distances, rows
