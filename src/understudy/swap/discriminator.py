"""A patch discriminator, which sharpens the end of the training, and what it and the painter lose to each other."""

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from understudy.swap.losses import soften


class PatchDiscriminator(nn.Module):
    """Says of every patch, about an eighth of the side wide, whether it was filmed.

    Isola et al., "Image-to-image translation with conditional adversarial networks", arXiv 1611.07004: convolutions
    alone, so that texture is judged and not the whole face.

    Args:
        size: pixels of the crops.
        channels: of the first layer; doubled with every halving, up to eight times as many.
    """

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        halvings = max(1, int(math.log2(size / 32)))
        widths = [3, *(channels * min(2**number, 8) for number in range(halvings))]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], 1, 3, padding=1)
        for layer in (*self.layers, self.last):
            nn.init.kaiming_normal_(layer.weight, a=0.2)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Faces (B, 3, S, S) in [-1, 1] to logits of their patches (B, 1, H, W), above 0 for filmed ones."""
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return self.last(x)


def face_alone(faces: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Faces (B, 3, S, S) with what lies outside their masks (B, 1, S, S) grey: the background is not judged."""
    return faces.float() * (2 * soften(masks).clamp(0, 0.5))


def painter_loss(logits: torch.Tensor) -> torch.Tensor:
    """How far the painted patches are from passing (Goodfellow et al., arXiv 1406.2661, non-saturating)."""
    return F.softplus(-logits.float()).mean()


def discriminator_loss(real: torch.Tensor, painted: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the logits of filmed and of painted patches, the mean of both."""
    return (F.softplus(-real.float()).mean() + F.softplus(painted.float()).mean()) / 2
