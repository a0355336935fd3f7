import math

import pytest
import torch

from understudy.errors import UserError
from understudy.gan.config import NetworkConfig, TrainingConfig
from understudy.gan.discriminator import Discriminator
from understudy.gan.generator import Generator, ModulatedConv
from understudy.gan.module import GanModule
from understudy.gan.networks import load_base, load_generator, pack, start_from, weights_key
from understudy.weights import Weights

SMALL = NetworkConfig(channel_base=128, channel_max=8, mapping_layers=2, latent=16)


def count(network: torch.nn.Module) -> float:
    return sum(p.numel() for p in network.parameters()) / 1e6


def test_configuration_e_has_the_published_size() -> None:
    with torch.device("meta"):
        generator = Generator(256, 512, 16384, 512, 8)
        discriminator = Discriminator(256, 16384, 512)
    assert count(generator.synthesis) == pytest.approx(22.67, abs=0.005)
    assert count(generator.mapping) == pytest.approx(2.10, abs=0.005)
    assert count(discriminator) == pytest.approx(24.00, abs=0.005)
    assert generator.num_ws == 14


@pytest.mark.parametrize("up", [False, True])
@torch.no_grad()
def test_demodulation_undoes_the_strength_of_the_style(up: bool) -> None:
    torch.manual_seed(0)
    conv = ModulatedConv(64, 64, 32, up=up)
    with torch.no_grad():
        conv.affine.bias.copy_(torch.rand(64) * 30 + 1)
    y, factor = conv(torch.randn(8, 64, 16, 16), torch.randn(8, 32))
    inner = (y * factor[:, :, None, None])[..., 2:-2, 2:-2]
    # zeros between the pixels leave 1/4, the filter with gain 4 makes (20/64 * 4)^2 of it; the style must not matter
    assert inner.var().item() == pytest.approx(25 / 64 if up else 1.0, rel=0.1)
    per_image = inner.var(dim=(1, 2, 3))
    assert per_image.max() / per_image.min() < 1.3


def test_shared_convolution_equals_a_kernel_of_its_own_for_each_image() -> None:
    torch.manual_seed(0)
    conv = ModulatedConv(5, 7, 16)
    x, w = torch.randn(3, 5, 8, 8), torch.randn(3, 16)
    y, factor = conv(x, w)
    style = conv.affine(w)
    for image, s, ours in zip(x, style, y * factor[:, :, None, None], strict=True):
        kernel = conv.weight * s[None, :, None, None] / math.sqrt(45)
        kernel = kernel * torch.rsqrt(kernel.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8)
        torch.testing.assert_close(
            torch.nn.functional.conv2d(image[None], kernel, padding=1)[0], ours, rtol=1e-4, atol=1e-5
        )


def test_truncation_pulls_to_the_mean() -> None:
    torch.manual_seed(0)
    generator = Generator(32, 16, 128, 8, 2)
    generator.w_avg.fill_(3.0)
    z = torch.randn(2, 16)
    full, half = generator.map(z), generator.map(z, psi=0.5)
    torch.testing.assert_close(half, (full + 3.0) / 2)
    partly = generator.map(z, psi=0.0, cutoff=2)
    assert (partly[:, :2] == 3.0).all()
    torch.testing.assert_close(partly[:, 2:], full[:, 2:])
    assert generator(z, psi=0.0)[0].equal(generator(z, psi=0.0)[1])


def test_packed_networks_draw_the_same_and_start_a_training() -> None:
    torch.manual_seed(0)
    module = GanModule(SMALL, TrainingConfig(), 16)
    weights = pack(module, SMALL, {})
    z = torch.randn(2, 16)
    torch.testing.assert_close(load_generator(weights)(z), module.ema(z))
    other = GanModule(SMALL, TrainingConfig(), 16)
    assert weights_key(pack(other, SMALL, {})) != weights_key(weights)
    start_from(other, SMALL, weights)
    torch.testing.assert_close(other.generator(z), module.ema(z))
    image = torch.randn(4, 3, 16, 16)
    torch.testing.assert_close(other.discriminator(image), module.discriminator(image))
    assert weights_key(pack(other, SMALL, {})) == weights_key(weights)


def test_a_base_of_other_widths_is_refused_by_name(tmp_path) -> None:
    module = GanModule(SMALL, TrainingConfig(), 16)
    weights = pack(module, SMALL, {})
    wide = NetworkConfig(channel_base=256, channel_max=8, mapping_layers=2, latent=16)
    with pytest.raises(UserError, match="channel_base differ"):
        start_from(GanModule(wide, TrainingConfig(), 16), wide, weights)
    with pytest.raises(UserError, match="'stylegan2' is needed"):
        load_generator(Weights("df", {}, {}))
    with pytest.raises(UserError, match="start: scratch"):
        load_base(tmp_path, 64)
