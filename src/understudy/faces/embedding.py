"""dlib's 128-d face embedding in torch: the same network, read from dlib's own file, batched and differentiable.

The network is a residual net of 29 convolutions (D. King, dlib 19.3, 2017). Each affine layer is folded into the
convolution before it. Two peculiarities of dlib's are kept: convolutions with a stride pad nothing, and the addition of
a block takes the larger size in every dimension and reads zeros outside the smaller tensor.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from understudy.errors import UserError
from understudy.faces.dlib_weights import DlibNetwork, Layer, read_network
from understudy.faces.models import model_path

CHIP = 150
"""Side of the network's input in pixels."""

BATCH = 16

# Input channels, output channels and stride of the 14 residual blocks.
_BLOCKS = [
    *[(32, 32, 1)] * 3,
    (32, 64, 2),
    *[(64, 64, 1)] * 3,
    (64, 128, 2),
    *[(128, 128, 1)] * 2,
    (128, 256, 2),
    *[(256, 256, 1)] * 2,
    (256, 256, 2),
]


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut; with stride 2 the shortcut is a 2x2 mean."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.first = nn.Conv2d(inputs, outputs, 3, stride, padding=1 if stride == 1 else 0)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H', W')."""
        main = self.second(F.relu(self.first(x)))
        if self.stride == 1:
            return F.relu(main + x)
        return F.relu(_add(main, F.avg_pool2d(x, 2)))


class FaceEmbedder(nn.Module):
    """The embedding network with dlib's weights, frozen, in evaluation mode.

    Args:
        device: where it runs.
        network: the weights; read from the installed package when None.
    """

    means: torch.Tensor

    def __init__(self, device: torch.device | str = "cpu", network: DlibNetwork | None = None) -> None:
        super().__init__()
        network = network or read_network(model_path("embedding"))
        self.stem = nn.Conv2d(3, 32, 7, 2)
        self.blocks = nn.Sequential(*(Block(*shape) for shape in _BLOCKS))
        self.last = nn.Linear(256, 128, bias=False)
        self.register_buffer("means", torch.tensor(network.means).view(1, 3, 1, 1), persistent=False)
        self._fill(network.layers)
        self.requires_grad_(False)
        self.eval()
        self.to(device)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Embed aligned chips; gradients flow to them.

        On CUDA, convolutions use TF32 unless `torch.backends.cudnn.allow_tf32` is off.

        Args:
            images: RGB in [-1, 1], (N, 3, 150, 150).

        Returns:
            (N, 128), not normalised: compare by Euclidean distance.
        """
        return self._pixels((images + 1) * 127.5)

    @torch.no_grad()
    def embed_chips(self, chips: np.ndarray) -> np.ndarray:
        """Embed aligned chips of RGB uint8, (N, 150, 150, 3), as (N, 128) float32."""
        if chips.shape[1:] != (CHIP, CHIP, 3) or chips.dtype != np.uint8:
            raise ValueError(f"chips must be uint8 (N, {CHIP}, {CHIP}, 3), not {chips.dtype} {chips.shape}")
        device = self.means.device
        parts = [np.empty((0, 128), np.float32)]
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            for start in range(0, len(chips), BATCH):
                batch = torch.from_numpy(np.ascontiguousarray(chips[start : start + BATCH])).to(device)
                # The permuted view of interleaved pixels is what torch calls channels_last: no copy.
                parts.append(self._pixels(batch.permute(0, 3, 1, 2).float()).cpu().numpy())
        return np.concatenate(parts)

    def _pixels(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.stem((x - self.means) / 256))  # N x 32 x 72 x 72
        x = F.max_pool2d(x, 3, 2)  # N x 32 x 35 x 35
        return self.last(self.blocks(x).mean((2, 3)))  # N x 128

    def _fill(self, layers: list[Layer]) -> None:
        blocks = [block for block in self.blocks if isinstance(block, Block)]
        convs = [self.stem, *(conv for block in blocks for conv in (block.first, block.second))]
        if [layer.kind for layer in layers] != ["conv", "affine"] * len(convs) + ["fc"]:
            raise UserError(
                "dlib's face network has another layout than expected: install face_recognition_models 0.3."
            )
        for conv, stored, affine in zip(convs, layers[:-1:2], layers[1:-1:2], strict=True):
            if (stored.stride, stored.padding) != (conv.stride[0], conv.padding[0]):
                raise UserError("dlib's face network has other strides than expected: install the models again.")
            gamma = affine.weight.astype(np.float64)
            weight = stored.weight * gamma[:, None, None, None]
            bias = stored.bias * gamma + affine.bias
            folded = torch.from_numpy(weight).float()
            conv.weight = nn.Parameter(folded.contiguous(memory_format=torch.channels_last), requires_grad=False)
            if conv.bias is not None:
                conv.bias.data.copy_(torch.from_numpy(bias))
        self.last.weight.data.copy_(torch.from_numpy(layers[-1].weight.T.copy()))


@lru_cache(maxsize=2)
def load_embedder(device: str = "cpu") -> FaceEmbedder:
    """The embedder, made once a process and device."""
    return FaceEmbedder(device)


def chip(rgb: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Cut the 150x150 chip that dlib embeds out of an image.

    One face at a time: faces cut in one call share an image pyramid in dlib, and then depend on each other.

    Args:
        rgb: RGB uint8 (H, W, 3).
        landmarks: 5 or 68 points in its pixels; whole numbers, as dlib predicts them (others are rounded).

    Returns:
        RGB uint8 (150, 150, 3).
    """
    import dlib

    points = dlib.points([dlib.point(round(float(x)), round(float(y))) for x, y in landmarks])
    shape = dlib.full_object_detection(dlib.rectangle(0, 0, 1, 1), points)
    return dlib.get_face_chip(np.ascontiguousarray(rgb), shape, CHIP, 0.25)


def embed_faces(
    images: Sequence[np.ndarray], landmarks: Sequence[np.ndarray], embedder: FaceEmbedder | None = None
) -> np.ndarray:
    """Embed one face an image, (N, 128) float32: as `face_recognition.face_encodings` on the same landmarks."""
    embedder = embedder or load_embedder()
    chips = [chip(image, points) for image, points in zip(images, landmarks, strict=True)]
    return embedder.embed_chips(np.stack(chips) if chips else np.empty((0, CHIP, CHIP, 3), np.uint8))


def _add(main: torch.Tensor, shortcut: torch.Tensor) -> torch.Tensor:
    """Add as dlib does: zeros outside the smaller tensor, aligned at index 0 of channels, rows and columns."""
    channels = main.shape[1] - shortcut.shape[1]
    rows, columns = (shortcut.shape[axis] - main.shape[axis] for axis in (2, 3))
    return F.pad(main, (0, columns, 0, rows)) + F.pad(shortcut, (0, 0, 0, 0, 0, channels))
