"""Do the synthetic faces show all that the person does? Mouth, eyes, brows and the turn of the head against film."""

from typing import Any

import numpy as np
from scipy.stats import wasserstein_distance

from understudy.faces.expression import EXPRESSION, NEAR, coverage, expression_features
from understudy.faces.faceset import Faceset
from understudy.metrics.groups import group_by_clip, halve

BINS = 24


def coverage_scores(synthetic: Faceset, originals: Faceset, repeats: int, seed: int) -> dict[str, Any]:
    """Expression coverage of synthetic faces against filmed ones.

    A smaller set covers less, whatever it is made of. So `film` says what as many filmed faces reach: half of the clips
    stand for the filmed faces, as many faces of the other half as there are synthetic ones for the synthetic.

    Args:
        synthetic: an unselected sample of the generator.
        originals: filmed faces, described as the synthetic ones are.
        repeats: random halves behind `film`.
        seed: of these halves.

    Returns:
        Figures of `faces.expression.coverage`, where `reference` is the filmed faces: `covered`, `distance` (filmed),
        `other_distance` (synthetic) and `measures` by name, each with `shift`, the earth mover's distance of the
        histograms in standard deviations of the filmed faces. `film`: the same without `shift`, means over the halves.
        `histograms` by measure: `edges`, and the shares `filmed` and `synthetic` of either set. `near`: the radius.
    """
    theirs, ours = (expression_features(faces, centre_by_clip=False) for faces in (originals, synthetic))
    known = np.isfinite(theirs).all(1)
    clips, theirs, ours = originals.column("clip")[known], theirs[known], ours[np.isfinite(ours).all(1)]
    figures = coverage(theirs, ours)
    few = figures["covered"] is None
    for number, name in enumerate(EXPRESSION):
        spread = 0.0 if few else float(theirs[:, number].std())
        moved = wasserstein_distance(theirs[:, number], ours[:, number]) if spread > 0 else None
        figures["measures"][name]["shift"] = None if moved is None else float(moved) / spread
    return {
        "synthetic": len(ours),
        "originals": len(theirs),
        "near": NEAR,
        **figures,
        "film": _film(theirs, clips, len(ours), repeats, seed),
        "histograms": {} if few else {name: _histogram(theirs[:, n], ours[:, n]) for n, name in enumerate(EXPRESSION)},
        "missing": f"Expressions need two synthetic and two filmed faces; {len(ours)} and {len(theirs)} were found."
        if few
        else None,
    }


def _film(features: np.ndarray, clips: np.ndarray, count: int, repeats: int, seed: int) -> dict[str, Any]:
    """What `count` filmed faces of other clips cover, means over random halves of the clips."""
    groups = group_by_clip(clips, 2)
    found = []
    for number in range(repeats if groups.count > 1 else 0):
        other = halve(groups.labels, seed + number)
        rows = np.random.default_rng(seed + number).permutation(np.flatnonzero(other))[:count]
        found.append(coverage(features[~other], features[rows]))
    names = ("covered", "distance", "other_distance")
    return {
        "grouped_by": groups.kind,
        **{name: _mean([one[name] for one in found]) for name in names},
        "measures": {
            name: {
                figure: _mean([one["measures"][name][figure] for one in found])
                for figure in ("spread_ratio", "range", "overlap")
            }
            for name in EXPRESSION
        },
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _histogram(filmed: np.ndarray, synthetic: np.ndarray) -> dict[str, list[float]]:
    both = np.concatenate([filmed, synthetic])
    edges = np.linspace(both.min(), both.max() + 1e-9, BINS + 1)
    shares = {
        name: (np.histogram(values, edges)[0] / len(values)).round(5).tolist()
        for name, values in (("filmed", filmed), ("synthetic", synthetic))
    }
    return {"edges": edges.round(4).tolist(), **shares}
