"""What the swap's networks are made of: halvings, doublings, the code, and the decoder with its mask."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from understudy.processes import shared_mean

SLOPE = 0.1
FOLLOW = 0.05
"""How fast the standard of the codes follows them, a step."""
LEAST_VARIANCE = 1e-6
CERTAIN = 16.0
"""Logits of the mask end here, 1e-7 from certainty. Beyond, the gradients, squares of what is left, became denormal
numbers, on which a CPU is so slow that the whole training took a quarter longer."""


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
        mask = self.mask_out(self.mask(code)).clamp(-CERTAIN, CERTAIN)
        # 2 sigmoid(x) - 1 = tanh(x / 2)
        return torch.tanh(image / 2), torch.sigmoid(mask)

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
