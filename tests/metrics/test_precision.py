import numpy as np
import pytest

from understudy.metrics.precision import DRAWS, precision_figures, precision_recall

RNG = np.random.default_rng(0)


def by_loops(reference: np.ndarray, judged: np.ndarray, k: int) -> float:
    """Share of `judged` inside some ball around `reference` that reaches to its k-th neighbour."""
    inside = 0
    for sample in judged:
        for number, centre in enumerate(reference):
            others = sorted(np.linalg.norm(centre - other) for other in np.delete(reference, number, 0))
            if np.linalg.norm(sample - centre) <= others[k - 1]:
                inside += 1
                break
    return inside / len(judged)


@pytest.mark.parametrize("k", [1, 3])
def test_against_loops(k: int) -> None:
    real, synthetic = RNG.normal(size=(40, 5)).astype(np.float32), RNG.normal(0.6, 0.8, size=(33, 5))
    precision, recall = precision_recall(real, synthetic, k)
    assert precision == pytest.approx(by_loops(real.astype(np.float64), synthetic, k), rel=1e-6)
    assert recall == pytest.approx(by_loops(synthetic, real.astype(np.float64), k), rel=1e-6)
    assert 0 < precision < 1 and 0 < recall < 1


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, synthetic = RNG.normal(size=(50, 8)), RNG.normal(0.5, 1, size=(60, 8))
    whole = precision_recall(real, synthetic)
    monkeypatch.setattr("understudy.metrics.precision._BLOCK", 7)
    assert precision_recall(real, synthetic) == whole


def test_the_same_set_apart_and_one_image_repeated() -> None:
    real = RNG.normal(size=(30, 6)) + 1000
    assert precision_recall(real, real) == (1.0, 1.0)
    assert precision_recall(real, real + 50) == (0.0, 0.0)
    one = np.repeat(real[:1], 10, 0)
    assert precision_recall(real, one) == (1.0, 1 / 30)  # looks real; of all that is real, one face occurs
    assert precision_recall(one, one) == (1.0, 1.0)
    with pytest.raises(ValueError, match="more than 3"):
        precision_recall(real, real[:3])


def test_few_modes_cost_recall_and_filmed_faces_show_what_is_within_reach() -> None:
    clips = np.repeat(["a", "b", "c", "d"], 60)
    shift = np.repeat(RNG.normal(0, 3, size=(4, 4)), 60, axis=0)
    real = RNG.normal(size=(240, 4)) + shift
    narrow = RNG.normal(size=(100, 4)) * 0.8 + shift[0]  # one clip's look only
    figures = precision_figures(narrow, real, clips, 0)
    assert figures["n"] == 100 and figures["neighbours"] == 3
    assert figures["precision"] > 0.85 and figures["recall"] < 0.4
    assert min(figures["real_precision"], figures["real_recall"]) > 0.7
    assert figures["real_by_clip_recall"] < figures["real_recall"]
    assert figures["precision_std"] > 0 and DRAWS > 1
    assert figures == precision_figures(narrow, real, clips, 0)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_tiny_sets(count: int) -> None:
    real = RNG.normal(size=(40, 4))
    figures = precision_figures(real[:count], real, np.array(["a"] * 40), 0)
    assert (figures["precision"] is None) == (count < 4)
    assert figures["real_by_clip_recall"] is None
    assert precision_figures(real, real[:count], np.array(["a"] * count), 0)["recall"] is None
