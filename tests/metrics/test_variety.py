from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from understudy.errors import UserError
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.metrics import openface_file
from understudy.metrics.config import OpenFaceConfig
from understudy.metrics.openface import OpenFace
from understudy.metrics.variety import variety_scores
from understudy.metrics.weights_file import checksum

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


def test_openface_measures_both_sets_where_its_file_is(
    source: Faceset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    path = tmp_path / "openface.pt"
    torch.save(OpenFace().state_dict(), path)
    config = OpenFaceConfig(weights=str(path))
    sets = {"monotone": {"rows": [0, 1]}, "varied": {"rows": [0, 6]}}
    assert variety_scores(source, sets, config)["varied"]["openface"]["squared_mean"] is None  # not the official file
    official = replace(openface_file.OPENFACE, checksum=checksum(path, "md5"))
    monkeypatch.setattr(openface_file, "OPENFACE", official)
    figures = variety_scores(source, sets, config)
    assert figures["varied"]["openface"]["squared_mean"] > 100 * figures["monotone"]["openface"]["squared_mean"]


def test_too_few_faces_and_a_foreign_set(source: Faceset) -> None:
    figures = variety_scores(source, {"monotone": {"rows": []}, "varied": {"rows": [2]}}, CONFIG)
    assert figures["monotone"]["dlib"]["l2_mean"] is None and "monotone and the varied" in figures["missing"]
    with pytest.raises(UserError, match="row 8 of a faceset with 8 faces: run data_engineering"):
        variety_scores(source, {"monotone": {"rows": [0]}, "varied": {"rows": [1, 8]}}, CONFIG)
