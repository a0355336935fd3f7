"""A perceptual distance without a downloaded network: the LPIPS recipe on dlib's face network.

LPIPS (Zhang et al., CVPR 2018, equation 1) compares two pictures by the features of a network at several depths, each
position's feature vector scaled to length one. Its learned channel weights belong to networks trained on ImageNet; here
the network is dlib's, trained on faces, and all channels count alike. So the numbers rank results of this project and
are not those of LPIPS.
"""

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from understudy.faces.embedding import CHIP, FaceEmbedder, load_embedder

DEPTHS = (3, 7, 10, 14)
"""Blocks of the network after which features are compared, besides those of its first convolution: the last of each
width, 32, 64, 128 and 256 channels."""

BATCH = 16


def perceptual_distances(first: np.ndarray, second: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Distances of pairs of pictures, 0 for the same ones.

    Args:
        first: RGB uint8 (N, S, S, 3).
        second: likewise.
        masks: weight of each pixel, (N, S, S) in 0..1, such as that of the face.

    Returns:
        (N,) float64, the mean over five depths; each between 0 and 2.
    """
    network = load_embedder()
    parts = [np.empty(0)]
    for start in range(0, len(first), BATCH):
        part = slice(start, start + BATCH)
        parts.append(_distances(network, _enlarged(first[part]), _enlarged(second[part]), masks[part]))
    return np.concatenate(parts)


@torch.inference_mode()
def _distances(network: FaceEmbedder, first: Tensor, second: Tensor, masks: np.ndarray) -> np.ndarray:
    weight = torch.from_numpy(masks.astype(np.float32))[:, None]  # N x 1 x S x S
    total = torch.zeros(len(first))
    for a, b in zip(_features(network, first), _features(network, second), strict=True):
        squared = (F.normalize(a, eps=1e-8) - F.normalize(b, eps=1e-8)).square().sum(1, keepdim=True) / 2
        inside = F.interpolate(weight, squared.shape[2:], mode="area")
        total += (squared * inside).sum((1, 2, 3)) / inside.sum((1, 2, 3)).clamp_min(1e-8)
    return (total / (len(DEPTHS) + 1)).double().numpy()


def _features(network: FaceEmbedder, x: Tensor) -> list[Tensor]:
    """Features of pictures (N, 3, 150, 150) in 0..255 at all depths, (N, C, H, W) each."""
    x = F.relu(network.stem((x - network.means) / 256))
    found = [x]
    x = F.max_pool2d(x, 3, 2)
    for number, block in enumerate(network.blocks, 1):
        x = block(x)
        if number in DEPTHS:
            found.append(x)
    return found


def _enlarged(images: np.ndarray) -> Tensor:
    sized = [cv2.resize(image, (CHIP, CHIP), interpolation=cv2.INTER_CUBIC) for image in images]
    return torch.from_numpy(np.stack(sized)).permute(0, 3, 1, 2).float()
