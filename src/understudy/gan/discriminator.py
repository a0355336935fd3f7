"""The residual discriminator."""

import math
from typing import cast

from torch import Tensor, nn

from understudy.gan.generator import channels
from understudy.gan.ops import EqualConv, EqualLinear, minibatch_deviation, settle, unreduced


class Block(nn.Module):
    """Two convolutions and a skip, each halving the picture; their sum keeps its variance by a factor sqrt(1/2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = math.sqrt(0.5)
        self.conv0 = EqualConv(inputs, inputs, 3)
        self.conv1 = EqualConv(inputs, outputs, 3, down=True, gain=half)
        self.skip = EqualConv(inputs, outputs, 1, down=True, bias=False, activate=False, gain=half)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H/2, W/2)."""
        return self.conv1(self.conv0(x)) + self.skip(x)


class Discriminator(nn.Module):
    """StyleGAN2's residual discriminator.

    Args:
        size: pixels of the square picture, a power of two.
        channel_base: channels of a layer times its size.
        channel_max: most channels of a layer.
        group: images whose deviation from each other is shown to the last layers, consecutive ones of a batch.
    """

    def __init__(self, size: int, channel_base: int, channel_max: int, group: int = 4) -> None:
        super().__init__()
        self.group = group
        sizes = [2**power for power in range(size.bit_length() - 1, 2, -1)]  # size ... 8
        width = channels(size, channel_base, channel_max)
        self.from_rgb = EqualConv(3, width, 1)
        blocks = []
        for pixels in sizes:
            following = channels(pixels // 2, channel_base, channel_max)
            blocks.append(Block(width, following))
            width = following
        self.blocks = nn.Sequential(*blocks)
        self.conv = EqualConv(width + 1, width, 3)
        self.hidden = EqualLinear(width * 16, width, activate=True)
        self.out = EqualLinear(width, 1)

    def forward(self, images: Tensor) -> Tensor:
        """RGB (N, 3, size, size) in [-1, 1] to logits (N,): above 0 means filmed, below 0 made."""
        x = self.from_rgb(images)
        for block in self.blocks:
            with unreduced(x, x.shape[2]):
                x = block(settle(x))
        with unreduced(x, 4):
            x = self.conv(minibatch_deviation(settle(x), self.group))
            return self.out(self.hidden(x.contiguous().flatten(1))).squeeze(1)

    def layers(self) -> list[nn.Module]:
        """Its layers from the picture on, in the order in which they are frozen for a transfer."""
        blocks = [cast("Block", block) for block in self.blocks]
        inner: list[nn.Module] = [layer for block in blocks for layer in (block.conv0, block.conv1, block.skip)]
        return [self.from_rgb, *inner, self.conv, self.hidden, self.out]
