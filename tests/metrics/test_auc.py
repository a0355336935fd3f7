import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from understudy.metrics.auc import GRID, Ranked, auc_figures, quality, rank
from understudy.metrics.groups import assign_folds, group_by_clip, halve

RNG = np.random.default_rng(5)


def test_the_area_is_the_mean_over_folds_of_scikit_learns() -> None:
    scores, fake = RNG.normal(0, 10, 120).round(), np.arange(120) % 3 == 0  # rounded: ties
    scores[fake] += 7
    fold = np.arange(120) // 30
    expected = np.mean([roc_auc_score(fake[fold == k], scores[fold == k]) for k in range(4)])
    shifted = scores + 1000 * fold  # probes of different folds have scales of their own
    tested = rank(shifted, fake, np.arange(120), fold, 200, 0)
    assert tested.area == pytest.approx(expected, abs=1e-12)
    assert tested.drawn.mean() == pytest.approx(expected, abs=0.02)
    # The area under the mean curve is the mean area, but for the grid's steps.
    assert np.trapezoid(tested.curve, GRID) == pytest.approx(expected, abs=0.02)


def test_the_interval_holds_the_truth_as_often_as_it_says_only_when_it_knows_the_groups() -> None:
    def holds(seed: int, by_group: bool) -> bool:
        rng = np.random.default_rng(seed)
        group = np.repeat(np.arange(30), 10)
        scores = rng.normal(size=30)[group] + 0.3 * rng.normal(size=300)  # frames of a clip are alike; no difference
        labels = group if by_group else np.arange(300)
        figures = auc_figures([rank(scores, group % 2 == 0, labels, np.zeros(300, int), 200, seed)])
        return figures["auc_low"] <= 0.5 <= figures["auc_high"]

    known, unknown = (np.mean([holds(seed, kind) for seed in range(100)]) for kind in (True, False))
    assert 0.88 <= known <= 0.99  # 95 % is meant
    assert unknown < 0.6


def test_equal_error_rate_and_quality_of_known_shapes() -> None:
    kinds, fold = np.arange(20) >= 10, np.zeros(20, int)
    apart = auc_figures([rank(kinds.astype(float), kinds, np.arange(20), fold, 100, 0)])
    assert (apart["auc"], apart["auc_low"], apart["quality"], apart["eer"]) == (1, 1, 0, 0)
    assert apart["roc"][0] == 1
    normal = rank(np.r_[RNG.normal(size=4000), RNG.normal(size=4000) + 2], np.arange(8000) >= 4000,
                  np.arange(8000) // 400, np.zeros(8000, int), 100, 0)  # fmt: skip
    figures = auc_figures([normal])
    assert figures["auc"] == pytest.approx(0.9214, abs=0.01)  # Phi(2 / sqrt 2)
    assert figures["eer"] == pytest.approx(0.1587, abs=0.015)  # Phi(-1)
    assert quality(0.5) == 1 and quality(0) == 0 and quality(1) == 0
    half = Ranked(0.4, np.full(100, 0.4), GRID)
    both = auc_figures([half, Ranked(0.6, np.full(100, 0.6), GRID)])
    assert (both["auc"], both["auc_low"], both["auc_high"]) == (0.5, 0.4, 0.6)


def test_groups_are_clips_or_else_stretches() -> None:
    clips = np.repeat(["b.mp4", "a.mp4", "c.mp4"], [10, 4, 6])
    groups = group_by_clip(clips, 3)
    assert (groups.kind, groups.count) == ("clip", 3)
    assert all(len(set(groups.labels[clips == name])) == 1 for name in clips)
    few = group_by_clip(clips, 8)
    assert (few.kind, few.count) == ("stretch of a clip", 9)
    for name in set(clips):
        own = few.labels[clips == name]
        assert set(np.diff(own)) <= {0, 1}  # in the order of time
        assert np.abs(own[:, None] - few.labels[clips != name][None]).min() >= 2
    assert group_by_clip(np.array(["one"] * 3), 10).count == 3
    assert group_by_clip(np.empty(0, str), 2).count == 0


def test_folds_part_no_group_and_hold_both_kinds() -> None:
    groups = np.r_[RNG.integers(0, 12, 300), 100 + np.arange(90)]
    fake = np.arange(390) >= 300
    fold = assign_folds(groups, fake, 5, 0)
    assert all(len(set(fold[groups == label])) == 1 for label in set(groups))
    for number in range(5):
        assert 30 <= (~fake[fold == number]).sum() <= 90 and fake[fold == number].sum() == 18
    pairs = np.tile(np.repeat(np.arange(10), 5), 2)  # frames of a clip and what a swap made of them
    fold = assign_folds(pairs, np.arange(100) < 50, 5, 0)
    np.testing.assert_array_equal(fold[:50], fold[50:])
    assert np.bincount(fold).tolist() == [20] * 5


def test_halves_are_of_whole_groups_and_differ_by_seed() -> None:
    groups = np.repeat(np.arange(20), 3)
    side = halve(groups, 1)
    assert side.sum() == 30 and all(len(set(side[groups == label])) == 1 for label in range(20))
    assert not np.array_equal(side, halve(groups, 2))
