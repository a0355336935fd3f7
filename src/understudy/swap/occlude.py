"""Things laid over faces: a hand, hair or a microphone is no part of the face.

The masks of the facesets know nothing of them, being outlines of landmarks. So some faces get a patch of another
picture laid over them (as in Zhong et al., "Random erasing data augmentation", arXiv 1708.04896), with a hole in the
mask where it lies. What is painted there does not matter, since nothing counts outside the mask. The hole has to pass
through the code: one of 128 numbers, as in the preset `tiny`, does not hold it, and the mask stays whole there.
"""

import math

import torch

from understudy.swap.warp import uniform

SHORT, LONG = (0.08, 0.2), (0.2, 0.6)
"""Half lengths of a patch, in half sides of the crop."""

AWAY = 0.45
"""How far from the middle of the crop the middle of a patch lies at most, in the same unit."""

EDGE = 0.06
"""Width of the soft edge, in half lengths of the patch."""


def occlude(layers: torch.Tensor, share: float, generator: torch.Generator) -> None:
    """Lay something over a share of the faces, in place.

    Args:
        layers: (B, 5, S, S) float: colours, then masks in 0..1.
        share: of the faces, rounded.
        generator: of everything drawn.
    """
    count, size = round(share * len(layers)), layers.shape[-1]
    if not count:
        return
    rows = torch.randperm(len(layers), generator=generator, device=layers.device)[:count]
    others = torch.randint(len(layers), (count,), generator=generator, device=layers.device)
    # Upside down and mirrored no face is seen in it; in its own colour it is sometimes skin and sometimes not.
    stuff = layers[others, :3].flip(2, 3) + uniform((count, 3, 1, 1), -0.6, 0.6, generator)
    alpha = _patches(count, size, generator)
    layers[rows, :3] = torch.lerp(layers[rows, :3], stuff.clamp(-1, 1), alpha)
    layers[rows, 3:] *= 1 - alpha


def _patches(count: int, size: int, generator: torch.Generator) -> torch.Tensor:
    """Ellipses and bars at any angle, (count, 1, size, size) in 0..1."""
    along = (torch.arange(size, device=generator.device) + 0.5) * 2 / size - 1
    angle = uniform((count, 1, 1), 0, math.pi, generator)
    x0, y0 = uniform((2, count, 1, 1), -AWAY, AWAY, generator)
    long, short = uniform((count, 1, 1), *LONG, generator), uniform((count, 1, 1), *SHORT, generator)
    power = 2 + 4 * torch.randint(2, (count, 1, 1), generator=generator, device=generator.device)
    x, y = along[None, None, :] - x0, along[None, :, None] - y0
    u, v = (x * angle.cos() + y * angle.sin()) / long, (y * angle.cos() - x * angle.sin()) / short
    inside = 1 - (u.abs() ** power + v.abs() ** power) ** (1 / power)
    return (inside / EDGE + 0.5).clamp(0, 1)[:, None]
