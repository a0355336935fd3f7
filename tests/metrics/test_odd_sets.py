"""What no set of faces should be, and what the measures make of it: figures or one sentence, never a crash."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from understudy.errors import UserError
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.metrics import inception_file, openface_file
from understudy.metrics.config import EvaluationConfig, InceptionConfig, OpenFaceConfig
from understudy.metrics.inception import InceptionV3
from understudy.metrics.openface import OpenFace
from understudy.metrics.originals import describe_rows
from understudy.metrics.scores import (
    distance_scores,
    frechet_scores,
    identity_scores,
    inception_scores,
    openface_scores,
)
from understudy.metrics.weights_file import Official, checksum

Store = Callable[..., Faceset]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both networks with random weights, which pass for the official files."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    made = {"inception": folder / "inception.pth", "openface": folder / "openface.pt"}
    torch.save(InceptionV3().state_dict(), made["inception"])
    torch.save(OpenFace().state_dict(), made["openface"])
    return made


@pytest.fixture(scope="module")
def passing(files: dict[str, Path]) -> dict[str, Official]:
    """The official files, if they were these."""
    both = {"inception": inception_file.INCEPTION, "openface": openface_file.OPENFACE}
    return {name: replace(it, checksum=checksum(files[name], it.algorithm)) for name, it in both.items()}


@pytest.fixture
def config(files: dict[str, Path], passing: dict[str, Official], monkeypatch: pytest.MonkeyPatch) -> EvaluationConfig:
    monkeypatch.setattr(inception_file, "INCEPTION", passing["inception"])
    monkeypatch.setattr(openface_file, "OPENFACE", passing["openface"])
    return EvaluationConfig(
        repeats=2,
        inception=InceptionConfig(weights=str(files["inception"]), kid_subsets=2, max_images=2),
        openface=OpenFaceConfig(weights=str(files["openface"])),
    )


def measures(synthetic: Faceset, originals: Faceset, config: EvaluationConfig) -> dict[str, dict[str, Any]]:
    figures: dict[str, dict[str, Any]] = {
        "identity": identity_scores(synthetic, originals, config),
        "distance": distance_scores(synthetic, originals),
        "openface": openface_scores(synthetic, originals, config.openface),
        "frechet": frechet_scores(synthetic, originals, config, 0),
    }
    if config.inception.enabled:
        figures["inception"] = inception_scores(synthetic, originals, config, 0)
    json.dumps(figures, allow_nan=False)  # no NaN ever reaches a file
    return figures


def test_one_image_repeated(hopper_crops: np.ndarray, filmed: Faceset, store: Store, config: EvaluationConfig) -> None:
    same = store(describe_crops(np.repeat(hopper_crops[:1], 5, axis=0)))
    figures = measures(same, filmed, config)
    assert not any(value["missing"] for value in figures.values())
    assert figures["distance"]["synthetic"]["squared_mean"] == pytest.approx(0, abs=1e-9)
    assert figures["openface"]["synthetic"]["squared_mean"] == pytest.approx(0, abs=1e-9)
    assert figures["frechet"]["distance"] > figures["frechet"]["floor"]
    assert figures["inception"]["score"] == pytest.approx(1)  # one class for all
    assert figures["inception"]["weights_sha256"] and figures["openface"]["weights_sha256"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_images(
    count: int, hopper_crops: np.ndarray, filmed: Faceset, store: Store, config: EvaluationConfig
) -> None:
    few = store(describe_crops(hopper_crops[:count])) if count else store()
    figures = measures(few, filmed, replace(config, inception=InceptionConfig(enabled=False)))
    for name in ("distance", "openface", "frechet"):
        assert bool(figures[name]["missing"]) == (count < 2), name
    assert figures["identity"]["synthetic"] == count
    assert bool(figures["identity"]["missing"]) == (count == 0)


def test_sizes_that_differ(hopper_crops: np.ndarray, filmed: Faceset, store: Store, config: EvaluationConfig) -> None:
    small, large = hopper_crops[:2], np.stack([cv2.resize(crop, (96, 96)) for crop in hopper_crops[2:4]])
    apart = store(describe_crops(small), describe_crops(large, 2))
    none = replace(config, inception=InceptionConfig(enabled=False))
    assert not any(value["missing"] for value in measures(apart, filmed, none).values())
    table = describe_crops(small)
    mixed = table.set_column(0, table.schema.field(0), [[*table["image"].to_pylist()[:1], large_jpeg(large[0])]])
    together = store(mixed)
    assert identity_scores(together, filmed, config)["matched"] == 2  # embeddings do not mind
    for read in (
        lambda: openface_scores(together, filmed, config.openface),
        lambda: describe_rows(together.path, [0, 1]),
    ):
        with pytest.raises(UserError, match="cannot be compared"):
            read()


def large_jpeg(crop: np.ndarray) -> bytes:
    return describe_crops(crop[None]).column("image")[0].as_py()


def test_a_wrong_file_costs_one_measure_only(
    synthetic: Faceset, filmed: Faceset, config: EvaluationConfig, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.pth"
    data = bytearray(Path(str(config.inception.weights)).read_bytes())
    data[1000] ^= 1
    wrong.write_bytes(data)
    config = replace(config, inception=replace(config.inception, weights=str(wrong)))
    figures = measures(synthetic, filmed, config)
    assert str(wrong) in figures["inception"]["missing"] and figures["inception"]["fid"] is None
    assert not any(figures[name]["missing"] for name in ("identity", "distance", "openface", "frechet"))
