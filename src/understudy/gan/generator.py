"""The generator: a mapping network to W and a skip synthesis network with modulated convolutions."""

import math
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.gan import chance
from understudy.gan.convolution import convolve, convolve_transposed
from understudy.gan.ops import ROOT2, SLOPE, EqualLinear, blur, fir_up, full, settle, unreduced
from understudy.weights import load_weights

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
        with unreduced(z, 0):  # half precision would blur the differences between latents
            normalised = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
            return self.layers(normalised)


class ModulatedConv(nn.Module):
    """3x3 convolution whose input channels are scaled by a style and whose output is normalised again.

    The style scales the input and the demodulation scales the output, so that all images share one convolution
    (equations 1 and 3 of the paper, moved from the weights to the pixels).

    Args:
        inputs: channels in.
        outputs: channels out.
        latent: size of w.
        up: double height and width.
    """

    def __init__(self, inputs: int, outputs: int, latent: int, *, up: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.affine = EqualLinear(latent, inputs, bias=1.0)
        self.scale = 1.0 / math.sqrt(inputs * 9)
        self.up = up

    def forward(self, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """(N, inputs, H, W) and (N, latent) to the convolution and its demodulation factors (N, outputs)."""
        style = self.affine(w) * self.scale  # (N, inputs)
        x = settle(x)
        x = x * style[:, :, None, None].to(x.dtype)
        if self.up:
            y = convolve_transposed(x, self.weight.transpose(0, 1), stride=2)  # (N, outputs, 2H + 1, 2W + 1)
            y = blur(y, 1, gain=4.0)
        else:
            y = convolve(x, self.weight, padding=1)
        energy = full(self.weight).square().sum(dim=(2, 3))  # (outputs, inputs)
        return y, torch.rsqrt(full(style).square() @ energy.t() + 1e-8)


class ToRgb(nn.Module):
    """1x1 convolution to RGB whose input channels are scaled by a style; nothing is normalised.

    With three channels out it is cheapest to scale the weights, a kernel of its own for each image, and to multiply
    matrices: the pixels are then read once.

    Args:
        inputs: channels in.
        latent: size of w.
    """

    def __init__(self, inputs: int, latent: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.affine = EqualLinear(latent, inputs, bias=1.0)
        self.scale = 1.0 / math.sqrt(inputs)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(N, inputs, H, W) and (N, latent) to (N, 3, H, W)."""
        style = self.affine(w) * self.scale  # (N, inputs)
        kernel = (full(style)[:, None] * self.weight[:, :, 0, 0]).to(x.dtype)  # (N, 3, inputs)
        if x.is_contiguous(memory_format=torch.channels_last):
            pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # (N, H W, inputs), without a copy
            rgb = torch.bmm(pixels, kernel.transpose(1, 2))
            return rgb.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)
        return torch.bmm(kernel, x.flatten(2)).unflatten(2, x.shape[2:])


class StyledLayer(nn.Module):
    """Modulated 3x3 convolution, noise, bias and leaky ReLU."""

    noise: Tensor

    def __init__(self, inputs: int, outputs: int, size: int, latent: int, *, up: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv(inputs, outputs, latent, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("noise", torch.randn(1, 1, size, size))

    def forward(self, x: Tensor, w: Tensor, noise: Noise) -> Tensor:
        """(N, inputs, H, W) and (N, latent) to (N, outputs, size, size)."""
        y, demodulation = self.conv(x, w)
        # gain sqrt(2) of the activation folded into all three terms
        factor = (demodulation * ROOT2)[:, :, None, None].to(y.dtype)
        bias = (self.bias * ROOT2)[None, :, None, None].to(y.dtype)
        y = y * factor
        y += bias
        grain = self.noise if noise == "const" else chance.normal(len(y), 1, *y.shape[2:], device=y.device)
        y += (grain * (self.strength * ROOT2)).to(y.dtype)
        return F.leaky_relu(y, SLOPE, inplace=True)


class Synthesis(nn.Module):
    """Builds the picture from 4 x 4 up; each resolution adds its RGB to the enlarged one before.

    Under autocast only the layers of 32 pixels and more are computed in half precision: below, it saves nothing.
    """

    def __init__(self, size: int, latent: int, channel_base: int, channel_max: int) -> None:
        super().__init__()
        sizes = [2**power for power in range(2, size.bit_length())]
        first = channels(4, channel_base, channel_max)
        self.const = nn.Parameter(torch.randn(1, first, 4, 4))
        self.layers = nn.ModuleList([StyledLayer(first, first, 4, latent, up=False)])
        self.to_rgb = nn.ModuleList([ToRgb(first, latent)])
        before = first
        for pixels in sizes[1:]:
            width = channels(pixels, channel_base, channel_max)
            self.layers.append(StyledLayer(before, width, pixels, latent, up=True))
            self.layers.append(StyledLayer(width, width, pixels, latent, up=False))
            self.to_rgb.append(ToRgb(width, latent))
            before = width
        self.rgb_bias = nn.ParameterList([nn.Parameter(torch.zeros(3)) for _ in sizes])
        self.num_ws = len(self.layers) + 1

    def forward(self, ws: Tensor, noise: Noise) -> Tensor:
        """(N, num_ws, latent) to RGB (N, 3, size, size), about [-1, 1]."""
        x = self.const.expand(len(ws), -1, -1, -1)
        with unreduced(x, 4):
            x = self.layers[0](x, ws[:, 0], noise)
            rgb = self._rgb(0, x, ws[:, 1])
        for block in range(1, len(self.to_rgb)):
            at = 2 * block - 1
            with unreduced(x, 4 * 2**block):
                x = self.layers[at](x, ws[:, at], noise)
                x = self.layers[at + 1](x, ws[:, at + 1], noise)
                # to_rgb shares its w with the next block's first layer
                rgb = fir_up(rgb) + self._rgb(block, x, ws[:, at + 2])
        return rgb

    def _rgb(self, block: int, x: Tensor, w: Tensor) -> Tensor:
        return full(self.to_rgb[block](x, w)) + self.rgb_bias[block][None, :, None, None]


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

    @classmethod
    def from_pretrained(cls, path: Path | str) -> "Generator":
        """Read an exported generator, ready to draw from.

        Args:
            path: of the `.safetensors` or the `.json` beside it, with or without the suffix.

        Raises:
            UserError: a file is missing or damaged, or is another network.
        """
        from understudy.gan.networks import load_generator  # which builds on this module

        return load_generator(load_weights(Path(path).with_suffix("")))

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
