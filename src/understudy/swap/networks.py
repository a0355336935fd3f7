"""The autoencoders: `df`, encoder and code shared by two people and a decoder for each; `liae`, a code for each.

In `df` a face of the target goes through the shared encoder and the source's decoder: the source's face with the
target's expression comes out. In `liae` one decoder paints both. The code of a face has two halves there: for the
source twice the shared one, for the target their own beside the shared one. The swap takes the shared one twice.
"""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import torch
from torch import nn
from torch.nn import functional as F

from understudy.errors import UserError
from understudy.faces.expression import EXPRESSION
from understudy.processes import shared_mean
from understudy.weights import Weights

KINDS = ("df", "liae")
SLOPE = 0.1
FOLLOW = 0.05
"""How fast the standard of the codes follows them, a step."""
LEAST_VARIANCE = 1e-6

N = TypeVar("N", bound=nn.Module)


class Downscale(nn.Module):
    """Halves the picture: 5x5 convolution with stride 2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 5, stride=2, padding=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) to (B, outputs, H/2, W/2)."""
        return F.leaky_relu_(self.conv(x), SLOPE)


class Upscale(nn.Module):
    """Doubles the picture: 3x3 convolution to four times the channels, which become pixels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 4 * outputs, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        return F.pixel_shuffle(F.leaky_relu_(self.conv(x), SLOPE), 2)


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same shape."""
        y = F.leaky_relu_(self.conv1(x), 2 * SLOPE)
        return F.leaky_relu_(x + self.conv2(y), 2 * SLOPE)


class Encoder(nn.Module):
    """Four halvings, flattened to one vector a face."""

    def __init__(self, channels: int, unit: bool) -> None:
        super().__init__()
        widths = [3, channels, 2 * channels, 4 * channels, 8 * channels]
        self.layers = nn.Sequential(*(Downscale(a, b) for a, b in pairwise(widths)))
        self.unit = unit

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, S, S) to (B, 8 channels (S/16)^2)."""
        code = self.layers(x).flatten(1)
        if self.unit:
            code = code * torch.rsqrt(code.float().square().mean(1, keepdim=True) + 1e-6).to(code.dtype)
        return code


class Inter(nn.Module):
    """The code: two dense layers without activation to `width` channels, and one doubling."""

    def __init__(self, inputs: int, code: int, width: int, low: int) -> None:
        super().__init__()
        self.low, self.width = low, width
        self.squeeze = nn.Linear(inputs, code)
        self.spread = nn.Linear(code, width * low * low)
        self.up = Upscale(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs) to (B, width, 2 low, 2 low)."""
        return self.widen(self.squeeze(x))

    def widen(self, code: torch.Tensor) -> torch.Tensor:
        """The code (B, code) as a small picture (B, width, 2 low, 2 low)."""
        return self.up(self.spread(code).view(-1, self.width, self.low, self.low))


class Standard(nn.Module):
    """The codes of one person, less their mean and over their spread.

    Two people's codes differ far more than one person's: the few percent that expression, pose and light make up are
    slow to learn and drown in the noise of training. Freed of who it is, the code is those alone, for both people on
    one scale. It is batch normalisation (Ioffe and Szegedy, arXiv 1502.03167) for each person alone: training takes the
    batch's numbers, of all processes together, and use those that followed them.
    """

    mean: torch.Tensor
    variance: torch.Tensor
    seen: torch.Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("variance", torch.ones(width))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, code: torch.Tensor) -> torch.Tensor:
        """Same shape (B, width)."""
        mean, variance = self.mean, self.variance
        if self.training:
            mean = shared_mean(code.float().mean(0))
            variance = shared_mean((code.float() - mean).square().mean(0))
            self._follow(mean.detach(), variance.detach())
        return (code - mean) * torch.rsqrt(variance + LEAST_VARIANCE)

    @torch.no_grad()
    def _follow(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        self.seen += 1
        weight = (1 / self.seen).clamp_min(FOLLOW)
        self.mean.lerp_(mean, weight)
        self.variance.lerp_(variance, weight)


class Decoder(nn.Module):
    """Face and mask of one person from the code."""

    def __init__(self, code: int, channels: int, mask: int, double: bool) -> None:
        super().__init__()
        widths = [code, 8 * channels, 4 * channels, 2 * channels]
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [Upscale(a, b), Residual(b)]
        self.layers = nn.Sequential(*layers)
        self.out1 = nn.Conv2d(2 * channels, 3, 1)
        # With `double`, three more outputs become the pixels between those of the first.
        self.out3 = nn.ModuleList(nn.Conv2d(2 * channels, 3, 3, padding=1) for _ in range(3 if double else 0))
        masks = [code, 8 * mask, 4 * mask, 2 * mask, *([mask] if double else [])]
        self.mask = nn.Sequential(*(Upscale(a, b) for a, b in pairwise(masks)))
        self.mask_out = nn.Conv2d(masks[-1], 1, 1)

    def forward(self, code: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, code, low, low) to the face (B, 3, S, S) in [-1, 1] and the mask (B, 1, S, S) in [0, 1]."""
        x = self.layers(code)
        image = self._doubled(x) if self.out3 else self.out1(x)
        # 2 sigmoid(x) - 1 = tanh(x / 2)
        return torch.tanh(image / 2), torch.sigmoid(self.mask_out(self.mask(code)))

    def _doubled(self, x: torch.Tensor) -> torch.Tensor:
        """The four outputs as one convolution, that of 1x1 in the middle of 3x3, and shuffled to pixels."""
        convs = [conv for conv in self.out3 if isinstance(conv, nn.Conv2d)]
        weight = torch.stack(
            [F.pad(self.out1.weight, [1] * 4), *(conv.weight for conv in convs)], 1
        )  # 3 x 4 x C x 3 x 3
        bias = torch.stack([_bias(conv) for conv in (self.out1, *convs)], 1)
        return F.pixel_shuffle(F.conv2d(x, weight.flatten(0, 1), bias.flatten(), padding=1), 2)


def _bias(conv: nn.Conv2d) -> torch.Tensor:
    assert conv.bias is not None
    return conv.bias


class Painted(NamedTuple):
    """What comes back of the source's B faces and the target's B faces."""

    faces: torch.Tensor  # 2B x 3 x S x S in [-1, 1]
    masks: torch.Tensor  # 2B x 1 x S x S in [0, 1]
    code: torch.Tensor  # the shared one of the target's faces
    expression: torch.Tensor  # 2B x 5, as the code tells it


class Swapper(nn.Module):
    """All that rendering needs: encoder, the shared code, and the decoder that paints the source.

    Args:
        size: pixels of the crop, a multiple of 16, or of 32 with the option `d`.
        options, encoder, inter, decoder, mask, kind: see `NetworkConfig`.

    Raises:
        UserError: `size` does not fit.
    """

    def __init__(
        self, size: int, options: str, encoder: int, inter: int, decoder: int, mask: int, kind: str = "df"
    ) -> None:
        super().__init__()
        step = 32 if "d" in options else 16
        if size % step:
            raise UserError(f"Parameter 'size' = {size} does not fit the swap network: use a multiple of {step}.")
        self.size, self.twofold = size, kind == "liae"
        width = 2 * inter if self.twofold else inter
        self.inter_shape = (8 * encoder * (size // 16) ** 2, inter, width, size // step)
        self.decoder_shape = (2 * width if self.twofold else width, decoder, mask, "d" in options)
        self.encoder = Encoder(encoder, "u" in options)
        self.inter = Inter(*self.inter_shape)
        self.source = Decoder(*self.decoder_shape)
        self.standard = Standard(inter) if "s" in options else nn.Identity()
        initialise(self)

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The source's face (B, 3, S, S) in [-1, 1] and mask (B, 1, S, S) with the expression of `faces`."""
        return self.paint_source(self.inter.widen(self.standard(self.inter.squeeze(self.encoder(faces)))))

    def paint_source(self, code: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The source's face and mask from the shared code."""
        return self.source(torch.cat([code, code], 1) if self.twofold else code)


class Trainee(Swapper):
    """The whole autoencoder as it is trained: with the target's decoder, or with the target's own code in `liae`.

    A linear layer tells the expression from the shared code. It is the same for both people, so that opening the mouth
    moves the code of either the same way, and the swap follows.
    """

    def __init__(
        self, size: int, options: str, encoder: int, inter: int, decoder: int, mask: int, kind: str = "df"
    ) -> None:
        super().__init__(size, options, encoder, inter, decoder, mask, kind)
        self.target = Inter(*self.inter_shape) if self.twofold else Decoder(*self.decoder_shape)
        self.source_standard = Standard(inter) if "s" in options else nn.Identity()
        self.expression = nn.Linear(inter, len(EXPRESSION))
        initialise(self.target)
        initialise(self.expression)

    def reconstruct(self, faces: torch.Tensor) -> "Painted":
        """Both people's own faces back.

        Args:
            faces: as many faces of the source as of the target, one after the other, (2B, 3, S, S) in [-1, 1].
        """
        flat = self.encoder(faces)
        of_source, of_target = self.inter.squeeze(flat).chunk(2)
        short = torch.cat([self.source_standard(of_source), self.standard(of_target)])
        code_source, code_target = self.inter.widen(short).chunk(2)
        expression = self.expression(short)
        if self.twofold:
            own = self.target(flat.chunk(2)[1])
            halves = torch.cat([torch.cat([code_source, own]), torch.cat([code_source, code_target])], 1)
            image, mask = self.source(halves)
            return Painted(image, mask, code_target, expression)
        painted = zip(self.source(code_source), self.target(code_target), strict=True)
        image, mask = (torch.cat(both) for both in painted)
        return Painted(image, mask, code_target, expression)


def initialise(network: nn.Module) -> None:
    """Glorot-uniform weights, zero biases; before a pixel shuffle, four pixels that start alike."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, Upscale):
            # Equal sub-pixels start without a checkerboard (Aitken et al., arXiv 1707.02937).
            weight = module.conv.weight
            outputs = weight.shape[0] // 4
            fresh = torch.empty(outputs, *weight.shape[1:])
            bound = math.sqrt(6 / ((weight.shape[1] + 4 * outputs) * weight[0, 0].numel()))
            with torch.no_grad():
                weight.copy_(fresh.uniform_(-bound, bound).repeat_interleave(4, 0))


def fast_layout(network: N) -> N:
    """Keep convolutions channels-last: 1.4 times as fast on a CPU at 64 px, and what tensor cores want."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def weights_of(network: Trainee, arguments: Mapping[str, Any], notes: Mapping[str, Any]) -> Weights:
    """What rendering needs of a trained network."""
    unused = ("target.", "expression.", "source_standard.")
    tensors = {name: value for name, value in network.state_dict().items() if not name.startswith(unused)}
    kind = "liae" if network.twofold else "df"
    return Weights(
        kind, dict(arguments), {name: value.detach().cpu().clone() for name, value in tensors.items()}, dict(notes)
    )


def load_swapper(weights: Weights) -> Swapper:
    """Build the network that `weights` describe, ready for use.

    Raises:
        UserError: they are of another kind.
    """
    if weights.kind not in KINDS:
        raise UserError(
            f"The swap model is of the kind '{weights.kind}' where {' or '.join(KINDS)} is needed: train it again."
        )
    network = Swapper(**weights.arguments, kind=weights.kind)
    network.load_state_dict(weights.tensors)
    return fast_layout(network.eval().requires_grad_(False))
