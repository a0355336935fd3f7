"""Pictures of what the swap has learnt."""

import cv2
import numpy as np
import torch

from understudy.swap.data import FaceTensors
from understudy.swap.networks import Trainee

CELL = 128
"""Faces are shown at this many pixels at least."""


def preview(network: Trainee, source: FaceTensors, target: FaceTensors, count: int = 6) -> np.ndarray:
    """A row a face: source, its reconstruction, target, its reconstruction, the swap; RGB uint8.

    Args:
        network: the networks, on the device of the faces.
        source: faces of the source.
        target: faces of the target.
        count: rows.
    """
    training = network.training
    network.eval()
    with torch.no_grad():
        a, b = _spread(source, count), _spread(target, count)
        rows = min(len(a), len(b))
        a, b = a[:rows], b[:rows]
        own, _, code, _ = network.reconstruct(torch.cat([a, b]))
        columns = [a, own[:rows], b, own[rows:], network.paint_source(code)[0]]
    network.train(training)
    pictures = [to_bytes(column) for column in columns]
    return np.concatenate([np.concatenate(_enlarge(column), 0) for column in pictures], 1)


def to_bytes(images: torch.Tensor) -> np.ndarray:
    """Tensors (B, 3, S, S) in [-1, 1] to RGB uint8 (B, S, S, 3)."""
    numbers = ((images.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return numbers.permute(0, 2, 3, 1).cpu().numpy()


def _spread(faces: FaceTensors, count: int) -> torch.Tensor:
    rows = torch.linspace(0, len(faces) - 1, min(count, len(faces))).round().long()
    return faces.layers[rows.to(faces.layers.device), :3].float() / 127.5 - 1


def _enlarge(images: np.ndarray) -> list[np.ndarray]:
    factor = max(1, -(-CELL // images.shape[1]))
    return [cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC) for image in images]
