import json

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from understudy.faces.describe import describe_crops
from understudy.faces.expression import EXPRESSION, SCALES, choose, coverage, expression_features, mean_distance


@pytest.fixture(scope="module")
def talk():
    """Many still faces around one place, and a trail of moving ones."""
    rng = np.random.default_rng(0)
    still = rng.normal(0, 0.05, (400, 5)) + np.array([1, 2, 3, 0, 0])
    moving = rng.normal(0, 1, (600, 5)) * (2, 1, 1, 2, 1)
    return np.concatenate([moving, still])


def test_features_are_the_columns_over_fixed_scales_and_nan_without_a_face(filmed, store, hopper_crops):
    features = expression_features(filmed, centre_by_clip=False)
    for number, (name, scale) in enumerate(zip(EXPRESSION, SCALES, strict=True)):
        assert np.allclose(features[:, number] * scale, filmed.column(name))
    centred = expression_features(filmed)
    assert np.allclose(centred[:, :3], features[:, :3])
    for clip in ("one.mp4", "two.mp4"):
        assert np.allclose(np.median(centred[filmed.column("clip") == clip, 3:], axis=0), 0)
    noise = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 3), dtype=np.uint8)
    mixed = store(describe_crops(np.concatenate([hopper_crops[:2], noise])))
    assert np.isnan(expression_features(mixed)).all(1).tolist() == [False, False, True]


def test_varied_rows_differ_more_than_any_others_and_homogeneous_ones_less(talk):
    varied, same = choose(talk, 50, "varied", 0), choose(talk, 50, "homogeneous", 0)
    assert len(set(varied)) == len(set(same)) == 50
    drawn = np.random.default_rng(1).choice(len(talk), 50, replace=False)
    assert mean_distance(talk[varied]) > 1.3 * mean_distance(talk[drawn])
    assert mean_distance(talk[same]) < 0.1 * mean_distance(talk[drawn])
    assert (same >= 600).all()  # the still ones
    # farthest points keep apart at least as far as any row left out is from them
    left = np.delete(talk, varied, axis=0)
    apart = np.linalg.norm(left[:, None] - talk[varied][None], axis=2).min(1).max()
    assert pdist(talk[varied]).min() >= apart - 1e-9


def test_choices_repeat_and_a_shorter_one_begins_a_longer_one(talk):
    assert (choose(talk, 30, "varied", 3) == choose(talk, 50, "varied", 3)[:30]).all()
    assert (choose(talk, 30, "homogeneous", 3) == choose(talk, 30, "homogeneous", 3)).all()
    assert choose(talk, 30, "varied", 3)[0] != choose(talk, 30, "varied", 4)[0]


def test_twins_are_not_chosen_while_there_are_others_and_no_row_twice():
    points = np.zeros((60, 5))
    points[:20, 0] = np.linspace(0, 1, 20)  # then forty times the same
    same = choose(points, 20, "homogeneous", 0)
    assert len(np.unique(points[same], axis=0)) == 20
    assert sorted(choose(points, 60, "varied", 0)) == sorted(choose(points, 60, "homogeneous", 0)) == list(range(60))


def test_rows_without_a_face_are_never_chosen_and_too_many_are_refused(talk):
    some = talk.copy()
    some[::2] = np.nan
    for variety in ("varied", "homogeneous"):
        assert (choose(some, 500, variety, 0) % 2 == 1).all()
        with pytest.raises(ValueError, match="501 faces cannot be chosen from 500"):
            choose(some, 501, variety, 0)
    with pytest.raises(ValueError, match="variety"):
        choose(talk, 3, "all", 0)


def test_mean_distance_is_over_all_pairs():
    line = np.array([[0.0], [1.0], [3.0], [np.nan]])
    assert mean_distance(line) == pytest.approx((1 + 3 + 2) / 3)
    assert np.isnan(mean_distance(line[:1]))


def test_coverage_tells_a_narrow_set_from_a_whole_one(talk):
    whole = coverage(talk, talk[::2])
    assert whole["covered"] > 0.75 and whole["measures"]["mouth_open"]["overlap"] > 0.85
    narrow = coverage(talk[:600], talk[600:])
    assert narrow["covered"] < 0.1
    assert narrow["measures"]["mouth_open"]["spread_ratio"] < 0.1 > narrow["measures"]["yaw"]["range"]
    one = coverage(talk, np.repeat(talk[:1], 9, axis=0))
    assert one["other_distance"] == 0 and one["measures"]["pitch"]["spread_ratio"] == 0
    for figures in (whole, one, coverage(talk, talk[:0]), coverage(talk[:1], talk)):
        json.dumps(figures, allow_nan=False)
    assert coverage(talk, talk[:0])["covered"] is None
