import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from pytorch_lightning.loggers import Logger

from understudy import checkpoint
from understudy.checkpoint import LAST, PREVIOUS, load_state, save_state
from understudy.config import parse
from understudy.errors import UserError
from understudy.gan import watch
from understudy.gan.config import GanConfig, NetworkConfig, TrainingConfig
from understudy.gan.device import DevicePlan
from understudy.gan.module import GanModule, ema_factor
from understudy.gan.networks import load_generator
from understudy.gan.synthesis import draw
from understudy.gan.training import Budget, train

NETWORK = NetworkConfig(channel_base=64, channel_max=8, mapping_layers=1, latent=16)
CONFIG = GanConfig(
    network=NETWORK,
    training=TrainingConfig(kimg=0.064, batch=8, r1_every=3, path_length_every=4, grid_every_kimg=0.03, augment="none"),
)


class Recorder(Logger):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[int, dict[str, float]]] = []

    name = "recorder"
    version = "0"

    def log_hyperparams(self, *args, **kwargs) -> None:
        """Nothing to keep."""

    def log_metrics(self, metrics, step=None) -> None:
        """Keep them."""
        self.steps.append((step, dict(metrics)))

    def losses(self) -> list[tuple[int, float, float, float]]:
        """Images seen, both losses and R1, in order."""
        return [(s, m["gan/loss_generator"], m["gan/loss_discriminator"], m["gan/r1"]) for s, m in self.steps]


@pytest.fixture(autouse=True)
def look_after_every_step(monkeypatch):
    monkeypatch.setattr(watch, "FIGURES_EVERY", 0.0)


@pytest.mark.parametrize("memory_mb", [100, 1], ids=["held", "streamed"])
def test_a_cut_off_run_goes_on_with_the_same_losses_and_ends_with_the_same_weights(
    tmp_path, make_faceset, memory_mb
) -> None:
    faces = make_faceset(count=20 if memory_mb > 1 else 1400)
    config = replace(CONFIG, training=replace(CONFIG.training, memory_mb=memory_mb))
    whole, first, second = Recorder(), Recorder(), Recorder()
    undisturbed = train(faces, config, 16, 3, tmp_path / "a", tracker=whole)
    cut = train(faces, config, 16, 3, tmp_path / "b", tracker=first, budget=Budget(0.0))
    assert 0 < cut.summary["kimg"] < 0.064
    torch.rand(7)  # whatever else draws random numbers between the two runs must not matter
    resumed = train(faces, config, 16, 3, tmp_path / "b", tracker=second)
    assert first.losses() + second.losses() == whole.losses()
    assert [images for images, *_ in whole.losses()] == list(range(8, 65, 8))
    for name, tensor in undisturbed.weights.tensors.items():
        assert torch.equal(tensor, resumed.weights.tensors[name]), name
    again = train(faces, config, 16, 3, tmp_path / "b", tracker=Recorder())
    assert again.summary["device"].startswith("none")
    np.testing.assert_array_equal(again.grid, resumed.grid)


def test_training_changes_both_networks_and_draws_grids(tmp_path, make_faceset) -> None:
    grids = []
    result = train(
        make_faceset(count=20, faceless=3), CONFIG, 16, 0, tmp_path, on_grid=lambda *seen: grids.append(seen)
    )
    assert result.summary["faces"] == 17
    assert result.summary["kimg"] == pytest.approx(0.064)
    assert len(grids) == 3  # two on the way and the last
    name, picture, _ = grids[-1]
    assert name == "gan_grid"
    assert picture.shape == (5 * 128, 8 * 128, 3)
    torch.manual_seed(0)
    fresh = GanModule(NETWORK, CONFIG.training, 16)
    for part, network in (("generator", fresh.generator), ("discriminator", fresh.discriminator)):
        for key, parameter in network.named_parameters():
            assert not torch.equal(result.weights.tensors[f"{part}.{key}"], parameter), key


def test_the_same_seed_draws_the_same_face_in_any_batch(tmp_path, make_faceset) -> None:
    result = train(make_faceset(), CONFIG, 16, 0, tmp_path)
    generator = load_generator(result.weights)
    together = draw(generator, [4, 5, 6], batch=2)
    assert together.shape == (3, 16, 16, 3)
    assert np.abs(together[1].astype(int) - draw(generator, [5])[0]).max() <= 1
    assert not np.array_equal(together[0], together[1])


def test_the_running_mean_follows_at_once_in_the_beginning_and_slowly_later() -> None:
    assert ema_factor(8, 8.0) == 0.5
    torch.manual_seed(0)
    module = GanModule(NETWORK, TrainingConfig(batch=8, ema_kimg=5, ema_ramp=0.05), 16)
    with torch.no_grad():
        for parameter in module.generator.parameters():
            parameter.add_(1.0)
    before = module.ema.synthesis.const.clone()
    module.images_seen = 8
    module._follow(8)
    torch.testing.assert_close(module.ema.synthesis.const, module.generator.synthesis.const)
    module.ema.synthesis.const.copy_(before)
    module.images_seen = 10_000_000
    module._follow(5000)
    half = (before + module.generator.synthesis.const) / 2
    torch.testing.assert_close(module.ema.synthesis.const, half)


def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_both_damaged_are_named(tmp_path) -> None:
    save_state(tmp_path, {"images": 1, "tensor": torch.randn(10_000)})
    save_state(tmp_path, {"images": 2, "tensor": torch.randn(10_000)})
    assert load_state(tmp_path)["images"] == 2
    last = tmp_path / LAST
    last.write_bytes(last.read_bytes()[:-3000])
    assert load_state(tmp_path)["images"] == 1
    flipped = bytearray((tmp_path / PREVIOUS).read_bytes())
    flipped[len(flipped) // 2] ^= 0x10
    (tmp_path / PREVIOUS).write_bytes(flipped)
    with pytest.raises(UserError, match=r"last\.ckpt and .*previous\.ckpt is damaged"):
        load_state(tmp_path)
    assert load_state(tmp_path / "absent") is None


def test_a_full_disk_is_named_and_the_checkpoint_before_stays(tmp_path, monkeypatch) -> None:
    save_state(tmp_path, {"images": 1})

    def full(state, path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.torch, "save", full)
    with pytest.raises(UserError, match=r"No space was left while .*last\.ckpt was written: free some"):
        save_state(tmp_path, {"images": 2})
    assert load_state(tmp_path)["images"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [LAST]


def test_losses_that_are_no_numbers_stop_the_training_after_two_new_attempts(tmp_path, make_faceset, caplog) -> None:
    wild = replace(CONFIG, training=replace(CONFIG.training, lr=1e18))
    with pytest.raises(UserError, match=r"diverged after .* kimg .*is not a number"):
        train(make_faceset(), wild, 16, 0, tmp_path)
    assert caplog.text.count("back to 0.00 kimg, at half the learning rate") == 2
    assert list(tmp_path.rglob("*.ckpt")) == []


@pytest.mark.parametrize(
    ("faces", "size", "words"),
    [
        ({"count": 15}, 16, "holds 15 faces and a generator needs at least 16"),
        ({"count": 30, "faceless": 20}, 16, "holds 10 faces"),
        ({"count": 20, "size": 32}, 16, "have 32 x 32 pixels and 'size' is 16"),
        ({"count": 20, "size": 32}, 48, "'size' = 48 is not a power of two"),
    ],
)
def test_mistakes_are_named(faces, size, words, tmp_path, make_faceset) -> None:
    with pytest.raises(UserError, match=words):
        train(make_faceset(**faces), CONFIG, size, 0, tmp_path / "checkpoints")


def test_settings_that_change_nothing_learned_keep_the_checkpoint() -> None:
    rarely = replace(CONFIG, training=replace(CONFIG.training, checkpoint_every_seconds=5.0))
    assert rarely.identity() == CONFIG.identity()
    other = replace(CONFIG, training=replace(CONFIG.training, lr=0.001))
    assert other.identity() != CONFIG.identity()
    assert TrainingConfig(batch=16).gamma(256) == pytest.approx(0.8192)
    with pytest.raises(UserError, match=r"gan_training\.training\.bach"):
        parse(GanConfig, {"training": {"bach": 8}}, "gan_training")


def test_lazy_penalties_correct_the_optimiser() -> None:
    module = GanModule(NETWORK, TrainingConfig(lr=0.0025, r1_every=16, path_length_every=4), 16)
    generator, discriminator = (optimiser.param_groups[0] for optimiser in module.configure_optimizers())
    assert generator["lr"] == pytest.approx(0.002)
    assert generator["betas"][1] == pytest.approx(0.99199, abs=1e-5)
    assert discriminator["lr"] == pytest.approx(0.0023529, abs=1e-7)
    assert discriminator["betas"][1] == pytest.approx(0.99058, abs=1e-5)
    assert math.isclose(module.settings.gamma(16), 0.0002 * 256 / 16)


def test_bfloat16_trains_both_networks_as_float32_does() -> None:
    losses = []
    for precision in (torch.float32, torch.bfloat16):
        torch.manual_seed(0)
        module = GanModule(NETWORK, TrainingConfig(batch=8, augment="none"), 64, DevicePlan(precision=precision))
        module.manual_backward = lambda loss: loss.backward()
        pictures = torch.randint(0, 256, (8, 3, 64, 64), dtype=torch.uint8)
        for _ in range(2):
            module.training_step(pictures, 0)
        losses.append(module.take_figures())
        assert all(parameter.dtype == torch.float32 for parameter in module.parameters())
    for name in ("loss_generator", "loss_discriminator"):
        assert losses[1][name] == pytest.approx(losses[0][name], rel=0.05)
        assert losses[1][name] != losses[0][name]
