"""Whose face a swap shows and how well it follows, measured on videos whose faces and movements are known."""

import json
import warnings
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from understudy.errors import UserError
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset, finish, write_shard
from understudy.metrics.openface import OpenFace
from understudy.metrics.swap_config import SwapQualityConfig
from understudy.metrics.swap_frames import COLUMNS, ask, measure_frames
from understudy.metrics.swap_people import People, distractors, gather
from understudy.metrics.swap_quality import swap_figures
from understudy.video.encode import write_video

CONFIG = SwapQualityConfig(frames=4, consecutive=10)


def clip(path: Path, pictures: list[np.ndarray], crf: int = 10) -> Path:
    write_video(path, pictures, Fraction(25), (pictures[0].shape[1], pictures[0].shape[0]), crf=crf)
    return path


def square(image: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    return cv2.resize(image[top : top + side, left : left + side], (256, 256), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def portraits(astronaut: np.ndarray, hopper: np.ndarray) -> list[np.ndarray]:
    """Source and target, 256 pixels."""
    return [square(hopper, 60, 0, 400), square(astronaut, 100, 0, 256)]


@pytest.fixture(scope="module")
def people(portraits, tmp_path_factory) -> People:
    sets = []
    for number, picture in enumerate(portraits):
        folder = tmp_path_factory.mktemp(f"set{number}")
        write_shard(folder, 0, "0123456789ab", describe_crops(np.stack([picture, np.roll(picture, 3, 1)])))
        finish(folder, ["0123456789ab"])
        sets.append(Faceset(folder))
    return gather(*sets, None)


def opened(picture: np.ndarray, amount: float, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """The astronaut's portrait with the lower face drawn down by up to `amount` pixels, then shifted."""
    rows, columns = np.mgrid[:256, :256].astype(np.float32)
    down = amount * np.clip((rows - 118) / 12, 0, 1) * np.exp(-(((columns - 125) / 60) ** 2))
    drawn = cv2.remap(picture, columns - shift[0], rows - down.astype(np.float32) - shift[1], cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(drawn[4:-4, 4:-4], 4, 4, 4, 4, cv2.BORDER_REPLICATE)


MOVES = [3 + 3 * np.sin(number * 0.9) for number in range(10)]


@pytest.fixture(scope="module")
def speaking(portraits, tmp_path_factory) -> Path:
    """The target opens and shuts the lower face for ten frames."""
    frames = [opened(portraits[1], amount) for amount in MOVES]
    return clip(tmp_path_factory.mktemp("clip") / "speaking.mp4", frames)


def figures(original: Path, swap: Path, people: People, config: SwapQualityConfig = CONFIG) -> dict:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        table = measure_frames(original, swap, people, config, 10)
        found = swap_figures(table, people, len(table))
    json.dumps(found, allow_nan=False)
    return found


@pytest.fixture(scope="module")
def itself(speaking, people) -> dict:
    return figures(speaking, speaking, people)


def test_a_video_beside_itself_follows_perfectly_and_is_the_target(itself):
    assert itself["mouth"]["correlation"] == pytest.approx(1) and itself["mouth"]["amplitude"] == pytest.approx(1)
    assert itself["pose"]["combined"] == pytest.approx(0, abs=1e-6)
    assert itself["landmark_error"] == pytest.approx(0, abs=1e-6)
    assert itself["flicker"]["landmarks"] == pytest.approx(1) and itself["flicker"]["picture"] == pytest.approx(1)
    assert itself["change_around_face"] == 0
    assert itself["nearer_to_source"] == 0 and itself["rank_1"] == 0 and itself["margin"] < -0.2
    assert itself["judged"] == 4 and itself["frames"] == itself["consecutive"] == 10
    assert set(itself["missing"]) <= {"openface", "eyes"} and "openface" in itself["missing"]


def test_the_floor_is_what_coding_does_and_small(itself):
    assert 0 < itself["landmark_error_floor"] < 0.05
    assert itself["mouth"]["correlation_floor"] > 0.6
    assert 0 < itself["change_around_face_floor"] < 5


def test_a_jittered_copy_trembles_more(portraits, speaking, itself, people, tmp_path):
    frames = [
        opened(portraits[1], amount, (3 * (number % 2), -2 * (number % 2))) for number, amount in enumerate(MOVES)
    ]
    found = figures(speaking, clip(tmp_path / "jitter.mp4", frames), people)
    assert found["flicker"]["landmarks"] > 1.5 * itself["flicker"]["landmarks"]
    assert found["flicker"]["picture"] > 1.2 and found["landmark_error"] > itself["landmark_error_floor"]


def test_a_frozen_face_does_not_speak(portraits, speaking, people, tmp_path):
    found = figures(speaking, clip(tmp_path / "frozen.mp4", [opened(portraits[1], 3)] * 10, crf=0), people)["mouth"]
    assert found["amplitude"] < 0.6 and (found["correlation"] is None or abs(found["correlation"]) < 0.7)


def test_half_a_swap(portraits, people, tmp_path: Path) -> None:
    source, target = portraits
    original = clip(tmp_path / "original.mp4", [target] * 4)
    swap = clip(tmp_path / "swap.mp4", [source, source, target, np.full_like(source, 128)])
    found = figures(original, swap, people)
    assert (found["frames"], found["judged"], found["faceless"], found["faceless_in_original"]) == (4, 4, 1, 0)
    for share in ("nearer_to_source", "matched_to_source", "rank_1"):
        assert found[share] == pytest.approx(2 / 3), share
    assert found["distance_to_source"] < 0.4 < found["distance_to_target"]
    assert found["distance_to_source"] < found["distance_to_source_mean"] < found["distance_to_target"]
    assert found["original_to_target"] < 0.4 < found["original_to_source"]
    assert found["source_to_target"] > 0.6 and found["distractors"] > 80


def test_no_face_at_all_gives_no_numbers_and_one_sentence(portraits, people, tmp_path: Path) -> None:
    original = clip(tmp_path / "original.mp4", [portraits[1]] * 3)
    found = figures(original, clip(tmp_path / "swap.mp4", [np.full_like(portraits[1], 90)] * 3), people)
    assert found["faceless"] == 3 and found["nearer_to_source"] == 0
    for key in ("distance_to_source", "margin", "landmark_error", "identity_std"):
        assert found[key] is None, key
    assert found["pose"]["combined"] is None and found["flicker"]["landmarks"] is None
    assert found["missing"]["identity"].count(".") == 1 and "No frame shows a face in both" in found["missing"]["pose"]


def test_a_second_network_judges_where_its_file_is(portraits, people, tmp_path: Path) -> None:
    network = OpenFace()  # of random weights: it tells pictures apart all the same
    known = People(people.known, people.others, np.eye(2, 128), network)
    original = clip(tmp_path / "original.mp4", [portraits[1]] * 3)
    found = figures(original, original, known, SwapQualityConfig(frames=1, consecutive=3))
    assert found["openface"]["distance_to_source"] > 0 and "openface" not in found["missing"]


def test_another_number_of_frames_is_told(portraits, people, tmp_path: Path) -> None:
    original = clip(tmp_path / "original.mp4", [portraits[1]] * 3)
    with pytest.raises(UserError, match=r"has 2 frames and its clip .* has 3"):
        measure_frames(original, clip(tmp_path / "swap.mp4", [portraits[1]] * 2), people, CONFIG, 10)


def test_a_long_video_is_judged_in_its_middle_and_here_and_there():
    asked = ask(1000, SwapQualityConfig(frames=5, consecutive=100))
    assert asked.run == range(450, 550) and sorted(asked.spread) == [0, 250, 500, 749, 999]


def test_nobody_who_may_be_the_source_is_a_distractor(people):
    assert len(distractors(people.known)) < len(distractors(np.full((2, 128), 9.0)))
    assert np.isfinite(people.others).all()


def test_an_empty_table_has_all_columns_and_figures():
    table = pd.DataFrame([], columns=list(COLUMNS)).astype(COLUMNS)
    found = swap_figures(table, People(np.zeros((2, 128)), np.zeros((0, 128))), 0)
    json.dumps(found, allow_nan=False)
    assert found["judged"] == 0 and found["distance_to_source"] is None


def test_somebody_else_in_the_frame_is_not_taken_for_the_swap(portraits, people, tmp_path: Path) -> None:
    source, target = portraits
    near = cv2.resize(source, None, fx=1.4, fy=1.4, interpolation=cv2.INTER_CUBIC)  # the wider face of the two
    frame = np.full((360, 660, 3), 128, np.uint8)
    frame[52:308, :256], frame[:358, 300:658] = target, near
    original = clip(tmp_path / "two.mp4", [frame] * 3)
    found = figures(original, original, people, SwapQualityConfig(frames=3, consecutive=3))
    assert found["faceless"] == 0 and found["nearer_to_source"] == 0 and found["distance_to_target"] < 0.4
