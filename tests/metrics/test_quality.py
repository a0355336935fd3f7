import json

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from understudy.faces.faceset import Faceset
from understudy.metrics.config import EvaluationConfig, InceptionConfig
from understudy.metrics.frechet import frechet_distance, kernel_distance
from understudy.metrics.inception import InceptionV3
from understudy.metrics.quality import Features, extract, fid, inception_figures, inception_score, kid
from understudy.metrics.scores import inception_scores

GENERATOR = torch.Generator().manual_seed(0)
REAL = torch.rand(120, 32, generator=GENERATOR)
FAKE = torch.rand(80, 32, generator=GENERATOR) * 1.2
LOGITS = 3 * torch.randn(90, 50, generator=GENERATOR)


def test_fid_against_the_matrix_root() -> None:
    a, b = REAL.double().numpy(), FAKE.double().numpy()
    mean, one, two = a.mean(0) - b.mean(0), np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = mean @ mean + np.trace(one + two - 2 * sqrtm(one @ two).real)
    assert fid(REAL, FAKE) == pytest.approx(expected, rel=1e-6)


def test_fid_of_fewer_images_than_features_against_our_own_route() -> None:
    few, others = REAL[:20].repeat(1, 2), FAKE[:25].repeat(1, 2) + torch.rand(25, 64, generator=GENERATOR)
    assert fid(few, others) == pytest.approx(frechet_distance(few.numpy(), others.numpy()), rel=1e-6)


def test_fid_against_our_own_route() -> None:
    assert fid(REAL, FAKE) == pytest.approx(frechet_distance(REAL.numpy(), FAKE.numpy()), rel=1e-6)


def test_kid_of_whole_sets_against_the_formula() -> None:
    figures = kid(REAL[:80], FAKE, InceptionConfig(kid_subsets=2), 0)
    assert figures["kid"] == pytest.approx(kernel_distance(REAL[:80].numpy(), FAKE.numpy()), rel=1e-6)
    assert figures["kid_subset_size"] == 80
    assert figures["kid_std"] == pytest.approx(0, abs=1e-9)


def test_kid_of_subsets_against_loops() -> None:
    figures = kid(REAL, FAKE, InceptionConfig(kid_subsets=3, kid_subset_size=12), 7)
    a, b, found = REAL.double().numpy(), FAKE.double().numpy(), []
    k = lambda x, y: (x @ y / 32 + 1) ** 3  # noqa: E731
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        for _ in range(3):
            x, y = a[torch.randperm(120)[:12].numpy()], b[torch.randperm(80)[:12].numpy()]
            own = sum(k(s[i], s[j]) for s in (x, y) for i in range(12) for j in range(12) if i != j) / (12 * 11)
            found.append(own - 2 * sum(k(p, q) for p in x for q in y) / 144)
    assert figures["kid"] == pytest.approx(np.mean(found), rel=1e-6)
    assert figures["kid_std"] == pytest.approx(np.std(found), rel=1e-6)
    assert figures["kid_std_ddof1"] == pytest.approx(np.std(found, ddof=1), rel=1e-6)


def test_inception_score_of_splits_against_loops() -> None:
    figures = inception_score(LOGITS, 5, 3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        logits = LOGITS.double().numpy()[torch.randperm(90).numpy()]
    found = []
    for part in np.split(logits, 5):
        p = np.exp(part) / np.exp(part).sum(1, keepdims=True)
        found.append(np.exp(np.mean([sum(row * np.log(row / p.mean(0))) for row in p])))
    assert figures["score"] == pytest.approx(np.mean(found), rel=1e-6)
    assert figures["score_std"] == pytest.approx(np.std(found, ddof=1), rel=1e-6)
    assert figures["score_std_ddof0"] == pytest.approx(np.std(found), rel=1e-6)


def test_inception_score_of_one_split_against_the_formula() -> None:
    p = LOGITS.double().softmax(1).numpy()
    expected = np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean())
    figures = inception_score(LOGITS, 1, 0)
    assert figures["score"] == pytest.approx(expected, rel=1e-6)
    assert figures["score_std"] is None


def test_both_conventions_of_the_deviation() -> None:
    figures = inception_score(LOGITS, 10, 0)
    assert figures["score_std_ddof0"] == pytest.approx(figures["score_std"] * np.sqrt(0.9))
    assert figures["score_variance"] == pytest.approx(figures["score_std"] ** 2)
    assert figures == inception_score(LOGITS, 10, 0)


def test_the_seed_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    inception_score(LOGITS, 10, 5)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_images_give_none_or_finite(count: int) -> None:
    few = Features(FAKE[:count], LOGITS[:count])
    figures = inception_figures(few, Features(REAL, LOGITS), np.array(["a"] * 120), InceptionConfig(), 2, 0)
    assert (figures["fid"] is None) == (count < 2)
    assert figures["precision_recall"]["precision"] is None and figures["fid_infinity"] is None
    json.dumps(figures, allow_nan=False)


def test_what_a_figure_depends_on_stands_beside_it() -> None:
    sets = [Features(rows, LOGITS) for rows in (FAKE, REAL)]
    figures = inception_figures(*sets, np.repeat(["a", "b"], 60), InceptionConfig(antialias=False), 2, 0, "6726")
    assert (figures["synthetic"], figures["real"], figures["weights_sha256"]) == (80, 120, "6726")
    assert figures["resize"] == "bilinear, not antialiased, to 299 px" and "filmed" in figures["reference"]
    assert "n - 1" in figures["std_convention"]
    assert figures["fid_equal_n"] == figures["precision_recall"]["n"] == 60
    assert figures["fid_equal_floor"] < figures["fid"] and figures["fid_infinity"] < figures["fid"]


def test_extraction_keeps_the_order_whatever_the_batches(hopper_crops: np.ndarray) -> None:
    torch.manual_seed(0)
    network = InceptionV3()
    whole = extract(network, [hopper_crops[:3]], 3, 8, "test")
    parts = extract(network, [hopper_crops[:1], hopper_crops[1:3]], 3, 1, "test")
    torch.testing.assert_close(whole.pool, parts.pool)
    assert whole.pool.shape == (3, 2048) and whole.logits.shape == (3, 1008)


def test_without_the_file_the_measure_says_so(
    synthetic: Faceset, filmed: Faceset, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    config = EvaluationConfig(inception=InceptionConfig(download=False))
    figures = inception_scores(synthetic, filmed, config, 0)
    assert str(tmp_path) in figures["missing"]
    assert figures["fid"] is None and figures["score"] is None and figures["kid"] is None
    assert (
        "evaluation.inception.enabled"
        in inception_scores(synthetic, filmed, EvaluationConfig(inception=InceptionConfig(enabled=False)), 0)["missing"]
    )
