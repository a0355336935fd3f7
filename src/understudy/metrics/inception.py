"""InceptionV3 as FID knows it: the network of the TensorFlow graph of 2015-12-05, in its published key layout.

It differs from the classifier of the same name in four places: average pooling leaves the padding out of the mean, the
last block pools by maximum, there are 1,008 classes, and pixels are scaled by (x - 128) / 128.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYERS = ("64", "192", "768", "2048", "logits_unbiased")
Layer = Literal["64", "192", "768", "2048", "logits_unbiased"]
SIDE = 299
CLASSES = 1008


class ConvUnit(nn.Module):
    """Convolution without bias, batch norm (eps 0.001), ReLU."""

    def __init__(
        self, channels: int, out: int, size: int | tuple[int, int], stride: int = 1, same: bool = True
    ) -> None:
        super().__init__()
        kernel = (size, size) if isinstance(size, int) else size
        padding = (kernel[0] // 2, kernel[1] // 2) if same else (0, 0)
        self.conv = nn.Conv2d(channels, out, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, out, H', W')."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


def _mean_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class BlockA(nn.Module):
    """The 35x35 block: 1x1, 5x5, two 3x3, pooled."""

    def __init__(self, channels: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = ConvUnit(channels, 64, 1)
        self.branch5x5_1 = ConvUnit(channels, 48, 1)
        self.branch5x5_2 = ConvUnit(48, 64, 5)
        self.branch3x3dbl_1 = ConvUnit(channels, 64, 1)
        self.branch3x3dbl_2 = ConvUnit(64, 96, 3)
        self.branch3x3dbl_3 = ConvUnit(96, 96, 3)
        self.branch_pool = ConvUnit(channels, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, 35, 35) to (N, 224 + pooled, 35, 35)."""
        fives = self.branch5x5_2(self.branch5x5_1(x))
        threes = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), fives, threes, self.branch_pool(_mean_pool(x))], 1)


class BlockB(nn.Module):
    """35x35 to 17x17: strided 3x3, two 3x3, max pool."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3 = ConvUnit(channels, 384, 3, stride=2, same=False)
        self.branch3x3dbl_1 = ConvUnit(channels, 64, 1)
        self.branch3x3dbl_2 = ConvUnit(64, 96, 3)
        self.branch3x3dbl_3 = ConvUnit(96, 96, 3, stride=2, same=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 288, 35, 35) to (N, 768, 17, 17)."""
        threes = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), threes, F.max_pool2d(x, 3, stride=2)], 1)


class BlockC(nn.Module):
    """The 17x17 block: 1x1, 7x7 in two strips, 7x7 twice in four strips, pooled."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.branch1x1 = ConvUnit(channels, 192, 1)
        self.branch7x7_1 = ConvUnit(channels, width, 1)
        self.branch7x7_2 = ConvUnit(width, width, (1, 7))
        self.branch7x7_3 = ConvUnit(width, 192, (7, 1))
        self.branch7x7dbl_1 = ConvUnit(channels, width, 1)
        self.branch7x7dbl_2 = ConvUnit(width, width, (7, 1))
        self.branch7x7dbl_3 = ConvUnit(width, width, (1, 7))
        self.branch7x7dbl_4 = ConvUnit(width, width, (7, 1))
        self.branch7x7dbl_5 = ConvUnit(width, 192, (1, 7))
        self.branch_pool = ConvUnit(channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 768, 17, 17) to the same."""
        sevens = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), sevens, double, self.branch_pool(_mean_pool(x))], 1)


class BlockD(nn.Module):
    """17x17 to 8x8: strided 3x3, 7x7 in strips then strided 3x3, max pool."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3_1 = ConvUnit(channels, 192, 1)
        self.branch3x3_2 = ConvUnit(192, 320, 3, stride=2, same=False)
        self.branch7x7x3_1 = ConvUnit(channels, 192, 1)
        self.branch7x7x3_2 = ConvUnit(192, 192, (1, 7))
        self.branch7x7x3_3 = ConvUnit(192, 192, (7, 1))
        self.branch7x7x3_4 = ConvUnit(192, 192, 3, stride=2, same=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 768, 17, 17) to (N, 1280, 8, 8)."""
        threes = self.branch3x3_2(self.branch3x3_1(x))
        sevens = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([threes, sevens, F.max_pool2d(x, 3, stride=2)], 1)


class BlockE(nn.Module):
    """The 8x8 block: 1x1, 3x3 as a fork of strips, two 3x3 likewise, pooled by mean or, in the last block, maximum."""

    def __init__(self, channels: int, pool: Literal["mean", "max"]) -> None:
        super().__init__()
        self.pool = pool
        self.branch1x1 = ConvUnit(channels, 320, 1)
        self.branch3x3_1 = ConvUnit(channels, 384, 1)
        self.branch3x3_2a = ConvUnit(384, 384, (1, 3))
        self.branch3x3_2b = ConvUnit(384, 384, (3, 1))
        self.branch3x3dbl_1 = ConvUnit(channels, 448, 1)
        self.branch3x3dbl_2 = ConvUnit(448, 384, 3)
        self.branch3x3dbl_3a = ConvUnit(384, 384, (1, 3))
        self.branch3x3dbl_3b = ConvUnit(384, 384, (3, 1))
        self.branch_pool = ConvUnit(channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, 8, 8) to (N, 2048, 8, 8)."""
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = _mean_pool(x) if self.pool == "mean" else F.max_pool2d(x, 3, stride=1, padding=1)
        forks = [self.branch3x3_2a(single), self.branch3x3_2b(single)]
        forks += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return torch.cat([self.branch1x1(x), *forks, self.branch_pool(pooled)], 1)


class InceptionV3(nn.Module):
    """The feature network of FID, KID and the Inception Score. Layout: `inception_fid_state_dict` of torch-fidelity.

    Args:
        antialias: resize to 299 px with antialiasing (torchmetrics' default) or plain bilinear.
    """

    def __init__(self, antialias: bool = True) -> None:
        super().__init__()
        self.antialias = antialias
        self.Conv2d_1a_3x3 = ConvUnit(3, 32, 3, stride=2, same=False)
        self.Conv2d_2a_3x3 = ConvUnit(32, 32, 3, same=False)
        self.Conv2d_2b_3x3 = ConvUnit(32, 64, 3)
        self.Conv2d_3b_1x1 = ConvUnit(64, 80, 1)
        self.Conv2d_4a_3x3 = ConvUnit(80, 192, 3, same=False)
        self.Mixed_5b = BlockA(192, 32)
        self.Mixed_5c = BlockA(256, 64)
        self.Mixed_5d = BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b = BlockC(768, 128)
        self.Mixed_6c = BlockC(768, 160)
        self.Mixed_6d = BlockC(768, 160)
        self.Mixed_6e = BlockC(768, 192)
        self.Mixed_7a = BlockD(768)
        self.Mixed_7b = BlockE(1280, "mean")
        self.Mixed_7c = BlockE(2048, "max")
        self.fc = nn.Linear(2048, CLASSES)
        self.eval().requires_grad_(False)

    def prepare(self, images: Tensor) -> Tensor:
        """Scale uint8 images (N, 3, H, W) to 299 px and about [-1, 1]. The resized values are not rounded."""
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images must be uint8 (N, 3, H, W), not {images.dtype} {tuple(images.shape)}")
        x = images.float()
        if x.shape[-2:] != (SIDE, SIDE):
            x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=self.antialias)
        return (x - 128) / 128

    @torch.inference_mode()
    def features(self, images: Tensor) -> dict[str, Tensor]:
        """All layers of `LAYERS` for uint8 images (N, 3, H, W): each (N, 64 | 192 | 768 | 2048 | 1008)."""
        found: dict[str, Tensor] = {}
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(self.prepare(images))))
        x = F.max_pool2d(x, 3, stride=2)  # (N, 64, 73, 73)
        found["64"] = x.mean((2, 3))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))
        x = F.max_pool2d(x, 3, stride=2)  # (N, 192, 35, 35)
        found["192"] = x.mean((2, 3))
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))  # (N, 768, 17, 17)
        found["768"] = x.mean((2, 3))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))  # (N, 2048, 8, 8)
        found["2048"] = x.mean((2, 3))
        found["logits_unbiased"] = found["2048"] @ self.fc.weight.T
        return found


class InceptionFeature(nn.Module):
    """One layer of the network, in the form that torchmetrics takes as `feature`.

    Args:
        network: the network.
        layer: which of its layers.
    """

    def __init__(self, network: InceptionV3, layer: Layer) -> None:
        super().__init__()
        self.network = network
        self.layer = layer
        self.num_features = CLASSES if layer == "logits_unbiased" else int(layer)

    def forward(self, images: Tensor) -> Tensor:
        """Uint8 images (N, 3, H, W) to features (N, num_features)."""
        return self.network.features(images)[self.layer]
