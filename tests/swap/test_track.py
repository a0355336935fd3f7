"""The face's way through a clip."""

import numpy as np
import pytest

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.swap.track import breaks, bridge, follow, gaussian


def test_short_gap_is_bridged_and_the_end_is_not(target_set: Faceset) -> None:
    track = follow(target_set, "astronaut.mp4", 64, max_gap=5, smooth=0)
    assert track.rows.tolist() == list(range(22))
    assert track.bridged == 2
    assert track.at(10) == 10 and track.at(22) is None and track.at(99) is None
    true = target_set.column("matrix").reshape(-1, 2, 3)[10]
    assert np.abs(track.matrices[10] @ (220, 110, 1) - true @ (220, 110, 1)).max() < 0.5


def test_long_gap_stays_open(target_set: Faceset) -> None:
    track = follow(target_set, "astronaut.mp4", 64, max_gap=1, smooth=0)
    assert 10 not in track.rows and 11 not in track.rows
    assert track.bridged == 0 and track.at(12) == 10


def test_without_smoothing_found_frames_keep_their_place(target_set: Faceset) -> None:
    track = follow(target_set, "astronaut.mp4", 64, max_gap=5, smooth=0)
    assert np.allclose(track.matrices[5], target_set.column("matrix").reshape(-1, 2, 3)[5])
    assert np.allclose(track.landmarks[5], target_set.landmarks()[5], atol=1e-3)


def test_smoothing_calms_noise_but_not_across_a_jump() -> None:
    noise = np.random.default_rng(0).normal(size=(60, 2))
    assert gaussian(noise, 1.5)[5:-5].std() < 0.6 * noise.std()
    assert np.allclose(gaussian(np.ones((9, 1)), 2), 1), "ends are not pulled down"
    centres = np.array([[0, 0], [1, 0], [2, 0], [80, 0], [81, 0]], float)
    assert breaks(np.arange(5), centres, np.full(5, 100.0), 5).tolist() == [3]


def test_bridge_is_linear() -> None:
    every, filled = bridge(np.array([0, 1, 4]), np.array([[0.0], [1.0], [7.0]]), np.array([], int))
    assert every[0].tolist() == [0, 1, 2, 3, 4]
    assert np.allclose(filled[0].ravel(), [0, 1, 3, 5, 7])


def test_clip_without_face(target_set: Faceset) -> None:
    with pytest.raises(UserError, match=r"found in other\.mp4"):
        follow(target_set, "other.mp4", 64, 5, 1)
