"""DiffAugment (Zhao et al. 2020, arXiv 2006.10738): the same random changes for filmed and made pictures.

Every operation can be differentiated twice, since R1 takes the gradient through them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.gan import chance


def diffaugment(images: Tensor) -> Tensor:
    """Change colour, position and a cut-out square of each picture (N, 3, S, S) in [-1, 1]."""
    return cutout(translate(colour(images)))


def colour(images: Tensor) -> Tensor:
    """Brightness + U(-0.5, 0.5), saturation x U(0, 2), contrast x U(0.5, 1.5)."""
    drawn = chance.uniform(len(images), 3, 1, 1, 1, device=images.device).to(images.dtype)
    brightness, saturation, contrast = drawn.unbind(1)
    images = images + (brightness - 0.5)
    images = torch.lerp(images.mean(dim=1, keepdim=True).expand_as(images), images, saturation * 2.0)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean.expand_as(images), images, contrast + 0.5)


def translate(images: Tensor, ratio: float = 0.125) -> Tensor:
    """Shift by whole pixels, up to `ratio` of the size either way; zeros come in."""
    count, depth, height, width = images.shape
    reach = int(width * ratio + 0.5)
    shift = chance.whole(-reach, reach + 1, count, 2, device=images.device).t()[:, :, None]  # (2, N, 1)
    # one pixel of zeros around: every place outside is read from there
    padded = F.pad(images, (1, 1, 1, 1))
    along = torch.arange(width, device=images.device)[None] + 1  # (1, S)
    rows = (along + shift[0]).clamp(0, height + 1)[:, None, :, None].expand(-1, depth, -1, width + 2)
    columns = (along + shift[1]).clamp(0, width + 1)[:, None, None, :].expand(-1, depth, height, -1)
    return padded.gather(2, rows).gather(3, columns)


def cutout(images: Tensor, ratio: float = 0.5) -> Tensor:
    """Blank a square of `ratio` of the size at a random place; it may reach over the border."""
    count, _, _, size = images.shape
    half = int(size * ratio + 0.5) // 2
    centre = chance.whole(0, size + 1, count, 2, device=images.device).t()[:, :, None]  # (2, N, 1)
    along = torch.arange(size, device=images.device)[None]  # (1, S)
    inside = (along >= centre - half) & (along < centre + half)  # (2, N, S)
    return images * ~(inside[0][:, None, :, None] & inside[1][:, None, None, :])
