"""The area under the ROC curve of held-out scores, with an interval that knows which faces belong together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

GRID = np.linspace(0, 1, 201)
"""False positive rates at which the curves of the folds are averaged."""


@dataclass(frozen=True)
class Ranked:
    """How well held-out scores tell two kinds apart.

    Args:
        area: the AUC.
        drawn: AUCs of the bootstrap, (draws,).
        curve: true positive rates over `GRID`.
    """

    area: float
    drawn: np.ndarray
    curve: np.ndarray


def rank(scores: np.ndarray, fake: np.ndarray, groups: np.ndarray, fold: np.ndarray, draws: int, seed: int) -> Ranked:
    """Rank the scores of one probe.

    Each fold was scored by a probe of its own, whose scores compare only within the fold: the AUC is the mean of the
    folds'. Its interval is a bootstrap over whole groups (Field and Welsh, JRSS B 69(3), 2007), since a clip's frames
    are no independent witnesses; a group that holds both kinds is drawn with both. It does not hold what other
    training sets would have changed. An AUC of exactly 1 leaves it no width.

    Args:
        scores: large for what looks synthetic, (N,).
        fake: what is synthetic, (N,) bool.
        groups: label of each face, (N,).
        fold: fold of each face, (N,).
        draws: of the bootstrap.
        seed: of the draws.
    """
    names, group = np.unique(groups, return_inverse=True)
    kinds = [np.unique(group[fake == kind]) for kind in (False, True)]
    rng = np.random.default_rng(seed)
    weights = _draw(kinds, len(names), draws, rng)  # draws x G
    areas, drawn, curves = [], [], []
    for number in np.unique(fold):
        real_rows, fake_rows = (np.flatnonzero((fold == number) & (fake == kind)) for kind in (False, True))
        table, real_groups, fake_groups = _wins(scores, group, real_rows, fake_rows)
        counts = [np.bincount(group[rows], minlength=len(names)) for rows in (real_rows, fake_rows)]
        areas.append(table.sum() / (len(real_rows) * len(fake_rows)))
        won = ((weights[:, real_groups] @ table) * weights[:, fake_groups]).sum(1)  # draws
        of = (weights @ counts[0]) * (weights @ counts[1])
        drawn.append(np.divide(won, of, out=np.full(draws, np.nan), where=of > 0))
        curves.append(_curve(scores[real_rows], scores[fake_rows]))
    known = np.array(drawn)
    some = np.isfinite(known).any(0)  # a draw may hold one kind alone: it says nothing
    means = np.nanmean(known[:, some], axis=0)
    return Ranked(float(np.mean(areas)), means, np.mean(curves, axis=0))


def auc_figures(tests: Sequence[Ranked]) -> dict[str, Any]:
    """The figures of one test, or of several repetitions of one taken together.

    Returns:
        `auc`, the mean, with the 95 % interval `auc_low`, `auc_high` of all draws; `quality` 1 - |2 AUC - 1|, 1 where
        nothing tells the kinds apart; `eer`, the rate at which both errors are equal; `roc`, true positive rates at
        the false positive rates 0, 0.05 … 1.
    """
    area = float(np.mean([test.area for test in tests]))
    low, high = np.percentile(np.concatenate([test.drawn for test in tests]), [2.5, 97.5])
    curve = np.mean([test.curve for test in tests], axis=0)
    equal = int(np.abs(1 - curve - GRID).argmin())
    return {
        "auc": area,
        "auc_low": float(low),
        "auc_high": float(high),
        "quality": quality(area),
        "eer": float((1 - curve[equal] + GRID[equal]) / 2),
        "roc": [round(float(value), 4) for value in curve[::10]],
    }


def quality(area: float) -> float:
    """1 - |2 AUC - 1|: 1 where a probe does no better than chance, 0 where it is always right."""
    return 1 - abs(2 * area - 1)


def _draw(kinds: list[np.ndarray], count: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How often each group is in each draw, (draws, count): each kind by itself, unless groups hold both."""
    weights = np.zeros((draws, count))
    parts = [np.arange(count)] if len(np.intersect1d(kinds[0], kinds[1])) else kinds
    for part in parts:
        weights[:, part] = rng.multinomial(len(part), np.full(len(part), 1 / len(part)), draws)
    return weights


def _wins(
    scores: np.ndarray, group: np.ndarray, real: np.ndarray, fake: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs in which the synthetic face has the higher score, ties half, summed by pair of groups; and the groups."""
    ours, theirs = scores[fake][None], scores[real][:, None]
    won = (ours > theirs) + 0.5 * (ours == theirs)  # R x F
    real_groups, real_at = np.unique(group[real], return_inverse=True)
    fake_groups, fake_at = np.unique(group[fake], return_inverse=True)
    table = np.zeros((len(real_groups), len(fake_groups)))
    rows = np.zeros((len(real_groups), len(fake)))
    np.add.at(rows, real_at, won)
    np.add.at(table.T, fake_at, rows.T)
    return table, real_groups, fake_groups


def _curve(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """True positive rates over `GRID`, between the corners of the empirical curve."""
    limits = np.append(np.unique(np.concatenate([real, fake])), np.inf)[::-1]
    false = 1 - np.searchsorted(np.sort(real), limits) / len(real)
    true = 1 - np.searchsorted(np.sort(fake), limits) / len(fake)
    # The curve may rise upright: of all corners at one false positive rate the highest counts, hence the tiny shift.
    curve: np.ndarray = np.interp(GRID, false + 1e-9 * (np.arange(len(false)) - len(false)), true)
    return curve
