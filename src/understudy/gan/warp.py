"""Resampling of pictures by affine maps, without loss where nothing is moved, and differentiable twice.

The picture is doubled in size by an orthogonal wavelet filter (sym6), read bilinearly at the moved places, and halved
by the same filter (Karras et al. 2020, arXiv 2006.06676, appendix B). Since the filter is orthogonal to its own shifts
by two, a picture that is not moved, or moved by whole pixels, comes back unchanged.
"""

from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx

# The low-pass filter of the symlet of order 6 (Daubechies 1992, section 6.4); its square sum is 1.
SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
TAPS = len(SYM6)
CENTRE = sum(index * tap for index, tap in enumerate(SYM6)) / sum(SYM6)
"""Where the filter's weight lies, from its first tap on: pixel n of a picture lies at 2 n + CENTRE when doubled."""


def warp(images: Tensor, move: Tensor) -> Tensor:
    """Move pictures (N, C, S, S) by affine maps; what comes in from outside is the picture reflected.

    Args:
        images: float32 or float64.
        move: (N, 2, 3), from the place in the result to the place in the picture that is shown there, both with the
            middle of the picture as origin and in units of half its side: x to the right, y down.
    """
    size = images.shape[2]
    margin = TAPS // 2 + size // 4
    doubling, halving = _filters(size, margin, images.dtype, images.device)
    double = doubling @ images @ doubling.t()
    width = halving.shape[1]
    at = (torch.arange(width, device=images.device, dtype=images.dtype) - CENTRE) / 2  # in pixels of the result
    unit = (at + 0.5) * 2 / size - 1
    rows, columns = torch.meshgrid(unit, unit, indexing="ij")
    places = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1).flatten(0, 1)  # (width^2, 3)
    target = places @ move.to(images.dtype).transpose(1, 2)  # (N, width^2, 2)
    # the outermost pixels of `double` lack some of their taps
    target = _fold(target, 1 + (2 * margin - TAPS / 2 - 1) / size)
    sample = ((target + 1) * size / 2 - 0.5 + margin) * 2 + CENTRE  # in pixels of `double`
    grid = (sample + 0.5) * 2 / double.shape[2] - 1
    return halving @ _Sample.apply(double, grid.unflatten(1, (width, width))) @ halving.t()


def _fold(x: Tensor, limit: float) -> Tensor:
    """Reflect numbers at -limit and limit until they lie between."""
    turned = (x + limit) % (4 * limit)
    return torch.minimum(turned, 4 * limit - turned) - limit


class _Sample(torch.autograd.Function):
    """Bilinear reading at given places. It is linear in the picture, so its derivative is its adjoint at any order."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.size = images.shape
        return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Any:
        (grid,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return _Spread.apply(grads[0], grid, ctx.size), None  # type: ignore[attr-defined]


class _Spread(torch.autograd.Function):
    """The adjoint of `_Sample`: what was read is added to where it was read from."""

    @staticmethod
    def forward(ctx: Any, read: Tensor, grid: Tensor, size: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        blank = read.new_zeros(1).expand(size)
        return torch.ops.aten.grid_sampler_2d_backward(read, blank, grid, 0, 2, False, [True, False])[0]

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Any:
        (grid,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return _Sample.apply(grads[0], grid), None, None


@cache
def _filters(size: int, margin: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """The matrices that double a line of `size` pixels, reflected by `margin` at both ends, and that halve one.

    Dense, since a product of matrices is the fastest thing there is on any device, and can be differentiated.
    """
    padded = np.pad(np.arange(size), margin, mode="reflect")
    doubling = np.zeros((2 * len(padded) + TAPS - 2, size))
    halving = np.zeros((size, 2 * size + TAPS - 2))
    taps = np.array(SYM6)
    for place, pixel in enumerate(padded):
        doubling[2 * place : 2 * place + TAPS, pixel] += taps * np.sqrt(2)
    for pixel in range(size):
        halving[pixel, 2 * pixel : 2 * pixel + TAPS] = taps / np.sqrt(2)
    with torch.inference_mode(False):
        return torch.from_numpy(doubling).to(device, dtype), torch.from_numpy(halving).to(device, dtype)
