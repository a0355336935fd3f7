import math

import pytest
import torch

from understudy.gan.augment import colour
from understudy.gan.discriminator import Discriminator
from understudy.gan.generator import Generator
from understudy.gan.losses import discriminator_loss, generator_loss, mix_styles, path_lengths, r1_penalty


def test_an_undecided_discriminator_gives_log_two() -> None:
    zero = torch.zeros(4)
    assert generator_loss(zero) == pytest.approx(math.log(2))
    assert discriminator_loss(zero, zero) == pytest.approx(2 * math.log(2))
    good, bad = torch.full((4,), 3.0), torch.full((4,), -3.0)
    assert discriminator_loss(bad, good) < discriminator_loss(good, bad)
    assert generator_loss(good) < generator_loss(bad)


def test_r1_equals_finite_differences_through_the_augmentation() -> None:
    torch.manual_seed(0)
    network = Discriminator(16, 64, 6).double()
    real = torch.rand(1, 3, 16, 16, dtype=torch.float64) * 2 - 1

    def judge(images: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return network(colour(images.float()).double())

    def judge_exactly(images: torch.Tensor) -> torch.Tensor:
        return network(images * 0.7 + 0.1)

    step = 1e-5  # parts of odd length: no picture is grouped with another
    with torch.no_grad():
        flat = torch.eye(real.numel(), dtype=torch.float64).view(-1, *real.shape[1:]) * step
        slopes = torch.cat([(judge_exactly(real + e) - judge_exactly(real - e)) / (2 * step) for e in flat.split(255)])
    penalty = r1_penalty(judge_exactly, real)
    assert penalty.item() == pytest.approx(slopes.square().sum().item(), rel=1e-5)
    r1_penalty(judge, real).backward()
    assert network.from_rgb.weight.grad.abs().sum() > 0


def test_path_length_equals_finite_differences() -> None:
    torch.manual_seed(0)
    generator = Generator(16, 8, 64, 4, 2).double()
    z = torch.randn(1, 8, dtype=torch.float64)
    torch.manual_seed(1)
    length = path_lengths(generator, z)
    # strength of the noise is 0 at first: only the direction's random numbers matter
    torch.manual_seed(1)
    ws = generator.map(z).detach()
    generator.synthesis(ws, "random")  # draws the noise
    direction = torch.randn(1, 3, 16, 16).double() / 16

    def value(at: torch.Tensor) -> float:
        return float((generator.synthesis(at, "const") * direction).sum())

    step, slopes = 1e-5, torch.zeros_like(ws)
    for index in range(ws.numel()):
        change = torch.zeros(ws.numel(), dtype=torch.float64)
        change[index] = step
        change = change.view_as(ws)
        slopes.view(-1)[index] = (value(ws + change) - value(ws - change)) / (2 * step)
    assert length.item() == pytest.approx(float(slopes.square().sum(dim=2).mean().sqrt()), rel=1e-5)


def test_style_mixing_takes_the_later_layers_from_other_latents() -> None:
    torch.manual_seed(0)
    generator = Generator(32, 16, 128, 8, 2)
    z = torch.randn(3, 16)
    unmixed, w = mix_styles(generator, z, 0.0)
    assert torch.equal(unmixed, generator.map(z))
    cuts = set()
    for _ in range(30):
        mixed, first = mix_styles(generator, z, 1.0)
        assert torch.equal(first, w)
        same = (mixed == unmixed).all(dim=2).all(dim=0)
        cut = int(same.sum())
        assert same[:cut].all()
        assert 1 <= cut < generator.num_ws
        cuts.add(cut)
    assert len(cuts) > 3
