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
from understudy.swap.config import LossConfig, SwapConfig
from understudy.swap.module import SwapModule, learning_rate
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
    assert all(np.isfinite(value) for value in result.summary.values() if isinstance(value, float | int))
    assert result.summary["faces"] == tiny.faces and result.summary["held_out"] == {"faces": 0, "clips": []}
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


def test_filmed_faces_teach_where_no_synthetic_ones_were_made(tiny, source_set, target_set, tmp_path: Path) -> None:
    config = replace(tiny, faces="real", augment=replace(tiny.augment, turn=10.0, occlude=0.3))
    teachers = Teachers(Faceset(tmp_path / "missing"), source_set, target_set)
    result = train(teachers, config, 64, 7, tmp_path / "checkpoints")
    assert result.summary["source_faces"] == 24
    with pytest.raises(UserError, match="missing"):
        train(teachers, replace(config, faces="synthetic"), 64, 7, tmp_path / "checkpoints")


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


def test_all_terms_together_stopped_and_resumed(tiny, source_set, target_set, tmp_path: Path) -> None:
    """With identity and discriminator: what is resumed ends with the weights of an undisturbed run."""
    losses = LossConfig(identity=0.1, identity_every=2, identity_from=0, gan=0.1, gan_from=0.5)
    network = replace(tiny.network, kind="liae")
    config = replace(tiny, losses=losses, network=network)
    undisturbed = run(config, source_set, target_set, tmp_path / "whole")
    assert {"identity", "gan", "discriminator"} <= set(undisturbed.summary)

    def stop(name: str, rgb: np.ndarray, step: int) -> None:
        if step == 4:
            raise Stopped

    often = replace(config, training=replace(config.training, preview_every=2))
    with pytest.raises(Stopped):
        run(often, source_set, target_set, tmp_path / "cut", stop)
    again = run(often, source_set, target_set, tmp_path / "cut")
    assert again.summary["discriminator"] == undisturbed.summary["discriminator"]
    for name, tensor in undisturbed.weights.tensors.items():
        assert torch.equal(tensor, again.weights.tensors[name]), name


def spoil(monkeypatch: pytest.MonkeyPatch, iterations: set[int]) -> list[float]:
    """Let the weights become no numbers at each of `iterations`, once; gives the learning rates of all iterations."""
    rates: list[float] = []
    step = SwapModule.training_step

    def training_step(module: SwapModule, batch: torch.Tensor, number: int) -> None:
        if module.iteration in iterations:
            iterations.discard(module.iteration)
            with torch.no_grad():
                module.network.source.out1.weight.fill_(torch.nan)
        step(module, batch, number)
        rates.append(module.adam.param_groups[0]["lr"])

    monkeypatch.setattr(SwapModule, "training_step", training_step)
    return rates


def test_failed_training_goes_back_to_the_good_state_at_half_the_rate(
    tiny, source_set, target_set, tmp_path: Path, monkeypatch
) -> None:
    rates = spoil(monkeypatch, {4})
    result = run(tiny, source_set, target_set, tmp_path)
    assert result.summary["iterations"] == 6 and result.summary["rollbacks"] == 1
    assert result.summary["troubles"] == [
        "iteration 5: swap/source_dssim is not a number; back to 4, at half the learning rate"
    ]
    assert rates[:4] == [5e-4] * 4 and rates[4] == pytest.approx(2.5e-4)
    assert all(torch.isfinite(tensor).all() for tensor in result.weights.tensors.values())
    assert run(tiny, source_set, target_set, tmp_path).summary["rollbacks"] == 1, "a finished training still says so"


def test_training_that_fails_at_once_starts_anew(tiny, source_set, target_set, tmp_path: Path, monkeypatch) -> None:
    rates = spoil(monkeypatch, {0})
    result = run(tiny, source_set, target_set, tmp_path)
    assert result.summary["troubles"][0].endswith("back to 0, at half the learning rate")
    assert rates[0] == pytest.approx(2.5e-4)


def test_training_that_fails_for_good_says_so(tiny, source_set, target_set, tmp_path: Path, monkeypatch) -> None:
    class Always(set):
        def discard(self, element: object) -> None:
            """Fail there every time."""

    spoil(monkeypatch, Always({4}))
    with pytest.raises(UserError, match=r"diverged at iteration 5 .*lower 'deepfake\.training\.lr'"):
        run(tiny, source_set, target_set, tmp_path)
