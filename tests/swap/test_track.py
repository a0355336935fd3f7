"""The face's way through a clip."""

from pathlib import Path

import numpy as np
import pytest

from understudy.errors import UserError
from understudy.faces.align import invert
from understudy.faces.describe import FaceRow, Scores, to_table
from understudy.faces.detect import Detection
from understudy.faces.faceset import Faceset, encode_image, finish, write_shard
from understudy.swap.track import TREMOR, breaks, bridge, cuts, follow, gaussian, steady


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


@pytest.mark.parametrize(("beats", "reach"), [(0.5, 20.0), (2.0, 40.0), (4.0, 5.0)])
def test_a_moving_face_is_followed_without_lag(beats: float, reach: float) -> None:
    """A head that nods, `beats` times a second by `reach` pixels, in a crop of 170 pixels at 25 frames a second."""
    path = reach * np.sin(2 * np.pi * beats * np.arange(100) / 25)[:, None] * (1.0, 0.5)
    out = steady(path, TREMOR * 170, 2.0)
    assert np.abs(out - path).max() < 0.15 * reach
    assert np.abs(gaussian(path, 2.0) - path)[10:-10].max() > 1.5 * np.abs(out - path)[10:-10].max()
    lags = [np.abs(np.roll(out, -lag, 0) - path)[10:-10].mean() for lag in (-1, 0, 1)]
    assert lags[1] == min(lags)


def test_a_dash_and_a_stop_do_not_ring() -> None:
    path = np.interp(np.arange(60), [0, 30, 34, 60], [0, 0, 120, 120])[:, None] * (1.0, 0.0)
    out = steady(path, TREMOR * 170, 2.0)
    assert out.min() > -12 and out.max() < 132
    assert np.abs(out - path)[[*range(24), *range(42, 60)]].max() < 0.5


def test_a_still_face_trembles_less_than_half() -> None:
    noise = np.random.default_rng(0).normal(0, 0.4, (200, 2))
    assert steady(noise, TREMOR * 170, 1.5).std() < 0.5 * noise.std()
    assert np.array_equal(steady(noise, 1.0, 0), noise)


def shaking_set(folder: Path, pictures: list[np.ndarray], shake: float) -> Faceset:
    """A face in the middle whose crop trembles by a normal error of `shake` crop pixels, and its landmarks alike."""
    folder.mkdir()
    generator = np.random.default_rng(1)
    circle = 32 + 12 * np.stack([np.cos(np.arange(68)), np.sin(np.arange(68))], 1)
    rows = []
    for number, picture in enumerate(pictures):
        matrix = np.array([[0.4, 0, -20.0], [0, 0.4, -10.0]])
        matrix[:, 2] += generator.normal(0, shake, 2)
        rows.append(
            FaceRow(
                image=encode_image(picture),
                clip="a.mp4",
                frame=number,
                time=number / 25,
                found=Detection((40, 40, 120, 120), 1.0),
                matrix=matrix,
                landmarks=(circle + generator.normal(0, shake, (68, 2))).astype(np.float32),
                scores=Scores(),
            )
        )
    write_shard(folder, 0, "a-0", to_table(rows, {}))
    finish(folder, ["a-0"])
    return Faceset(folder)


def test_mask_and_crop_are_steadier_than_the_landmarks(tmp_path: Path, astronaut: np.ndarray) -> None:
    faces = shaking_set(tmp_path / "faces", [astronaut[100:164, 200:264]] * 60, 0.2)
    raw, calm = (follow(faces, "a.mp4", 64, 5, smooth) for smooth in (0, 1.5))

    def tremor(track) -> tuple[float, float]:
        places = np.stack([invert(matrix) for matrix in track.matrices])
        points = np.einsum("fij,fpj->fpi", places[:, :, :2], track.landmarks) + places[:, None, :, 2]
        centre = places @ (31.5, 31.5, 1)
        return float(np.diff(centre, axis=0).std()), float(np.diff(points, axis=0).std())

    for before, after in zip(tremor(raw), tremor(calm), strict=True):
        assert after < 0.4 * before


def test_a_cut_to_a_face_at_the_same_place_begins_a_run(tmp_path: Path, astronaut: np.ndarray) -> None:
    here, there = astronaut[100:164, 200:264], astronaut[300:364, 200:264]
    faces = shaking_set(tmp_path / "faces", [here] * 6 + [there] * 6, 0.05)
    assert cuts(faces, np.arange(12)).tolist() == [6]
    track = follow(faces, "a.mp4", 64, 5, 1.5)
    assert track.shots.tolist() == [0] * 6 + [1] * 6
    assert track.counts(20) == {"frames": 20, "swapped": 12, "bridged": 0, "left_as_they_are": 8, "runs": 2}
