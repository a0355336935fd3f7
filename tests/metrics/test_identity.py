import json
import time
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.metrics.config import EvaluationConfig
from understudy.metrics.identity import compare, identity_figures, interval, pair_figures
from understudy.metrics.scores import distance_scores, frechet_scores, identity_scores

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


def test_the_threshold_curve_and_who_does_not_match(synthetic: Faceset, filmed: Faceset) -> None:
    figures = identity_scores(synthetic, filmed, CONFIG, selected=filmed)
    curve = figures["curve"]
    assert len(curve["tolerance"]) >= 26 and (curve["tolerance"][0], curve["tolerance"][-1]) == (0.3, 0.8)
    at = curve["tolerance"].index(0.6)
    assert curve["synthetic"][at] == figures["matched_share"] and curve["originals"][at] == 1.0
    assert all(np.diff(curve[name]).min() >= 0 for name in ("synthetic", "originals"))
    assert sorted(figures["rows"]["unmatched"]) == [6, 7, 8, 9] and figures["rows"]["faceless"] == [10, 11]
    far = compare(synthetic.column("embedding"), filmed.column("embedding")).to_medoid[figures["rows"]["unmatched"]]
    assert (np.diff(far) <= 0).all()
    assert figures["selected"]["matched_share"] == 1.0 and figures["selected"]["synthetic"] == 18
    assert identity_scores(synthetic, filmed, CONFIG)["selected"] is None


def test_all_pairs_of_a_thousand_faces_take_less_than_a_second() -> None:
    faces = np.random.default_rng(0).normal(size=(1000, 128))
    start = time.process_time()
    figures = pair_figures(faces)
    assert figures["pairs"] == 499_500 and time.process_time() - start < 1
    a, b = faces[3], faces[700]
    assert 200 < figures["squared_mean"] < 300 and ((a - b) ** 2).sum() > 0


def test_unknown_embeddings_and_no_faces_at_all(filmed: Faceset, store: Callable[..., Faceset]) -> None:
    empty = store()
    figures = identity_scores(empty, filmed, CONFIG)
    assert figures["synthetic"] == 0 and figures["curve"]["synthetic"] is None and "is empty" in figures["missing"]
    for sets in ((empty, filmed), (filmed, empty), (empty, empty)):
        assert distance_scores(*sets)["missing"] and frechet_scores(*sets, CONFIG, 0)["missing"]
        json.dumps([identity_scores(*sets, CONFIG), frechet_scores(*sets, CONFIG, 0)], allow_nan=False)
    assert pair_figures(np.full((5, 128), np.nan))["squared_mean"] is None


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
    json.dumps(frechet_scores(same, same, CONFIG, 0), allow_nan=False)


def test_interval_against_a_published_value() -> None:
    low, high = interval(81, 263)  # Newcombe 1998, table I: Wilson's interval of 81/263
    assert low == pytest.approx(0.2553, abs=5e-5) and high == pytest.approx(0.3662, abs=5e-5)
    assert interval(0, 10)[0] == 0.0 and interval(10, 10)[1] == pytest.approx(1.0)
