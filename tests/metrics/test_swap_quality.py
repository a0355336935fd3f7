"""Whose face a swap shows, measured on videos whose faces are known."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset, finish, write_shard
from understudy.metrics.swap_quality import measure_swap
from understudy.video.encode import write_video


def clip(path: Path, pictures: list[np.ndarray]) -> Path:
    write_video(path, pictures, Fraction(25), (256, 256))
    return path


def square(image: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    return cv2.resize(image[top : top + side, left : left + side], (256, 256), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def people(astronaut: np.ndarray, hopper: np.ndarray, tmp_path_factory) -> tuple[list[np.ndarray], list[Faceset]]:
    """Portraits of both, 256 pixels, and a faceset of each."""
    pictures = [square(hopper, 60, 0, 400), square(astronaut, 100, 0, 256)]
    sets = []
    for number, picture in enumerate(pictures):
        folder = tmp_path_factory.mktemp(f"set{number}")
        write_shard(folder, 0, "0123456789ab", describe_crops(np.stack([picture, np.roll(picture, 3, 1)])))
        finish(folder, ["0123456789ab"])
        sets.append(Faceset(folder))
    return pictures, sets


def test_half_a_swap(people, tmp_path: Path) -> None:
    (source, target), sets = people
    blank = np.full_like(source, 128)
    original = clip(tmp_path / "original.mp4", [target] * 4)
    swap = clip(tmp_path / "swap.mp4", [source, source, target, blank])
    found = measure_swap(original, swap, *sets, most=500)
    assert (found["frames"], found["judged"], found["faceless"], found["faceless_in_original"]) == (4, 4, 1, 0)
    assert found["nearer_to_source"] == pytest.approx(2 / 3)
    assert found["matched_to_source"] == pytest.approx(2 / 3)
    assert found["distance_to_source"] < 0.4 < found["distance_to_target"]
    assert found["original_to_target"] < 0.4 < found["original_to_source"]
    assert found["source_to_target"] > 0.6


def test_no_swap_at_all_and_few_frames(people, tmp_path: Path) -> None:
    (_, target), sets = people
    original = clip(tmp_path / "original.mp4", [target] * 6)
    found = measure_swap(original, original, *sets, most=2)
    assert found["judged"] == 2 and found["nearer_to_source"] == 0
    assert found["change_outside_face"] in (0, None)


def test_no_face_anywhere_gives_no_numbers(people, tmp_path: Path) -> None:
    (_, target), sets = people
    original = clip(tmp_path / "original.mp4", [target] * 2)
    swap = clip(tmp_path / "swap.mp4", [np.full_like(target, 90)] * 2)
    found = measure_swap(original, swap, *sets, most=2)
    assert found["faceless"] == 2 and found["nearer_to_source"] == 0 and found["distance_to_source"] is None
