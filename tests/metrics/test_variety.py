from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from understudy.errors import UserError
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.metrics.config import OpenFaceConfig
from understudy.metrics.variety import variety_scores

CONFIG = OpenFaceConfig(download=False)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


@pytest.fixture(scope="module")
def source(hopper_crops: np.ndarray, store: Callable[..., Faceset]) -> Faceset:
    """Four times the same frame, then four others, in two shards."""
    images = np.concatenate([np.repeat(hopper_crops[:1], 4, 0), hopper_crops[4:8]])
    return store(describe_crops(images[:5], clip="one.mp4"), describe_crops(images[5:], clip="two.mp4"))


def test_a_monotone_set_lies_closer_than_a_varied_one(source: Faceset) -> None:
    sets = {
        "monotone": {"rows": [3, 0, 1], "expression_distance": 0.01},
        "varied": {"rows": [0, 4, 6, 7], "expression_distance": 2.0},
    }
    figures = variety_scores(source, sets, CONFIG)
    monotone, varied = figures["monotone"], figures["varied"]
    assert (monotone["dlib"]["pairs"], varied["dlib"]["pairs"]) == (3, 6)
    assert monotone["dlib"]["squared_mean"] < 1e-6 and varied["dlib"]["squared_mean"] > 0.005
    assert monotone["expression_distance"] == 0.01 and varied["rows"] == 4
    assert varied["openface"]["squared_mean"] is None and figures["missing"] is None


def test_too_few_faces_and_a_foreign_set(source: Faceset) -> None:
    figures = variety_scores(source, {"monotone": {"rows": []}, "varied": {"rows": [2]}}, CONFIG)
    assert figures["monotone"]["dlib"]["l2_mean"] is None and "monotone and the varied" in figures["missing"]
    with pytest.raises(UserError, match="row 8 of a faceset with 8 faces: run data_engineering"):
        variety_scores(source, {"monotone": {"rows": [0]}, "varied": {"rows": [1, 8]}}, CONFIG)
