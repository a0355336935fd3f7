"""Expression space: how mouth, eyes, brows and head are held, in units that are the same for every set of faces."""

from typing import Any, Literal, get_args

import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.distance import pdist

from understudy.faces.faceset import Faceset

EXPRESSION = ("mouth_open", "eye_open", "brow_height", "yaw", "pitch")
"""The measures, columns of the faceset."""

SCALES = (0.05, 0.05, 0.03, 3.0, 3.0)
"""One unit of each measure (ratios, then degrees).

These are the standard deviations, rounded, over the 9,288 faces of a person who speaks in 124 clips: 0.050, 0.055,
0.034, 2.97 and 3.20, heads not centred. They are constants, so that distances of different sets compare. The error of
a pose from landmarks, about half a degree, is thus a sixth of a unit and does not pass for variety.
"""

NEAR = 1.0
"""Two faces at most so far apart, in units, count as the same expression when coverage is measured."""

Variety = Literal["varied", "homogeneous"]

_MOST = 4096


def expression_features(faceset: Faceset, *, centre_by_clip: bool = True) -> np.ndarray:
    """The place of each face in expression space.

    Args:
        faceset: filmed or synthetic faces.
        centre_by_clip: measure yaw and pitch from the median of the clip, since they carry an offset of the person and
            of the camera. Synthetic faces are of no clip and are centred as one: leave it off to compare them with
            filmed faces of the same person.

    Returns:
        (N, 5) float64 in the order of `EXPRESSION`, in units of `SCALES`; rows without a face are NaN throughout.
    """
    measures = np.stack([faceset.column(name).astype(np.float64) for name in EXPRESSION], axis=1)  # N x 5
    if centre_by_clip:
        clips = faceset.column("clip")
        for number in (EXPRESSION.index("yaw"), EXPRESSION.index("pitch")):
            measures[:, number] = centred(measures[:, number], clips)
    measures[~np.isfinite(measures).all(1)] = np.nan
    return measures / SCALES


def clip_rows(clips: np.ndarray) -> list[np.ndarray]:
    """The row numbers of each clip, in the order of the clips' names, from the column `clip` (N,)."""
    names, clip = np.unique(clips, return_inverse=True)
    ends = np.cumsum(np.bincount(clip, minlength=len(names)))
    return np.split(np.argsort(clip, kind="stable"), ends[:-1]) if len(names) else []


def centred(values: np.ndarray, clips: np.ndarray) -> np.ndarray:
    """Values (N,) less the median of their clip, float64."""
    out = values.astype(np.float64)
    for rows in clip_rows(clips):
        if np.isfinite(out[rows]).any():
            out[rows] -= np.nanmedian(out[rows])
    return out


def choose(features: np.ndarray, count: int, variety: Variety, seed: int) -> np.ndarray:
    """Choose `count` faces that differ as much, or as little, as can be.

    `varied` is farthest-point selection (Gonzalez, Theoretical Computer Science 38, 1985): from a row drawn by the
    seed on, the row farthest from all chosen ones comes next, so that the first n of a choice are a choice of n.
    `homogeneous` takes the tightest neighbourhood: the centre whose `count` nearest rows lie within the smallest
    radius, and those rows, nearest first. Rows with the very same features (a frame that stands still, a file copied
    twice) count once there while there are enough others, so that a set is not one picture repeated. Above 4,096
    distinct rows the centre is sought among 4,096 drawn by the seed.

    Args:
        features: (N, D); rows with NaN are never chosen.
        count: how many.
        variety: which kind.
        seed: of what is drawn.

    Returns:
        Row numbers, (count,) int64, no row twice; the same for the same arguments.

    Raises:
        ValueError: fewer than `count` rows are known, or `variety` is neither.
    """
    known = np.flatnonzero(np.isfinite(features).all(1))
    if count > len(known) or count < 0:
        raise ValueError(f"{count} faces cannot be chosen from {len(known)}")
    if variety not in get_args(Variety):
        raise ValueError(f"variety is {variety!r}, not one of {', '.join(get_args(Variety))}")
    if not count:
        return np.empty(0, np.int64)
    rng = np.random.default_rng(seed)
    pick = _farthest if variety == "varied" else _tightest
    return known[pick(features[known].astype(np.float64), count, rng)]


def mean_distance(features: np.ndarray) -> float:
    """Mean Euclidean distance over all pairs of rows of `features` (N, D), the variety of a set.

    Rows with NaN are left out; above 4,096 rows, 4,096 spread evenly are taken. NaN for fewer than two rows.
    """
    known = features[np.isfinite(features).all(1)]
    if len(known) < 2:
        return float("nan")
    if len(known) > _MOST:
        known = known[np.linspace(0, len(known) - 1, _MOST).round().astype(np.int64)]
    return float(pdist(known).mean())


def coverage(reference: np.ndarray, other: np.ndarray) -> dict[str, Any]:
    """How far the faces of `other` cover the expressions of `reference`; features (N, 5) and (M, 5) of either.

    Returns:
        Plain numbers, None where a set has fewer than two faces. `covered`: share of the reference with a face of the
        other within `NEAR`. `distance` and `other_distance`: `mean_distance` of either. `measures`, by name:
        `spread_ratio`, the other's standard deviation over the reference's; `range`, the share of the reference's
        middle 90 % that lies in the other's; `overlap`, the common area of both histograms, 0..1.
    """
    a, b = (values[np.isfinite(values).all(1)] for values in (reference, other))
    if len(a) < 2 or len(b) < 2:
        nothing = dict.fromkeys(("spread_ratio", "range", "overlap"))
        figures = dict.fromkeys(("covered", "distance", "other_distance"))
        return {**figures, "measures": {name: dict(nothing) for name in EXPRESSION}}
    away, _ = KDTree(b).query(a, distance_upper_bound=NEAR)
    return {
        "covered": float(np.isfinite(away).mean()),
        "distance": mean_distance(a),
        "other_distance": mean_distance(b),
        "measures": {name: _cover(a[:, number], b[:, number]) for number, name in enumerate(EXPRESSION)},
    }


def _farthest(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    chosen = np.empty(count, np.int64)
    chosen[0] = rng.integers(len(points))
    squares = np.full(len(points), np.inf)  # to the nearest chosen one
    for number in range(1, count):
        last = chosen[number - 1]
        np.minimum(squares, ((points - points[last]) ** 2).sum(1), out=squares)
        squares[last] = -1  # never again, even where all others are its twins
        chosen[number] = squares.argmax()
    return chosen


def _tightest(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    _, first = np.unique(points, axis=0, return_index=True)
    rows = np.sort(first) if len(first) >= count else np.arange(len(points))
    distinct = points[rows]
    tree = KDTree(distinct)
    centres = np.arange(len(distinct))
    if len(centres) > _MOST:
        centres = np.sort(rng.choice(centres, _MOST, replace=False))
    radii, _ = tree.query(distinct[centres], k=[count])  # C x 1: to the farthest of the nearest
    _, nearest = tree.query(distinct[centres[radii[:, 0].argmin()]], k=count)
    return rows[np.atleast_1d(nearest)]


def _cover(a: np.ndarray, b: np.ndarray) -> dict[str, float | None]:
    low, high = np.percentile(a, [5, 95])
    other_low, other_high = np.percentile(b, [5, 95])
    inside = max(0.0, min(high, other_high) - max(low, other_low))
    bins = np.linspace(min(a.min(), b.min()), max(a.max(), b.max()) + 1e-9, 41)
    shares = [np.histogram(values, bins)[0] / len(values) for values in (a, b)]
    return {
        "spread_ratio": float(b.std() / a.std()) if a.std() > 0 else None,
        "range": float(inside / (high - low)) if high > low else None,
        "overlap": float(np.minimum(*shares).sum()),
    }
