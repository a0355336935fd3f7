"""OpenFace's nn4.small2: the network by which the paper measured variety, in the layout of its official torch file.

An Inception network of 3.7 million parameters (Amos et al., CMU-CS-16-118, 2016) that maps a face of 96x96 pixels to a
unit vector of 128 numbers. Two faces are compared by the squared Euclidean distance, 0 to 4.
"""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 96
"""Side of the network's input in pixels."""

ANCHORS = (36, 45, 33)
"""Landmarks that fix the face in the input: the outer corners of both eyes and the base of the nose."""

PLACES = SIDE * np.array([(0.194157, 0.169267), (0.788859, 0.158171), (0.494951, 0.514441)])
"""Where they lie in the input, (3, 2) pixels.

OpenFace's mean face of 68 points (Apache-2.0), stretched so that all 68, jaw included, just fill the unit square: the
points (0.252419, 0.331052), (0.782865, 0.321305), (0.520713, 0.634268) of a face that spans 0.079240 to 0.971193 across
and 0.182361 to 1.060804 down.
"""

Pool = Literal["max", "norm"]


def cut(crop: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Cut the network's input out of an image: the affine map that puts the three anchors in their places.

    Args:
        crop: RGB uint8 (H, W, 3).
        landmarks: 68 points in its pixels, (68, 2).

    Returns:
        RGB uint8 (96, 96, 3); black outside the image, as in OpenFace.
    """
    matrix = cv2.getAffineTransform(landmarks[list(ANCHORS)].astype(np.float32), PLACES.astype(np.float32))
    return cv2.warpAffine(crop, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)


def _unit(inputs: int, outputs: int, size: int, stride: int = 1) -> list[nn.Module]:
    """Convolution with bias, batch norm, ReLU."""
    return [nn.Conv2d(inputs, outputs, size, stride, size // 2), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class InceptionBlock(nn.Module):
    """Branches side by side: reduced 3x3 and 5x5 convolutions, a pool, a 1x1 convolution.

    Args:
        inputs: channels that come in.
        convolutions: for each of the 3x3 and, where there is one, the 5x5 branch: size, reduced and final channels.
        stride: of these convolutions.
        pool: 3x3 maximum with stride 2, or 3x3 root of the sum of squares with stride 3.
        pooled: channels after the pool's 1x1 convolution; 0 leaves the pool as it is.
        plain: channels of the 1x1 branch; 0 leaves it out.
    """

    def __init__(
        self,
        inputs: int,
        convolutions: Sequence[tuple[int, int, int]],
        stride: int,
        pool: Pool,
        pooled: int,
        plain: int,
    ) -> None:
        super().__init__()
        branches = [
            nn.Sequential(*_unit(inputs, reduced, 1), *_unit(reduced, outputs, size, stride))
            for size, reduced, outputs in convolutions
        ]
        pooling = nn.MaxPool2d(3, 2) if pool == "max" else nn.LPPool2d(2, 3, 3)
        branches.append(nn.Sequential(pooling, *(_unit(inputs, pooled, 1) if pooled else [])))
        if plain:
            branches.append(nn.Sequential(*_unit(inputs, plain, 1)))
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, sum of the branches, H', W'): smaller branches get a border of zeros."""
        found = [branch(x) for branch in self.branches]
        height, width = (max(branch.shape[axis] for branch in found) for axis in (2, 3))
        return torch.cat([_bordered(branch, height, width) for branch in found], 1)


def _bordered(x: Tensor, height: int, width: int) -> Tensor:
    down, across = height - x.shape[2], width - x.shape[3]
    return F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))


class OpenFace(nn.Module):
    """The network, in evaluation mode; its weights come from the official file."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2 = nn.Conv2d(64, 64, 1)
        self.bn2 = nn.BatchNorm2d(64)
        self.conv3 = nn.Conv2d(64, 192, 3, 1, 1)
        self.bn3 = nn.BatchNorm2d(192)
        self.incept3a = InceptionBlock(192, [(3, 96, 128), (5, 16, 32)], 1, "max", 32, 64)
        self.incept3b = InceptionBlock(256, [(3, 96, 128), (5, 32, 64)], 1, "norm", 64, 64)
        self.incept3c = InceptionBlock(320, [(3, 128, 256), (5, 32, 64)], 2, "max", 0, 0)
        self.incept4a = InceptionBlock(640, [(3, 96, 192), (5, 32, 64)], 1, "norm", 128, 256)
        self.incept4e = InceptionBlock(640, [(3, 160, 256), (5, 64, 128)], 2, "max", 0, 0)
        self.incept5a = InceptionBlock(1024, [(3, 96, 384)], 1, "norm", 96, 256)
        self.incept5b = InceptionBlock(736, [(3, 96, 384)], 1, "max", 96, 256)
        self.ln = nn.Linear(736, 128)
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Faces, RGB in 0..1 (N, 3, 96, 96), to unit vectors (N, 128)."""
        x = F.relu(self.bn1(self.conv1(images)))
        x = _normalised(F.max_pool2d(x, 3, 2, 1))  # (N, 64, 24, 24)
        x = F.relu(self.bn2(self.conv2(x)))
        x = _normalised(F.relu(self.bn3(self.conv3(x))))
        x = F.max_pool2d(x, 3, 2, 1)  # (N, 192, 12, 12)
        x = self.incept3c(self.incept3b(self.incept3a(x)))  # (N, 640, 6, 6)
        x = self.incept4e(self.incept4a(x))  # (N, 1024, 3, 3)
        x = self.incept5b(self.incept5a(x))  # (N, 736, 3, 3)
        return F.normalize(self.ln(F.avg_pool2d(x, 3).flatten(1)), eps=1e-10)

    @torch.inference_mode()
    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Inputs made by `cut`, RGB uint8 (N, 96, 96, 3), to unit vectors (N, 128) float32."""
        device = self.ln.weight.device
        return self(torch.from_numpy(faces).to(device).permute(0, 3, 1, 2).float() / 255).cpu().numpy()


def _normalised(x: Tensor) -> Tensor:
    return F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0)


def embed_crops(
    network: OpenFace, crops: Sequence[np.ndarray] | np.ndarray, landmarks: np.ndarray, batch: int
) -> np.ndarray:
    """Embed one face a crop by its landmarks.

    Args:
        network: the network.
        crops: RGB uint8 (H, W, 3) each.
        landmarks: (N, 68, 2) in crop pixels; NaN where there is no face.
        batch: faces at a time.

    Returns:
        (N, 128) float32; NaN where there is no face.
    """
    vectors = np.full((len(crops), 128), np.nan, np.float32)
    rows = np.flatnonzero(np.isfinite(landmarks).all((1, 2)))
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        vectors[part] = network.embed(np.stack([cut(crops[row], landmarks[row]) for row in part]))
    return vectors
