"""Adaptive augmentation (Karras et al. 2020, arXiv 2006.06676): the pipe `bgc` and the rule that sets its strength.

Each kind of change is applied to each picture with probability p. Pictures are flipped, turned by quarters and moved by
whole pixels (b), scaled, rotated and stretched (g), and changed in colour (c). All changes of place become one affine
map, all of colour one more, so that a picture is resampled once. Both are differentiable twice.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from understudy.gan import chance
from understudy.gan.warp import warp

SHIFT = 0.125
"""Translation by whole pixels up to this part of the side; the same is the deviation of the one by parts of a pixel."""
SCALE = 0.2
BRIGHTNESS, CONTRAST, SATURATION = 0.2, 0.5, 1.0
ADJUST_EVERY = 4
"""Batches between two adjustments of p."""


def augment(images: Tensor, p: Tensor) -> Tensor:
    """Change pictures (N, 3, S, S) in [-1, 1], each kind of change with probability `p` (a tensor of one number)."""
    if images.device.type == "cpu" and float(p) == 0.0:  # on a GPU, asking would make it wait
        return images
    lottery = Lottery(len(images), p, images.device)
    turned = turn(images, lottery)
    moved = warp(turned, place(lottery, images.shape[2]))
    return recolour(moved, lottery)


class Lottery:
    """Draws numbers for `count` pictures; those not chosen, with probability 1 - p, get the neutral one."""

    def __init__(self, count: int, p: Tensor, device: torch.device) -> None:
        self.count, self.p, self.device = count, p, device

    def choose(self, values: Tensor, neutral: float, p: Tensor | None = None) -> Tensor:
        """Keep each picture's values (N, ...) with probability p."""
        chosen = chance.uniform(self.count, device=self.device) < (self.p if p is None else p)
        return torch.where(chosen.view(-1, *(1,) * (values.dim() - 1)), values, torch.full_like(values, neutral))

    def number(self, choices: int) -> Tensor:
        """Whole numbers from 0 up to `choices` - 1."""
        return self.choose(chance.whole(0, choices, self.count, device=self.device).float(), 0.0)

    def angle(self, p: Tensor | None = None) -> Tensor:
        """Angles from -pi to pi."""
        return self.choose((chance.uniform(self.count, device=self.device) * 2 - 1) * math.pi, 0.0, p)

    def shift(self, draw: Callable[..., Tensor]) -> Tensor:
        """Two numbers a picture from `draw`."""
        return self.choose(draw(self.count, 2, device=self.device), 0.0)

    def factor(self, deviation: float) -> Tensor:
        """Factors 2 to the power of N(0, deviation^2)."""
        return self.choose(torch.exp2(chance.normal(self.count, device=self.device) * deviation), 1.0)


def turn(images: Tensor, lottery: Lottery) -> Tensor:
    """Flip pictures left to right and turn them by quarters, pixel by pixel."""
    flip, turns = lottery.number(2), lottery.number(4)
    images = torch.where(flip.view(-1, 1, 1, 1) == 1, images.flip(3), images)
    images = torch.where(turns.view(-1, 1, 1, 1) >= 2, images.flip(2, 3), images)
    return torch.where(turns.view(-1, 1, 1, 1) % 2 == 1, torch.rot90(images, 1, (2, 3)), images)


def place(lottery: Lottery, size: int) -> Tensor:
    """Draw the affine maps (N, 2, 3) from places of the result to places of the picture, as `warp` takes them."""
    pixel = 2.0 / size
    whole = lottery.shift(lambda *shape, device: chance.uniform(*shape, device=device) * 2 - 1)
    move = _shifted((whole * SHIFT * size).round() * pixel)
    scale = lottery.factor(SCALE)
    move = _scaled(scale, scale) @ move
    # a rotation before and one after the stretching: together they are applied with probability p
    half = 1 - (1 - lottery.p.clamp(0, 1)).sqrt()
    move = _turned(lottery.angle(half)) @ move
    stretch = lottery.factor(SCALE)
    move = _scaled(stretch, 1 / stretch) @ move
    move = _turned(lottery.angle(half)) @ move
    move = _shifted(lottery.shift(chance.normal) * (SHIFT * 2)) @ move
    return torch.linalg.inv_ex(move).inverse[:, :2]


def recolour(images: Tensor, lottery: Lottery) -> Tensor:
    """Brightness, contrast, mirrored luma, turned hue and saturation of pictures (N, 3, S, S)."""
    device = images.device
    grey = torch.full((3, 3), 1 / 3, device=device)  # projection to the axis of greys
    eye = torch.eye(3, device=device)
    shift = lottery.choose(chance.normal(lottery.count, device=device) * BRIGHTNESS, 0.0)
    contrast = lottery.factor(CONTRAST)
    mirrored = eye - 2 * grey * lottery.number(2)[:, None, None]
    angle = lottery.angle()[:, None, None]
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]], device=device) / math.sqrt(3)
    turned = grey + (eye - grey) * angle.cos() + cross * angle.sin()  # Rodrigues' formula
    saturated = grey + (eye - grey) * lottery.factor(SATURATION)[:, None, None]
    matrix = saturated @ turned @ mirrored * contrast[:, None, None]  # (N, 3, 3)
    offset = matrix @ shift[:, None, None].expand(-1, 3, 1)  # brightness is changed first
    pixels = images.flatten(2)
    changed = torch.baddbmm(offset.to(images.dtype), matrix.to(images.dtype), pixels)
    return changed.unflatten(2, images.shape[2:])


def adjusted(p: Tensor, sign: Tensor, images: int, target: float, kimg: float, most: float) -> Tensor:
    """The next p: up when the mean sign of the logits of filmed pictures is above `target`, else down.

    Args:
        p: the present one.
        sign: mean of the signs since the last adjustment.
        images: pictures shown since then.
        target: 0.6 in the paper.
        kimg: thousand images in which p could go from 0 to 1.
        most: p stays at most this: near 1 the generator would learn the changes themselves.
    """
    return (p + torch.sign(sign - target) * (images / (kimg * 1000))).clamp(0.0, most)


def _scaled(x: Tensor, y: Tensor) -> Tensor:
    return torch.diag_embed(torch.stack([x, y, torch.ones_like(x)], dim=1))


def _turned(angle: Tensor) -> Tensor:
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    rows = [angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero, zero, zero, one]
    return torch.stack(rows, dim=1).view(-1, 3, 3)


def _shifted(by: Tensor) -> Tensor:
    zero, one = torch.zeros_like(by[:, 0]), torch.ones_like(by[:, 0])
    return torch.stack([one, zero, by[:, 0], zero, one, by[:, 1], zero, zero, one], dim=1).view(-1, 3, 3)
