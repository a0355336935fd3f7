"""The generator: a mapping network to W and a skip synthesis network with modulated convolutions."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.gan.ops import ROOT2, SLOPE, EqualLinear, blur, fir_up, full

Noise = Literal["random", "const"]


def channels(size: int, channel_base: int, channel_max: int) -> int:
    """Channels of the layers of `size` x `size` pixels."""
    return max(4, min(channel_base // size, channel_max))


class Mapping(nn.Module):
    """Maps normal latents z to the intermediate space W.

    Args:
        latent: size of z and w.
        layers: number of fully connected layers.
    """

    def __init__(self, latent: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(EqualLinear(latent, latent, lr_mul=0.01, activate=True) for _ in range(layers)),
        )

    def forward(self, z: Tensor) -> Tensor:
        """(N, latent) to (N, latent)."""
        normalised = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        return self.layers(normalised)


class ModulatedConv(nn.Module):
    """Convolution whose input channels are scaled by a style and whose output is normalised again.

    The style scales the input and the demodulation scales the output, so that all images share one convolution
    (equations 1 and 3 of the paper, moved from the weights to the pixels).

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: 1 or 3.
        latent: size of w.
        up: double height and width.
        demodulate: normalise the expected variance of the output to one.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, latent: int, *, up: bool = False, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.affine = EqualLinear(latent, inputs, bias=1.0)
        self.scale = 1.0 / math.sqrt(inputs * kernel**2)
        self.kernel, self.up, self.demodulate = kernel, up, demodulate

    def forward(self, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor | None]:
        """(N, inputs, H, W) and (N, latent) to the convolution and its demodulation factors (N, outputs)."""
        style = self.affine(w) * self.scale  # (N, inputs)
        x = x * style[:, :, None, None].to(x.dtype)
        if self.up:
            y = F.conv_transpose2d(x, self.weight.transpose(0, 1), stride=2)  # (N, outputs, 2H + 1, 2W + 1)
            y = blur(y, 1, gain=4.0)
        else:
            y = F.conv2d(x, self.weight, padding=self.kernel // 2)
        if not self.demodulate:
            return y, None
        energy = full(self.weight).square().sum(dim=(2, 3))  # (outputs, inputs)
        return y, torch.rsqrt(full(style).square() @ energy.t() + 1e-8)


class StyledLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias and leaky ReLU."""

    noise: Tensor

    def __init__(self, inputs: int, outputs: int, size: int, latent: int, *, up: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, 3, latent, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("noise", torch.randn(1, 1, size, size))

    def forward(self, x: Tensor, w: Tensor, noise: Noise) -> Tensor:
        """(N, inputs, H, W) and (N, latent) to (N, outputs, size, size)."""
        y, demodulation = self.conv(x, w)
        assert demodulation is not None
        # gain sqrt(2) of the activation folded into all three terms
        factor = (demodulation * ROOT2)[:, :, None, None].to(y.dtype)
        bias = (self.bias * ROOT2)[None, :, None, None].to(y.dtype)
        y = torch.addcmul(bias, y, factor)
        grain = self.noise if noise == "const" else torch.randn(len(y), 1, *y.shape[2:], device=y.device)
        y = y + (grain * (self.strength * ROOT2)).to(y.dtype)
        return F.leaky_relu(y, SLOPE, inplace=True)


class Synthesis(nn.Module):
    """Builds the picture from 4 x 4 up; each resolution adds its RGB to the enlarged one before."""

    def __init__(self, size: int, latent: int, channel_base: int, channel_max: int) -> None:
        super().__init__()
        sizes = [2**power for power in range(2, size.bit_length())]
        first = channels(4, channel_base, channel_max)
        self.const = nn.Parameter(torch.randn(1, first, 4, 4))
        self.layers = nn.ModuleList([StyledLayer(first, first, 4, latent, up=False)])
        self.to_rgb = nn.ModuleList([ModulatedConv(first, 3, 1, latent, demodulate=False)])
        before = first
        for pixels in sizes[1:]:
            width = channels(pixels, channel_base, channel_max)
            self.layers.append(StyledLayer(before, width, pixels, latent, up=True))
            self.layers.append(StyledLayer(width, width, pixels, latent, up=False))
            self.to_rgb.append(ModulatedConv(width, 3, 1, latent, demodulate=False))
            before = width
        self.rgb_bias = nn.ParameterList([nn.Parameter(torch.zeros(3)) for _ in sizes])
        self.num_ws = len(self.layers) + 1

    def forward(self, ws: Tensor, noise: Noise) -> Tensor:
        """(N, num_ws, latent) to RGB (N, 3, size, size), about [-1, 1]."""
        x = self.const.expand(len(ws), -1, -1, -1)
        x = self.layers[0](x, ws[:, 0], noise)
        rgb = self._rgb(0, x, ws[:, 1])
        for block in range(1, len(self.to_rgb)):
            at = 2 * block - 1
            x = self.layers[at](x, ws[:, at], noise)
            x = self.layers[at + 1](x, ws[:, at + 1], noise)
            # to_rgb shares its w with the next block's first layer
            rgb = fir_up(rgb) + self._rgb(block, x, ws[:, at + 2])
        return rgb

    def _rgb(self, block: int, x: Tensor, w: Tensor) -> Tensor:
        y, _ = self.to_rgb[block](x, w)
        return full(y) + self.rgb_bias[block][None, :, None, None]


class Generator(nn.Module):
    """StyleGAN2's generator.

    Args:
        size: pixels of the square picture, a power of two.
        latent: size of z and w.
        channel_base: channels of a layer times its size.
        channel_max: most channels of a layer.
        mapping_layers: layers of the mapping network.
    """

    w_avg: Tensor

    def __init__(self, size: int, latent: int, channel_base: int, channel_max: int, mapping_layers: int) -> None:
        super().__init__()
        self.size, self.latent = size, latent
        self.mapping = Mapping(latent, mapping_layers)
        self.synthesis = Synthesis(size, latent, channel_base, channel_max)
        self.register_buffer("w_avg", torch.zeros(latent))

    @property
    def num_ws(self) -> int:
        """How many layers take a w."""
        return self.synthesis.num_ws

    def map(self, z: Tensor, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """Map z (N, latent) to ws (N, num_ws, latent), the first `cutoff` pulled to the mean by truncation `psi`."""
        ws = self.mapping(z)[:, None].expand(-1, self.num_ws, -1)
        if psi == 1.0:
            return ws
        pulled = torch.lerp(self.w_avg.expand_as(ws), ws, psi)
        return pulled if cutoff is None else torch.cat([pulled[:, :cutoff], ws[:, cutoff:]], dim=1)

    def forward(self, z: Tensor, psi: float = 1.0, noise: Noise = "const") -> Tensor:
        """Latents (N, latent) to pictures (N, 3, size, size), about [-1, 1]."""
        return self.synthesis(self.map(z, psi), noise)
