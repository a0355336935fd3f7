"""Training: it learns, stops and goes on, and says what is missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_lightning.loggers.logger import DummyLogger

from understudy import checkpoint
from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.swap.config import SwapConfig
from understudy.swap.module import learning_rate
from understudy.swap.training import Teachers, TrainResult, key_of, train


class Stopped(Exception):
    """Stands for a kill."""


def run(config: SwapConfig, source: Faceset, target: Faceset, folder: Path, on_preview=None) -> TrainResult:
    return train(Teachers(source, source, target), config, 64, 7, folder, None, on_preview)


@pytest.fixture(scope="module")
def whole(tiny, source_set, target_set, tmp_path_factory) -> tuple[TrainResult, Path, list[int]]:
    """An undisturbed training, its folder, and the iterations of its previews."""
    folder = tmp_path_factory.mktemp("whole")
    seen: list[int] = []
    result = run(tiny, source_set, target_set, folder, lambda name, rgb, step: seen.append(step))
    return result, folder, seen


def test_result(whole, tiny) -> None:
    result, _, previews = whole
    assert result.weights.kind == "df" and result.weights.arguments["size"] == 64
    assert result.summary["iterations"] == tiny.training.iterations
    assert result.summary["source_faces"] == 24 and result.summary["target_faces"] == 20
    assert all(np.isfinite(value) for name, value in result.summary.items() if name != "troubles")
    assert result.summary["rollbacks"] == 0 and result.summary["troubles"] == []
    assert result.preview.dtype == np.uint8 and result.preview.shape == (6 * 128, 5 * 128, 3)
    assert previews == [3]


def test_stopped_and_resumed_gives_the_same_weights(whole, tiny, source_set, target_set, tmp_path: Path) -> None:
    def stop(name: str, rgb: np.ndarray, step: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        run(tiny, source_set, target_set, tmp_path, stop)
    (state,) = [checkpoint.load_state(folder) for folder in tmp_path.iterdir()]
    assert state is not None and state["iteration"] == 2
    again = run(tiny, source_set, target_set, tmp_path)
    for name, tensor in whole[0].weights.tensors.items():
        assert torch.equal(tensor, again.weights.tensors[name]), name


def test_complete_training_returns_at_once(whole, tiny, source_set, target_set) -> None:
    result, folder, _ = whole
    again = run(tiny, source_set, target_set, folder)
    assert torch.equal(again.weights.tensors["source.out1.weight"], result.weights.tensors["source.out1.weight"])
    assert again.summary["seconds"] == result.summary["seconds"]
    assert again.summary["source_dssim"] == result.summary["source_dssim"]


def test_damaged_checkpoint_falls_back_then_is_named(whole, tmp_path: Path) -> None:
    result, folder, _ = whole
    (made,) = folder.iterdir()
    for name in (checkpoint.LAST, checkpoint.PREVIOUS):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    (tmp_path / checkpoint.LAST).write_bytes((made / checkpoint.LAST).read_bytes()[:1000])
    state = checkpoint.load_state(tmp_path)
    assert state is not None and state["iteration"] == result.summary["iterations"] - 1
    (tmp_path / checkpoint.PREVIOUS).write_bytes(b"")
    with pytest.raises(UserError, match="is damaged: delete the folder"):
        checkpoint.load_state(tmp_path)


def test_it_learns(tiny, source_set, target_set, tmp_path: Path) -> None:
    longer = replace(
        tiny, training=replace(tiny.training, iterations=30, checkpoint_every=100, preview_every=0, lr=4e-3)
    )
    losses: list[float] = []

    class Memory(DummyLogger):
        def log_metrics(self, metrics: dict[str, float], step: int) -> None:
            losses.append(sum(metrics.values()))

    train(Teachers(source_set, source_set, target_set), longer, 64, 7, tmp_path, Memory())
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_key_follows_what_shapes_the_result(tiny, source_set, target_set) -> None:
    def key(config: SwapConfig, seed: int = 1) -> str:
        return key_of(Teachers(source_set, source_set, target_set), config, 64, seed)

    quieter = replace(tiny, training=replace(tiny.training, log_every=9, checkpoint_every=9))
    assert key(quieter) == key(tiny)
    assert key(replace(tiny, training=replace(tiny.training, lr=1e-3))) != key(tiny)
    assert key(tiny, 2) != key(tiny)
    assert key_of(Teachers(target_set, target_set, source_set), tiny, 64, 1) != key(tiny)


def test_learning_rate(tiny) -> None:
    config = replace(tiny, training=replace(tiny.training, iterations=100, decay_from=0.5, lr=1.0))
    assert learning_rate(config, 0) == learning_rate(config, 50) == 1.0
    assert learning_rate(config, 75) == pytest.approx(0.55)
    assert learning_rate(config, 100) == pytest.approx(0.1)


def test_too_few_synthetic_faces(tiny, faceless_set, source_set, target_set, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs 8 synthetic faces and only 3 of 24 show a face: train the GAN longer"):
        train(Teachers(faceless_set, source_set, target_set), replace(tiny, faces="synthetic"), 64, 7, tmp_path)
    assert not list(tmp_path.iterdir())
