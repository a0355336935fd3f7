from dataclasses import replace

import numpy as np
import pytest
import torch

from understudy import weights as weights_on_disk
from understudy.checkpoint import LAST, load_state
from understudy.errors import Diverged, UserError
from understudy.gan import watch
from understudy.gan.config import GanConfig, NetworkConfig, TrainingConfig
from understudy.gan.health import Health
from understudy.gan.keep import BEST, keep_weights, load_best
from understudy.gan.networks import load_generator
from understudy.gan.quality import FaceDistance
from understudy.gan.synthesis import draw
from understudy.gan.training import train
from understudy.weights import Weights, load_weights, save_weights

NETWORK = NetworkConfig(channel_base=64, channel_max=8, mapping_layers=1, latent=16)
CONFIG = GanConfig(network=NETWORK, training=TrainingConfig(kimg=0.064, batch=8, augment="none"))


def settings(**changes) -> GanConfig:
    return replace(CONFIG, training=replace(CONFIG.training, **changes))


@pytest.fixture(autouse=True)
def save_after_every_step(monkeypatch):
    monkeypatch.setattr(watch, "FIGURES_EVERY", 0.0)


def fails_at(monkeypatch, images: list[int]) -> None:
    """Training fails when so many images have been seen, once for each entry."""
    real, left = Health.look, list(images)

    def look(self, figures, seen) -> None:
        if left and seen == left[0]:
            del left[0]
            raise Diverged("loss_generator is not a number")
        real(self, figures, seen)

    monkeypatch.setattr(Health, "look", look)


def test_after_a_failure_it_goes_back_to_the_last_good_state_at_half_the_rate(
    tmp_path, make_faceset, monkeypatch, caplog
) -> None:
    fails_at(monkeypatch, [40])
    config = settings(checkpoint_every_seconds=1e-6)
    result = train(make_faceset(), config, 16, 0, tmp_path)
    assert result.summary["kimg"] == pytest.approx(0.064)
    assert result.summary["rollbacks"] == 1
    line = "0.04 kimg: loss_generator is not a number; back to 0.03 kimg, at half the learning rate"
    assert result.summary["troubles"] == [line]
    assert line in caplog.text
    state = load_state(next(tmp_path.glob("*/")))
    full = config.training.lr * 16 / 17
    assert state["optimisers"][1]["param_groups"][0]["lr"] == pytest.approx(full / 2)
    assert state["troubles"] == [line]


def test_after_two_failures_it_stops_with_a_sentence_and_keeps_the_good_state(
    tmp_path, make_faceset, monkeypatch
) -> None:
    fails_at(monkeypatch, [40, 40, 48])
    with pytest.raises(UserError, match=r"diverged after 0\.05 kimg .*the last good checkpoint is kept"):
        train(make_faceset(), settings(checkpoint_every_seconds=1e-6), 16, 0, tmp_path)
    good = load_state(next(tmp_path.glob("*/")) / "good")
    assert good["images"] in {32, 40}
    assert all(tensor.isfinite().all() for tensor in good["networks"].values())


def test_a_doubtful_state_is_saved_but_not_gone_back_to(tmp_path, make_faceset, monkeypatch) -> None:
    monkeypatch.setattr(Health, "suspect", property(lambda self: True))
    train(make_faceset(), settings(checkpoint_every_seconds=1e-6), 16, 0, tmp_path)
    folder = next(tmp_path.glob("*/"))
    assert (folder / LAST).is_file()
    assert not (folder / "good").exists()


def measured(monkeypatch, values: list[float]) -> None:
    left = iter(values)
    monkeypatch.setattr(FaceDistance, "measure", lambda self, generator: next(left))


def test_the_best_generator_is_kept_and_given(tmp_path, make_faceset, monkeypatch) -> None:
    measured(monkeypatch, [3.0, 1.0, 2.0, 4.0])
    result = train(make_faceset(), settings(measure_every_kimg=0.016), 16, 0, tmp_path)
    summary = result.summary
    assert (summary["distance_best"], summary["best_kimg"], summary["distance_last"]) == (1.0, 0.032, 4.0)
    best = load_best(next(tmp_path.glob("*/")))
    assert best.notes["kimg"] == pytest.approx(0.032)
    for name, tensor in best.tensors.items():
        assert torch.equal(result.weights.tensors[name], tensor)
    # nothing is measured, and nothing trained, when it is there already
    again = train(make_faceset(name="b"), settings(measure_every_kimg=0.016), 16, 0, tmp_path)
    assert again.summary["distance_best"] == 1.0
    assert again.summary["device"].startswith("none")


def test_without_progress_it_ends_early_and_stays_ended(tmp_path, make_faceset, monkeypatch) -> None:
    measured(monkeypatch, [1.0, *[2.0] * 10])
    config = settings(measure_every_kimg=0.008, patience_kimg=0.015, kimg=1.0)
    result = train(make_faceset(), config, 16, 0, tmp_path)
    assert result.summary["kimg"] < 0.05
    assert result.summary["best_kimg"] == pytest.approx(0.008)
    again = train(make_faceset(name="b"), config, 16, 0, tmp_path)
    assert again.summary["kimg"] == result.summary["kimg"]


def test_snapshots_are_generators_to_draw_from_and_to_start_from(tmp_path, make_faceset, caplog) -> None:
    faces = make_faceset()
    train(faces, settings(snapshot_every_kimg=0.03), 16, 0, tmp_path / "a")
    files = sorted(tmp_path.rglob("snapshots/*.safetensors"))
    assert [path.name for path in files] == ["000000_0kimg.safetensors", "000000_1kimg.safetensors"]
    assert draw(load_generator(load_weights(files[0].with_suffix(""))), [1]).shape == (1, 16, 16, 3)
    onward = replace(settings(kimg=0.008), start=str(files[1]))
    result = train(faces, onward, 16, 1, tmp_path / "b")
    assert "hold no discriminator" in caplog.text
    assert result.summary["start"] == str(files[1])
    snapshot = load_weights(files[1].with_suffix(""))
    after = result.weights.tensors["generator.synthesis.const"]
    assert (after - snapshot.tensors["generator.synthesis.const"]).abs().max() < 0.1  # one step on
    with pytest.raises(UserError, match="does not exist"):
        train(faces, replace(CONFIG, start=str(tmp_path / "none.safetensors")), 16, 1, tmp_path / "c")
    wide = replace(onward, network=replace(NETWORK, latent=32))
    with pytest.raises(UserError, match="latent differ"):
        train(faces, wide, 16, 1, tmp_path / "d")


def test_other_weights_to_start_from_are_another_training(tmp_path, make_faceset) -> None:
    faces = make_faceset()
    first = train(faces, settings(kimg=0.008), 16, 0, tmp_path / "a")
    second = train(faces, settings(kimg=0.008), 16, 1, tmp_path / "a")
    path = tmp_path / "base"
    for number, weights in enumerate((first.weights, second.weights), 1):
        save_weights(path, weights)
        train(faces, replace(settings(kimg=0.008), start=f"{path}.safetensors"), 16, 0, tmp_path / "b")
        assert len(list((tmp_path / "b").iterdir())) == number


def test_a_checkpoint_of_another_architecture_is_named(tmp_path, make_faceset) -> None:
    faces = make_faceset()
    train(faces, settings(kimg=0.016), 16, 0, tmp_path / "narrow")
    (folder,) = (tmp_path / "narrow").iterdir()
    wide = replace(settings(kimg=0.016), network=replace(NETWORK, channel_max=4))
    train(faces, wide, 16, 0, tmp_path / "wide")
    (other,) = (tmp_path / "wide").iterdir()
    (other / LAST).write_bytes((folder / LAST).read_bytes())
    with pytest.raises(UserError, match="another architecture than the parameters ask for"):
        train(faces, wide, 16, 0, tmp_path / "wide")


def test_a_full_disk_leaves_the_best_weights_whole(tmp_path, monkeypatch) -> None:
    old = Weights("stylegan2", {}, {"generator.a": torch.ones(3)})
    keep_weights(tmp_path / BEST, old)

    def full(tensors, path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights_on_disk, "save_file", full)
    with pytest.raises(UserError, match=r"No space was left while .*best\.safetensors was written: free some"):
        keep_weights(tmp_path / BEST, Weights("stylegan2", {}, {"generator.a": torch.zeros(3)}))
    np.testing.assert_array_equal(load_best(tmp_path).tensors["generator.a"].numpy(), np.ones(3))
