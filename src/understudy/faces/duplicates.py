"""Near-duplicates among faces: pictures that look the same and show the same expression."""

import numpy as np
from scipy.spatial import KDTree

from understudy.faces.phash import hash_distance

IN_TIME = 25
"""Each face is compared with so many faces after it, in the order of the footage,"""

IN_SPACE = 16
"""and with its so many nearest neighbours in expression space, so that a clip that is there twice is found."""

Pairs = tuple[np.ndarray, np.ndarray]


def duplicate_rows(
    hashes: np.ndarray, features: np.ndarray, sharpness: np.ndarray, bits: int, expression: float
) -> np.ndarray:
    """Find the faces that a sharper one makes superfluous.

    Each face is compared with a fixed number of others (`IN_TIME`, `IN_SPACE`), so the time grows as N log N. What is
    left is looked through again until nothing more is found, so that of a still picture of any length one face remains.

    Args:
        hashes: perceptual hashes, (N,) int64, in the order of the footage.
        features: place in expression space, (N, D), all finite.
        sharpness: (N,); of two duplicates the sharper stays, of equally sharp ones the earlier.
        bits: hashes that differ in at most so many bits look the same.
        expression: faces at most so far apart have the same expression.

    Returns:
        (N,) bool, true for those to leave out.
    """

    def near_in_space(rows: np.ndarray) -> Pairs:
        return _in_space(features[rows], expression)

    left = np.arange(len(hashes))
    # In time first: a picture that stands still would crowd one place of the expression space.
    for candidates in (_in_time, near_in_space):
        while True:
            a, b = (left[side] for side in candidates(left))
            twins = hash_distance(hashes[a], hashes[b]) <= bits
            a, b = a[twins], b[twins]
            twins = ((features[a] - features[b]) ** 2).sum(1) <= expression**2
            gone = _superfluous(a[twins], b[twins], sharpness)
            if not gone.any():
                break
            left = left[~gone[left]]
    out = np.ones(len(hashes), bool)
    out[left] = False
    return out


def _in_time(rows: np.ndarray) -> Pairs:
    """Pairs of places in `rows` that are at most `IN_TIME` apart."""
    places = np.arange(len(rows))
    steps = range(1, min(IN_TIME, len(rows) - 1) + 1)
    nothing = np.empty(0, np.int64)
    first = np.concatenate([nothing, *(places[:-step] for step in steps)])
    return first, np.concatenate([nothing, *(places[step:] for step in steps)])


def _in_space(features: np.ndarray, radius: float) -> Pairs:
    """Pairs of places whose features lie within `radius`, up to `IN_SPACE` for each."""
    if len(features) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    _, near = KDTree(features).query(features, k=IN_SPACE + 1, distance_upper_bound=radius * (1 + 1e-9) + 1e-12)
    first, column = np.nonzero(near < len(features))  # what is missing is numbered N
    second = near[first, column]
    return first[first != second], second[first != second]


def _superfluous(a: np.ndarray, b: np.ndarray, sharpness: np.ndarray) -> np.ndarray:
    """Keep faces from the sharpest down, each unless a kept one is its duplicate; true for those not kept."""
    ends = np.concatenate([a, b])
    others = np.concatenate([b, a])[np.argsort(ends, kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=len(sharpness)))])
    gone = np.zeros(len(sharpness), bool)
    for row in np.argsort(-sharpness, kind="stable"):
        if not gone[row]:
            gone[others[starts[row] : starts[row + 1]]] = True
    return gone
