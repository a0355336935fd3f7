import gc
import math
from dataclasses import replace

import psutil
import pytest
import torch

from understudy.errors import UserError
from understudy.gan import chance
from understudy.gan.config import NetworkConfig, TrainingConfig
from understudy.gan.data import FaceFeed
from understudy.gan.device import DevicePlan, memory_used, plan_device, prepare
from understudy.gan.distributed import check_batch
from understudy.gan.module import GanModule
from understudy.memory import keep_memory
from understudy.processes import Share, agree, require_alone, share_from_environment

NETWORK = NetworkConfig(channel_base=64, channel_max=8, mapping_layers=1, latent=16)
TRAINING = TrainingConfig(batch=8, r1_every=3, path_length_every=4)


def stepped(training: TrainingConfig, plan: DevicePlan | None = None, steps: int = 5) -> GanModule:
    torch.manual_seed(0)
    module = GanModule(NETWORK, training, 16, plan)
    module.manual_backward = lambda loss: loss.backward()
    pictures = torch.randint(0, 256, (8, 3, 16, 16), dtype=torch.uint8)
    for _ in range(steps):
        module.training_step(pictures, 0)
    return module


def test_compiled_main_passes_train_the_same_networks() -> None:
    plain = stepped(TRAINING, steps=2)
    compiled = stepped(TRAINING, DevicePlan(backend="eager"), steps=2)  # captured, run as it is
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(compiled.state_dict()[name], tensor, rtol=1e-3, atol=1e-4, msg=name)


def test_frozen_layers_of_the_discriminator_keep_what_they_start_with() -> None:
    torch.manual_seed(0)
    fresh = GanModule(NETWORK, TRAINING, 16)
    module = stepped(replace(TRAINING, freeze_d=4))
    before, after = fresh.discriminator, module.discriminator
    names = ["from_rgb", "blocks.0.conv0", "blocks.0.conv1", "blocks.0.skip"]
    for name, parameter in after.named_parameters():
        frozen = name.rsplit(".", 1)[0] in names
        assert torch.equal(parameter, before.get_parameter(name)) == frozen, name
        assert parameter.requires_grad != frozen
    layers = len(after.layers())
    with pytest.raises(UserError, match=f"has {layers} layers at this size, so use at most {layers - 1}"):
        GanModule(NETWORK, replace(TRAINING, freeze_d=layers), 16)


def test_adaptive_augmentation_follows_the_discriminator_and_is_part_of_the_state() -> None:
    module = GanModule(NETWORK, replace(TRAINING, augment="ada", ada_kimg=0.32), 16)
    module.ada_sign.fill_(4.0)  # certain of all four batches
    module._adjust(32)
    assert module.ada_p == pytest.approx(0.1)
    assert module.ada_sign == 0
    module._adjust(32)  # and of none
    assert module.ada_p == 0
    module.ada_p.fill_(0.3)
    assert module.state_dict()["ada_p"] == pytest.approx(0.3)
    assert module.take_figures()["ada_strength"] == pytest.approx(0.3)
    trained = stepped(replace(TRAINING, augment="ada"), steps=4)
    sign = trained.take_figures()["sign_real"]
    assert float(trained.ada_p) == pytest.approx(32 / 100_000 if sign > 0.6 else 0.0)


def test_parts_of_a_batch_are_drawn_alike_by_all_processes() -> None:
    draws = [
        lambda n: chance.normal(n, 3),
        chance.uniform,
        lambda n: chance.whole(0, 100, n, 2),
    ]
    try:
        for draw in draws:
            torch.manual_seed(0)
            chance.set_share(Share())
            whole = draw(6)
            parts = []
            for rank in range(3):
                torch.manual_seed(0)
                chance.set_share(Share(rank, 3))
                parts.append(draw(2))
            assert torch.equal(torch.cat(parts), whole)
    finally:
        chance.set_share(Share())
    faces = torch.arange(40, dtype=torch.uint8).view(40, 1, 1, 1)
    whole_batches = list(FaceFeed(faces, 8, 1, 0, 40))
    halves = [list(FaceFeed(faces, 8, 1, 0, 40, Share(rank, 2))) for rank in (0, 1)]
    for batch, first, second in zip(whole_batches, *halves, strict=True):
        assert torch.equal(torch.cat([first, second]), batch)


def test_several_processes_are_found_and_must_share_the_batch_in_whole_groups(monkeypatch) -> None:
    assert share_from_environment() == Share(0, 1)
    require_alone("understudy.gan.pretrain", "set it")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert share_from_environment() == Share(1, 4)
    with pytest.raises(UserError, match="one process: train with torchrun"):
        require_alone("understudy.gan.pretrain", "set it")
    check_batch(32, 4, 4)
    with pytest.raises(UserError, match=r"'gan_training.training.batch' = 24 .* multiple of 16"):
        check_batch(24, 4, 4)
    assert agree(True)  # alone, one's own wish


def test_the_device_is_planned_by_what_is_there() -> None:
    if not torch.cuda.is_available():
        assert plan_device(TrainingConfig()) == DevicePlan("cpu", torch.float32, None)
        assert plan_device(TrainingConfig(precision="bfloat16", compile=True)) == DevicePlan(
            "cpu", torch.bfloat16, "inductor"
        )
    prepare(DevicePlan())
    assert memory_used(DevicePlan())["memory_mb"] > 50


def test_memory_stays_flat() -> None:
    keep_memory()
    module = stepped(TRAINING, steps=12)
    pictures = torch.randint(0, 256, (8, 3, 16, 16), dtype=torch.uint8)
    process = psutil.Process()

    def used(steps: int) -> tuple[float, int]:
        for _ in range(steps):
            module.training_step(pictures, 0)
        gc.collect()
        return process.memory_info().rss / 1e6, sum(type(thing) is torch.Tensor for thing in gc.get_objects())

    before, tensors = used(12)
    after, left = used(60)
    assert left == tensors
    assert after - before < 10
    assert math.isfinite(module.take_figures()["r1"])
