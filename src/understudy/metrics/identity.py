"""Is it the same person? Synthetic faces against the originals by face_recognition's 128-d embedding.

The paper called a synthetic face matching when `face_recognition.compare_faces` accepts it, which is a Euclidean
distance of at most 0.6 to a known face. It does not say to which one. Two rules are stated here:

- **medoid** (the headline): distance to the original that lies nearest to all other originals;
- **nearest**: distance to whichever original is nearest.

The medoid is one of the originals, so whoever matches by the first rule matches by the second: the headline is the
stricter. Originals are judged from their aligned crops by the same detector and network as synthetic faces.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import pdist

from understudy.faces.identity import distances, medoid_row


@dataclass(frozen=True)
class Comparison:
    """Distances of every synthetic face to the originals; NaN and -1 where it shows no face.

    Args:
        to_medoid: distance to the medoid original, (N,).
        to_nearest: distance to the nearest original, (N,).
        nearest: row of that original, (N,) int.
        originals_to_medoid: distance of every original to the medoid, (M,); NaN without a face.
        medoid: row of the medoid original, -1 when no original shows a face.
    """

    to_medoid: np.ndarray
    to_nearest: np.ndarray
    nearest: np.ndarray
    originals_to_medoid: np.ndarray
    medoid: int

    @property
    def found(self) -> np.ndarray:
        """Which synthetic faces were compared, (N,) bool."""
        return np.isfinite(self.to_medoid)


def compare(synthetic: np.ndarray, originals: np.ndarray) -> Comparison:
    """Compare embeddings (N, 128) with those of the originals (M, 128); rows without a face are NaN."""
    seen, known = has_face(synthetic), has_face(originals)
    to_medoid, to_nearest = np.full(len(synthetic), np.nan), np.full(len(synthetic), np.nan)
    nearest = np.full(len(synthetic), -1)
    originals_to_medoid = np.full(len(originals), np.nan)
    if not known.any():
        return Comparison(to_medoid, to_nearest, nearest, originals_to_medoid, -1)
    rows, centre = np.flatnonzero(known), medoid_row(originals)
    originals_to_medoid[rows] = distances(originals[rows], originals[[centre]])[:, 0]
    if seen.any():
        table = distances(synthetic[seen], originals[rows])  # (seen, known)
        nearest[seen] = rows[table.argmin(1)]
        to_nearest[seen] = table.min(1)
        to_medoid[seen] = table[:, np.flatnonzero(rows == centre)[0]]
    return Comparison(to_medoid, to_nearest, nearest, originals_to_medoid, centre)


def identity_figures(compared: Comparison, tolerance: float) -> dict[str, Any]:
    """Counts and shares of matching, not matching and no face, with 95 % intervals, and what the originals score."""
    count, found = len(compared.to_medoid), compared.found
    known = compared.medoid >= 0
    matched = int((compared.to_medoid[found] <= tolerance).sum())
    by_nearest = int((compared.to_nearest[found] <= tolerance).sum())
    figures: dict[str, Any] = {"tolerance": tolerance, "synthetic": count}
    figures |= _shares("matched", matched if known else None, count)
    figures |= _shares("unmatched", int(found.sum()) - matched if known else None, count)
    figures |= _shares("faceless", count - int(found.sum()) if known else None, count)
    figures |= _shares("matched_by_nearest", by_nearest if known else None, count)
    figures |= _spread("to_medoid", compared.to_medoid[found]) | _spread("to_nearest", compared.to_nearest[found])
    own = compared.originals_to_medoid
    faces = own[np.isfinite(own)]
    figures["originals"] = len(own)
    figures |= _shares("originals_matched", int((faces <= tolerance).sum()), len(own))
    figures |= _shares("originals_faceless", len(own) - len(faces), len(own))
    return figures | _spread("originals_to_medoid", faces)


CURVE = tuple(round(0.3 + 0.02 * step, 2) for step in range(26))
"""Tolerances of the threshold curve, 0.30 to 0.80."""


def threshold_curve(compared: Comparison) -> dict[str, list[float] | None]:
    """Shares within each tolerance: of all synthetic faces and of all originals, by distance to the medoid.

    Returns:
        `tolerance`, `synthetic`, `originals`: 26 values each; None for an empty set or without a medoid.
    """
    curve: dict[str, list[float] | None] = {"tolerance": list(CURVE)}
    sets = {"synthetic": compared.to_medoid, "originals": compared.originals_to_medoid}
    for name, values in sets.items():
        measured = len(values) > 0 and compared.medoid >= 0
        curve[name] = [float((values <= limit).mean()) for limit in CURVE] if measured else None
    return curve


def odd_rows(compared: Comparison, tolerance: float) -> dict[str, list[int]]:
    """Which synthetic faces do not match, the farthest first, and which show no face: row numbers."""
    order = np.argsort(-compared.to_medoid, kind="stable")
    other = order[compared.to_medoid[order] > tolerance]
    return {"unmatched": other.tolist(), "faceless": np.flatnonzero(~compared.found).tolist()}


def pair_figures(embeddings: np.ndarray) -> dict[str, float | int | None]:
    """Mean and variance of the distances of all pairs of a set, plain and squared L2.

    Args:
        embeddings: (N, 128); rows without a face (NaN) are left out.

    Returns:
        `faces`, `pairs`, `l2_mean`, `l2_variance`, `squared_mean`, `squared_variance`; None below two faces. The
        variance divides by the number of pairs.
    """
    faces = embeddings[has_face(embeddings)].astype(np.float64)
    figures: dict[str, float | int | None] = {"faces": len(faces), "pairs": len(faces) * (len(faces) - 1) // 2}
    names = ("l2_mean", "l2_variance", "squared_mean", "squared_variance")
    if len(faces) < 2:
        return figures | dict.fromkeys(names)
    pairs = pair_distances(faces)
    squared = pairs * pairs
    values = (pairs.mean(), pairs.var(), squared.mean(), squared.var())
    return figures | dict(zip(names, map(float, values), strict=True))


def pair_distances(faces: np.ndarray) -> np.ndarray:
    """Distances of all pairs i < j of rows, (N (N - 1) / 2,) float64."""
    pairs: np.ndarray = pdist(faces.astype(np.float64))
    return pairs


def has_face(embeddings: np.ndarray) -> np.ndarray:
    """Which rows hold an embedding, (N,) bool."""
    finite: np.ndarray = np.isfinite(embeddings).all(1)
    return finite


def interval(part: int, whole: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, which stays inside 0 and 1 (Wilson 1927)."""
    share, spread = part / whole, z * z / whole
    centre = (share + spread / 2) / (1 + spread)
    reach = z * np.sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))


def _shares(name: str, part: int | None, whole: int) -> dict[str, float | int | None]:
    if part is None or whole == 0:
        return {name: part, f"{name}_share": None, f"{name}_low": None, f"{name}_high": None}
    low, high = interval(part, whole)
    return {name: part, f"{name}_share": part / whole, f"{name}_low": low, f"{name}_high": high}


def _spread(name: str, values: np.ndarray) -> dict[str, float | None]:
    if not len(values):
        return {f"{name}_mean": None, f"{name}_median": None, f"{name}_std": None}
    return {
        f"{name}_mean": float(values.mean()),
        f"{name}_median": float(np.median(values)),
        f"{name}_std": float(values.std()),
    }
