from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.metrics.config import EvaluationConfig
from understudy.metrics.identity import compare, identity_figures, interval, pair_figures
from understudy.metrics.scores import distance_scores, identity_scores

CONFIG = EvaluationConfig(repeats=3)


def test_the_same_person_matches_another_does_not_noise_is_no_face(synthetic: Faceset, filmed: Faceset) -> None:
    figures = identity_scores(synthetic, filmed, CONFIG)
    assert (figures["matched"], figures["unmatched"], figures["faceless"]) == (6, 4, 2)
    assert figures["matched_share"] == 0.5
    assert figures["matched_by_nearest"] == 6
    assert figures["originals_matched_share"] == 1.0
    assert figures["missing"] is None


def test_the_medoid_rule_is_never_milder_than_the_nearest(synthetic: Faceset, filmed: Faceset) -> None:
    compared = compare(synthetic.column("embedding"), filmed.column("embedding"))
    found = compared.found
    assert (compared.to_nearest[found] <= compared.to_medoid[found] + 1e-6).all()
    by_hand = np.linalg.norm(
        synthetic.column("embedding")[found] - filmed.column("embedding")[compared.nearest[found]], axis=1
    )
    np.testing.assert_allclose(compared.to_nearest[found], by_hand, atol=1e-5)
    assert (compared.nearest[~found] == -1).all()


def test_a_tighter_tolerance_matches_fewer(synthetic: Faceset, filmed: Faceset) -> None:
    compared = compare(synthetic.column("embedding"), filmed.column("embedding"))
    middle = float(np.median(compared.to_medoid[:6]))
    assert identity_figures(compared, middle)["matched"] in (3, 4)
    assert identity_figures(compared, 2.0)["unmatched"] == 0


def test_pairs_against_brute_force(synthetic: Faceset) -> None:
    faces = [row.astype(np.float64) for row in synthetic.column("embedding") if np.isfinite(row).all()]
    plain = np.array([np.linalg.norm(a - b) for a, b in combinations(faces, 2)])
    figures = pair_figures(synthetic.column("embedding"))
    assert figures["faces"] == 10 and figures["pairs"] == 45
    assert figures["l2_mean"] == pytest.approx(plain.mean(), rel=1e-12)
    assert figures["l2_variance"] == pytest.approx(plain.var(), rel=1e-9)
    assert figures["squared_mean"] == pytest.approx((plain**2).mean(), rel=1e-12)
    assert figures["squared_variance"] == pytest.approx((plain**2).var(), rel=1e-9)


def test_no_face_at_all_is_counted_and_explained(nobody: Faceset, filmed: Faceset) -> None:
    figures = identity_scores(nobody, filmed, CONFIG)
    assert (figures["matched"], figures["faceless"], figures["faceless_share"]) == (0, 3, 1.0)
    assert figures["to_medoid_median"] is None
    assert "No face was found in any synthetic picture" in figures["missing"]
    assert distance_scores(nobody, filmed)["synthetic"]["l2_mean"] is None


def test_no_face_among_the_originals(synthetic: Faceset, nobody: Faceset) -> None:
    figures = identity_scores(synthetic, nobody, CONFIG)
    assert figures["matched"] is None and figures["matched_share"] is None
    assert "filmed crop" in figures["missing"]


def test_one_image_repeated_has_no_spread(hopper_crops: np.ndarray, store: Callable[..., Faceset]) -> None:
    same = store(describe_crops(np.repeat(hopper_crops[:1], 3, axis=0)))
    figures = pair_figures(same.column("embedding"))
    assert figures["l2_mean"] == pytest.approx(0, abs=1e-6) and figures["pairs"] == 3


def test_interval_against_a_published_value() -> None:
    low, high = interval(81, 263)  # Newcombe 1998, table I: Wilson's interval of 81/263
    assert low == pytest.approx(0.2553, abs=5e-5) and high == pytest.approx(0.3662, abs=5e-5)
    assert interval(0, 10)[0] == 0.0 and interval(10, 10)[1] == pytest.approx(1.0)
