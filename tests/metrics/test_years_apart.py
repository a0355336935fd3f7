from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.metrics.config import EvaluationConfig, OpenFaceConfig
from understudy.metrics.years_apart import LONGEST, pair_folders, read_face, years_apart_scores

CONFIG = EvaluationConfig(openface=OpenFaceConfig(download=False))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))


def put(folder: Path, **pictures: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rgb in pictures.items():
        cv2.imwrite(str(folder / f"{name}.jpg"), rgb[..., ::-1])


def test_the_same_person_and_two_people(tmp_path: Path, hopper: np.ndarray, astronaut: np.ndarray) -> None:
    put(tmp_path / "a", then=hopper[:360, 60:440], now=cv2.convertScaleAbs(hopper[:360, 60:440, ::-1], alpha=0.7))
    put(tmp_path / "b", one=hopper[:360, 60:440], other=astronaut[:300, 80:380])
    (tmp_path / "a" / "notes.txt").write_text("not a picture")
    figures = years_apart_scores(tmp_path, CONFIG)
    assert (figures["supplied"], figures["measured"], figures["same"], figures["missing"]) == (2, 2, 1, None)
    same, other = figures["pairs"]
    assert same["pictures"] == ["now.jpg", "then.jpg"] and same["same"] and 0 < same["distance"] < 0.6
    assert not other["same"] and other["distance"] > 0.6 and other["openface_distance"] is None
    assert figures["distance_mean"] == pytest.approx((same["distance"] + other["distance"]) / 2)


def test_nothing_supplied_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    figures = years_apart_scores(tmp_path / "years_apart", CONFIG)
    assert figures["supplied"] == 0 and str(tmp_path / "years_apart") in figures["missing"]
    assert not (tmp_path / "years_apart").exists() and pair_folders(tmp_path / "years_apart") == []


def test_a_bad_picture_is_named_and_the_other_pairs_are_measured(tmp_path: Path, hopper: np.ndarray) -> None:
    face = hopper[:360, 60:440]
    put(tmp_path / "broken", one=face)
    (tmp_path / "broken" / "two.jpg").write_bytes(b"no picture")
    put(tmp_path / "empty", one=face, two=np.full((90, 90, 3), 128, np.uint8))
    put(tmp_path / "good", one=face, two=face)
    put(tmp_path / "single", one=face)
    figures = years_apart_scores(tmp_path, CONFIG)
    assert (figures["supplied"], figures["measured"]) == (4, 1)
    reasons = {pair["name"]: pair["missing"] for pair in figures["pairs"]}
    assert "two.jpg cannot be read as a picture" in reasons["broken"] and reasons["good"] is None
    assert "No face was found in" in reasons["empty"] and "holds 1 pictures: put exactly two" in reasons["single"]
    assert all(reason in figures["missing"] for reason in reasons.values() if reason)


def test_a_large_picture_is_shrunk_first(tmp_path: Path, hopper: np.ndarray) -> None:
    put(tmp_path, large=cv2.resize(hopper, None, fx=4, fy=4))
    rgb, box = read_face(tmp_path / "large.jpg")
    assert max(rgb.shape) == LONGEST and (box[0] + box[2]) / 2 / rgb.shape[1] == pytest.approx(0.5, abs=0.1)
