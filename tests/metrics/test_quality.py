import numpy as np
import pytest
import torch

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


def test_fid_against_our_own_route() -> None:
    assert fid(REAL, FAKE) == pytest.approx(frechet_distance(REAL.numpy(), FAKE.numpy()), rel=1e-6)


def test_kid_of_whole_sets_against_the_formula() -> None:
    figures = kid(REAL[:80], FAKE, InceptionConfig(kid_subsets=2), 0)
    assert figures["kid"] == pytest.approx(kernel_distance(REAL[:80].numpy(), FAKE.numpy()), rel=1e-6)
    assert figures["kid_subset_size"] == 80
    assert figures["kid_std"] == pytest.approx(0, abs=1e-9)


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
    assert all(value is None or isinstance(value, str) or np.isfinite(value) for value in figures.values())


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
