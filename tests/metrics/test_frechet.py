import numpy as np
import pytest
from scipy.linalg import sqrtm

from understudy.metrics.frechet import compare_sets, extrapolate, frechet_distance, kernel_distance


def by_root(a: np.ndarray, b: np.ndarray) -> float:
    """The textbook formula with scipy's matrix root."""
    mean = a.mean(0) - b.mean(0)
    one, two = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    return float(mean @ mean + np.trace(one + two - 2 * sqrtm(one @ two).real))


@pytest.mark.parametrize(("n", "m", "d"), [(300, 200, 24), (60, 90, 24), (200, 400, 64)])
def test_frechet_against_the_matrix_root(n: int, m: int, d: int) -> None:
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(d, d)) / np.sqrt(d)
    a, b = rng.normal(size=(n, d)) @ mix, rng.normal(0.3, 1.2, size=(m, d))
    assert frechet_distance(a, b) == pytest.approx(by_root(a, b), rel=1e-6)


def test_fewer_samples_than_dimensions_agree_with_the_larger_problem() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(20, 50)), rng.normal(0.2, 1, size=(30, 50))
    small = frechet_distance(a, b)  # by the 20 x 30 matrix
    one, two = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(one @ two).real, 0)).sum()
    mean = a.mean(0) - b.mean(0)
    assert small == pytest.approx(mean @ mean + np.trace(one + two) - 2 * roots, rel=1e-6)


def test_a_set_is_at_no_distance_from_itself() -> None:
    rows = np.random.default_rng(2).normal(size=(40, 8))
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(rows, rows + 1) == pytest.approx(8, rel=1e-9)
    assert frechet_distance(rows[:1].repeat(5, 0), rows[:1].repeat(5, 0)) == 0


def test_kernel_distance_against_loops() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    k = lambda x, y: (x @ y / 3 + 1) ** 3  # noqa: E731
    own = sum(k(a[i], a[j]) for i in range(5) for j in range(5) if i != j) / 20
    other = sum(k(b[i], b[j]) for i in range(4) for j in range(4) if i != j) / 12
    cross = sum(k(x, y) for x in a for y in b) / 20
    assert kernel_distance(a, b) == pytest.approx(own + other - 2 * cross, rel=1e-9)


def test_the_floor_lies_below_a_real_difference_and_clips_raise_it() -> None:
    rng = np.random.default_rng(4)
    clips = np.repeat(["a", "b", "c", "d"], 50)
    shift = np.repeat(rng.normal(size=(4, 6)), 50, axis=0)  # every clip has a look of its own
    real = rng.normal(size=(200, 6)) + shift
    figures = compare_sets(real[::2] + 3, real, clips, frechet_distance, 6, 0)
    assert figures["n"] == 100
    assert figures["floor"] < figures["floor_by_clip"] < figures["distance"]
    assert figures == compare_sets(real[::2] + 3, real, clips, frechet_distance, 6, 0)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_sets_give_none_or_a_figure(count: int) -> None:
    real = np.random.default_rng(5).normal(size=(9, 4))
    figures = compare_sets(real[:count], real, np.array(["a"] * 9), frechet_distance, 3, 0)
    assert (figures["distance"] is None) == (count < 2)
    assert figures["floor"] is not None and figures["floor_by_clip"] is None
    with pytest.raises(ValueError, match="two samples"):
        frechet_distance(real[:1], real)


def test_at_endless_samples_the_bias_is_gone() -> None:
    rng = np.random.default_rng(6)
    spread = np.linspace(0.5, 2, 12)
    a, b = rng.normal(size=(400, 12)) * spread, rng.normal(size=(300, 12)) * spread
    same = extrapolate(a, b, 0)
    assert frechet_distance(a, b) > 0.3  # of one and the same distribution
    assert abs(same["infinity"]) < 0.12
    moved = extrapolate(a, b + 1, 0)
    assert moved["infinity"] == pytest.approx(12, abs=1.5) and moved["infinity_error"] > 0
    assert moved == extrapolate(a, b + 1, 0)
    assert extrapolate(a[:7], b, 0) == {"infinity": None, "infinity_error": None}
