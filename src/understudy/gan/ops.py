"""The layers that both networks are made of (StyleGAN2, Karras et al. 2020, arXiv 1912.04958).

Weights are drawn from N(0, 1) and scaled when used (equalised learning rate). The gain sqrt(2) of a leaky ReLU is
folded into the weights before it, since lrelu(a x) = a lrelu(x) for a > 0: one pass over the pixels less.
"""

import math
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.gan.convolution import convolve

SLOPE = 0.2
ROOT2 = math.sqrt(2.0)
TAPS = (1.0, 3.0, 3.0, 1.0)
REDUCED_FROM = 32
"""Layers of fewer pixels stay in float32 under autocast: they cost little, and lose most by rounding."""


class EqualLinear(nn.Module):
    """Fully connected layer with equalised learning rate.

    Args:
        inputs: features in.
        outputs: features out.
        bias: initial value of the bias.
        lr_mul: learning rate multiplier (0.01 in the mapping network).
        activate: whether a leaky ReLU with gain sqrt(2) follows.
    """

    def __init__(
        self, inputs: int, outputs: int, *, bias: float = 0.0, lr_mul: float = 1.0, activate: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_mul)
        self.bias = nn.Parameter(torch.full((outputs,), bias / lr_mul))
        gain = ROOT2 if activate else 1.0
        self.weight_gain = gain * lr_mul / math.sqrt(inputs)
        self.bias_gain = gain * lr_mul
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs) to (N, outputs)."""
        # beta and alpha of addmm apply both gains without a pass over the weights
        y = torch.addmm(self.bias, x, self.weight.t(), beta=self.bias_gain, alpha=self.weight_gain)
        return F.leaky_relu(y, SLOPE, inplace=True) if self.activate else y


class EqualConv(nn.Module):
    """Convolution of odd kernel with equalised learning rate; `down` halves the size behind a FIR filter.

    Args:
        inputs: channels in.
        outputs: channels out.
        kernel: 1 or 3.
        down: halve height and width.
        bias: whether there is a bias.
        activate: whether a leaky ReLU with gain sqrt(2) follows.
        gain: a further factor on the result.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        down: bool = False,
        bias: bool = True,
        activate: bool = True,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.bias_gain = gain * (ROOT2 if activate else 1.0)
        self.weight_gain = self.bias_gain / math.sqrt(inputs * kernel**2)
        self.kernel, self.down, self.activate = kernel, down, activate

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W), or half of it."""
        weight = self.weight * self.weight_gain
        bias = self.bias * self.bias_gain if self.bias is not None else None
        stride, pad = 1, self.kernel // 2
        if self.down and self.kernel == 1:
            x = fir_down(x)
        elif self.down:
            x, stride, pad = blur(x, self.kernel // 2 + 1), 2, 0
        y = convolve(x, weight, bias, stride=stride, padding=pad)
        return F.leaky_relu(y, SLOPE, inplace=True) if self.activate else y


def blur(x: Tensor, pad: int, gain: float = 1.0) -> Tensor:
    """Filter with [1,3,3,1] x [1,3,3,1] / 64, zeros outside: (N, C, H, W) to (N, C, H + 2 pad - 3, W + 2 pad - 3)."""
    return convolve(x, _filter(x, gain), padding=pad)


def fir_down(x: Tensor) -> Tensor:
    """Halve height and width behind the FIR filter; computes only the pixels that are kept."""
    return convolve(x, _filter(x, 1.0), stride=2, padding=1)


def fir_up(x: Tensor) -> Tensor:
    """Double height and width with the FIR filter (gain 4, zeros outside).

    Inside the picture this filter is bilinear interpolation; a frame of zeros makes the borders equal too.
    """
    framed = F.pad(x, (1, 1, 1, 1))
    return F.interpolate(framed, scale_factor=2, mode="bilinear", align_corners=False)[:, :, 2:-2, 2:-2]


@cache
def _kernel(channels: int, gain: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    # Kept on the device: a copy at every call would make the GPU wait. Not an inference tensor, for autograd uses it.
    with torch.inference_mode(False):
        taps = torch.tensor(TAPS, dtype=torch.float64)
        kernel = torch.outer(taps, taps) * (gain / 64.0)
        return kernel.to(device, dtype).repeat(channels, 1, 1, 1)  # (C, 1, 4, 4)


def _filter(x: Tensor, gain: float) -> Tensor:
    return _kernel(x.shape[1], gain, x.dtype, x.device)


def full(x: Tensor) -> Tensor:
    """Bring half precision back to float32; leave the rest."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def unreduced(x: Tensor, pixels: int) -> AbstractContextManager[Any]:
    """Autocast is off within, if the layers have fewer than `REDUCED_FROM` pixels."""
    if pixels >= REDUCED_FROM or not _autocast(x):
        return nullcontext()
    return torch.autocast(x.device.type, enabled=False)


def settle(x: Tensor) -> Tensor:
    """Full precision where autocast is off, since weights are float32 there; else unchanged."""
    return x if _autocast(x) else full(x)


def _autocast(x: Tensor) -> bool:
    kind = x.device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def minibatch_deviation(x: Tensor, group: int = 4) -> Tensor:
    """Append one channel: the mean standard deviation of each group of `group` consecutive images.

    Consecutive, so that fakes and reals of one batch are judged apart. (N, C, H, W) to (N, C + 1, H, W).
    """
    count, channels, height, width = x.shape
    group = math.gcd(group, count)
    grouped = x.view(count // group, group, channels, height, width)
    grouped = full(grouped)
    deviation = (grouped.var(dim=1, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # (N/group,)
    plane = deviation.to(x.dtype).repeat_interleave(group).view(count, 1, 1, 1).expand(count, 1, height, width)
    return torch.cat([x, plane], dim=1)
