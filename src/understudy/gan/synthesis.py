"""Drawing faces: one seed a face, so that each can be drawn again by itself."""

from collections.abc import Sequence

import numpy as np
import torch

from understudy.gan.generator import Generator
from understudy.gan.grid import to_uint8


def latents(seeds: Sequence[int], size: int) -> torch.Tensor:
    """The latents (N, size) of the given seeds."""
    return torch.stack([torch.randn(size, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds])


@torch.no_grad()
def draw(generator: Generator, seeds: Sequence[int], psi: float = 1.0, batch: int = 25) -> np.ndarray:
    """Draw the faces of `seeds`.

    Args:
        generator: in evaluation mode, on any device.
        seeds: one a face.
        psi: truncation: 1 draws everything that was learned, smaller values stay nearer to the mean face.
        batch: faces drawn at a time.

    Returns:
        RGB uint8 (N, S, S, 3).
    """
    device = generator.w_avg.device
    parts = []
    for start in range(0, len(seeds), batch):
        z = latents(seeds[start : start + batch], generator.latent).to(device)
        parts.append(to_uint8(generator(z, psi)))
    return np.concatenate(parts)
