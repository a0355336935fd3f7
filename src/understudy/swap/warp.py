"""Augmentation in batches on the device: similarity jitter for input and target alike, a grid warp for the input alone.

Every number comes from the generator that is passed in, so that an iteration can be repeated exactly.
"""

import math

import torch
from torch.nn import functional as F

from understudy.swap.config import AugmentConfig

CELLS = (2, 4, 8)
"""Cells along a side of the warp's grid, one of them drawn for each face."""

REACH = 0.24
"""How far a grid point moves at most, in cells."""

TRUNCATED = 2.5

# RGB to luma and two colour differences (YCoCg): linear, invertible, nearly decorrelated.
_YCOCG = torch.tensor([[0.25, 0.5, 0.25], [0.5, 0.0, -0.5], [-0.25, 0.5, -0.25]])
_RGB = torch.linalg.inv(_YCOCG)


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """Uniform numbers in [low, high) on the generator's device."""
    return low + (high - low) * torch.rand(shape, generator=generator, device=generator.device)


def similarity(
    count: int, config: AugmentConfig, flip: float | torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Random rotation, scale, shift and mirroring, (count, 2, 3): from output to input in [-1, 1] coordinates.

    `flip` is the share that is mirrored, one number or one for each face, (count,).
    """
    angle = uniform((count,), -1, 1, generator) * math.radians(config.rotation)
    scale = torch.exp(uniform((count,), -1, 1, generator) * math.log1p(config.scale))
    shift = uniform((count, 2), -1, 1, generator) * 2 * config.shift
    mirror = torch.where(uniform((count,), 0, 1, generator) < flip, -1.0, 1.0)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    rows = torch.stack([cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]], 1)
    return rows.view(count, 2, 3)


def displacement(count: int, size: int, strength: float, generator: torch.Generator) -> torch.Tensor:
    """A smooth random displacement in [-1, 1] coordinates, zero at the border, (count, size, size, 2)."""
    fields = []
    edge = math.erf(TRUNCATED / math.sqrt(2))
    for cells in CELLS:
        field = torch.zeros(count, 2, cells + 1, cells + 1, device=generator.device)
        inner = uniform((count, 2, cells - 1, cells - 1), -edge, edge, generator)
        normal = torch.erfinv(inner) * math.sqrt(2) / TRUNCATED  # truncated normal in [-1, 1]
        field[:, :, 1:-1, 1:-1] = normal * (strength * REACH * 2 / cells)
        # Each grid's points are among the finest's, which thus holds the same field.
        fields.append(F.interpolate(field, size=CELLS[-1] + 1, mode="bilinear", align_corners=True))
    choice = torch.randint(len(CELLS), (count,), generator=generator, device=generator.device)
    chosen = torch.stack(fields)[choice, torch.arange(count, device=choice.device)]  # B x 2 x 9 x 9
    return F.interpolate(chosen, size=(size, size), mode="bilinear", align_corners=True).permute(0, 2, 3, 1)


def sample(images: torch.Tensor, matrices: torch.Tensor, moved: torch.Tensor | None = None) -> torch.Tensor:
    """Resample images (B, C, S, S) by `matrices`, and by the displacement `moved` before it; the border repeats."""
    grid = F.affine_grid(matrices, [len(images), 1, *images.shape[2:]], align_corners=False)  # B x S x S x 2
    if moved is not None:
        grid = grid + (moved.flatten(1, 2) @ matrices[:, :, :2].mT).view_as(moved)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def jitter_colours(images: torch.Tensor, amount: float, generator: torch.Generator) -> torch.Tensor:
    """Vary brightness, contrast and saturation of images (B, 3, S, S) in [-1, 1]."""
    count = len(images)
    bright, contrast, saturation = uniform((3, count, 1, 1, 1), -amount, amount, generator)
    grey = images.mean(1, keepdim=True)
    mean = grey.mean((2, 3), keepdim=True)
    coloured = grey + (images - grey) * (1 + 2 * saturation)
    return ((coloured - mean) * (1 + 2 * contrast) + mean + 2 * bright).clamp(-1, 1)


def transfer_colours(
    images: torch.Tensor, masks: torch.Tensor, others: torch.Tensor, other_masks: torch.Tensor, apply: torch.Tensor
) -> torch.Tensor:
    """Give images (B, 3, S, S) the mean and spread of colour that `others` have inside their masks, where `apply`.

    After Reinhard et al., "Color transfer between images", IEEE CG&A 21(5), 2001, in another linear colour space.
    The spread changes by a factor between 2/3 and 3/2, so that noise is not blown up.
    """
    forwards, back = _YCOCG.to(images), _RGB.to(images)
    x = torch.einsum("ij,bjhw->bihw", forwards, images)
    mean, spread = _moments(x, masks)
    other_mean, other_spread = _moments(torch.einsum("ij,bjhw->bihw", forwards, others), other_masks)
    ratio = (other_spread / spread).clamp(2 / 3, 3 / 2)
    y = torch.einsum("ij,bjhw->bihw", back, (x - mean) * ratio + other_mean).clamp(-1, 1)
    return torch.where(apply.view(-1, 1, 1, 1), y, images)


def _moments(x: torch.Tensor, masks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    area = masks.sum((2, 3), keepdim=True).clamp_min(1)
    mean = (x * masks).sum((2, 3), keepdim=True) / area
    variance = ((x - mean).square() * masks).sum((2, 3), keepdim=True) / area
    return mean, variance.clamp_min(1e-6).sqrt()
