from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from judged import crops

from understudy.errors import UserError
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.metrics.config import DetectabilityConfig
from understudy.metrics.detectability import detectability_scores
from understudy.metrics.probe_cnn import ProbeNetwork, cnn_scores
from understudy.metrics.probes import Labelled, chance_level, tell_apart
from understudy.metrics.spectrum import power_profile
from understudy.progress import meter

QUICK = DetectabilityConfig(folds=2, epochs=1, halvings=1, draws=100)


@pytest.fixture(scope="module")
def faces(hopper: np.ndarray) -> np.ndarray:
    """96 crops of Grace Hopper, no two alike."""
    return crops(hopper, 96, 11)


def test_a_blurred_set_is_told_apart_by_both_probes(faces: np.ndarray) -> None:
    blurred = np.stack([cv2.GaussianBlur(image, (0, 0), 0.8) for image in faces[:48]])
    clips = np.r_[-1 - np.arange(48), np.arange(48) // 6]
    data = Labelled(np.concatenate([blurred, faces[48:]]), np.arange(96) < 48, clips)
    figures = tell_apart(data, DetectabilityConfig(folds=2, epochs=16), 0)
    for probe in ("spectrum", "cnn"):
        assert figures[probe]["auc"] > 0.9 and figures[probe]["auc_low"] > 0.8
        assert figures[probe]["eer"] < 0.2
    assert figures["quality"] < 0.1
    assert (figures["faces"], figures["folds"]) == (48, 2)


def test_filmed_against_filmed_is_chance(faces: np.ndarray) -> None:
    figures = chance_level(faces, np.arange(96) // 6, DetectabilityConfig(folds=3, epochs=2, halvings=2), 0)
    for probe in ("spectrum", "cnn"):
        assert figures[probe]["auc_low"] < 0.5 < figures[probe]["auc_high"]
        assert figures[probe]["auc_high"] - figures[probe]["auc_low"] < 0.7


def test_a_picture_and_its_copy_are_never_parted(faces: np.ndarray) -> None:
    # Frames and what a swap changed nothing about: the same pictures under the same labels carry no mark.
    data = Labelled(np.concatenate([faces[:40], faces[:40]]), np.arange(80) < 40, np.tile(np.arange(40) // 4, 2))
    figures = tell_apart(data, DetectabilityConfig(folds=5, epochs=1), 0)
    assert figures["spectrum"]["auc"] == pytest.approx(0.5) and figures["cnn"]["auc"] == pytest.approx(0.5)
    assert figures["quality"] == pytest.approx(1)


def test_round_waves_have_their_power_at_their_frequency(faces: np.ndarray) -> None:
    away = np.hypot(*np.mgrid[-31.5:32, -31.5:32])
    for cycles in (6, 13, 27):
        waves = (127 + 100 * np.cos(2 * np.pi * cycles * away / 64)).round().astype(np.uint8)
        assert power_profile(np.repeat(waves[None, :, :, None], 3, 3))[0].argmax() + 1 == cycles
    assert np.isfinite(power_profile(np.full((1, 64, 64, 3), 80, np.uint8))).all()
    profiles = power_profile(faces[:8])
    assert profiles.shape == (8, 32)
    assert (profiles[:, 0] > profiles[:, -1] + 2).all()  # a natural picture loses power with frequency
    assert power_profile(faces[:1, :63, :63]).shape == (1, 31)


def test_the_network_is_small_repeats_itself_and_leaves_the_callers_random_numbers_alone(faces: np.ndarray) -> None:
    assert 10_000 < sum(value.numel() for value in ProbeNetwork().parameters()) < 100_000
    fake, fold = np.arange(32) % 2 == 0, np.arange(32) // 16
    state = torch.random.get_rng_state()
    with meter("", 32) as shown:
        first, again = (cnn_scores(faces[:32], fake, fold, 1, 3, shown) for _ in range(2))
        other = cnn_scores(faces[:32], fake, fold, 1, 4, shown)
    assert shown.done == 3 * 32
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(state, torch.random.get_rng_state())


def test_facesets_are_judged_and_the_chance_level_stands_beside(synthetic: Faceset, filmed: Faceset) -> None:
    figures = detectability_scores(synthetic, filmed, np.arange(18), QUICK, 0)
    assert figures["missing"] is None
    assert (figures["faces"], figures["clips"], figures["grouped_by"]) == (12, 2, "clip")
    assert figures["control"]["grouped_by"] == "stretch of a clip" and figures["control"]["faces"] == 6
    assert len(figures["profile"]["filmed"]) == 32
    for part in (figures, figures["control"]):
        for probe in ("spectrum", "cnn"):
            assert 0 <= part[probe]["auc_low"] <= part[probe]["auc_high"] <= 1
    assert detectability_scores(synthetic, filmed, np.arange(18), QUICK, 0) == figures


def test_one_clip_alone_is_cut_into_stretches(
    synthetic: Faceset, hopper_crops: np.ndarray, store: Callable[..., Faceset]
) -> None:
    alone = store(describe_crops(hopper_crops[:12], 0, clip="one.mp4"))
    figures = detectability_scores(synthetic, alone, np.arange(12), QUICK, 0)
    assert (figures["grouped_by"], figures["clips"], figures["folds"]) == ("stretch of a clip", 1, 2)


def test_one_image_repeated_is_always_told(
    hopper_crops: np.ndarray, filmed: Faceset, store: Callable[..., Faceset]
) -> None:
    same = store(describe_crops(np.repeat(hopper_crops[18:19], 10, axis=0), 0, range(10)))
    figures = detectability_scores(same, filmed, np.arange(18), QUICK, 0)
    assert figures["missing"] is None and figures["spectrum"]["quality"] < 0.5


def test_sets_that_cannot_be_judged_are_told_in_a_sentence(
    synthetic: Faceset, filmed: Faceset, hopper_crops: np.ndarray, store: Callable[..., Faceset], tmp_path
) -> None:
    rows = np.arange(18)
    two = store(describe_crops(hopper_crops[:2], 0, range(2)))
    assert "2 and 18 were found" in detectability_scores(two, filmed, rows, QUICK, 0)["missing"]
    assert "12 and 0 were found" in detectability_scores(synthetic, filmed, rows[:0], QUICK, 0)["missing"]
    off = DetectabilityConfig(enabled=False)
    assert "evaluation.detectability.enabled" in detectability_scores(synthetic, filmed, rows, off, 0)["missing"]
    small = np.stack([cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA) for image in hopper_crops[:12]])
    smaller = store(describe_crops(small, 0, range(12)))
    with pytest.raises(UserError, match="have 32 pixels and the filmed ones 64: make both at one `size`"):
        detectability_scores(smaller, filmed, rows, QUICK, 0)
    mixed = store(describe_crops(hopper_crops[:6], 0, range(6)), describe_crops(small[:6], 6, range(6)))
    with pytest.raises(UserError, match="holds crops of 32 and 64 pixels"):
        detectability_scores(mixed, filmed, rows, QUICK, 0)
    numbers = hopper_crops.astype(np.float32)
    numbers[0, 0, 0] = np.nan
    with pytest.raises(UserError, match="float32: give uint8"):
        chance_level(numbers, np.arange(24), QUICK, 0)
    with pytest.raises(UserError, match="two groups of either kind"):
        tell_apart(Labelled(hopper_crops, np.arange(24) < 12, np.zeros(24, int)), QUICK, 0)
