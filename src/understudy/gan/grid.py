"""Pictures of what the generator draws."""

import cv2
import numpy as np
import torch
from torch import Tensor

from understudy.gan.generator import Generator

COLUMNS = 8
ROWS = 4


def to_uint8(images: Tensor) -> np.ndarray:
    """RGB (N, 3, H, W) in [-1, 1] to uint8 (N, H, W, 3)."""
    scaled = (images.float() * 127.5 + 128.0).clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def tile(images: np.ndarray, columns: int = COLUMNS, least: int = 128) -> np.ndarray:
    """Set uint8 pictures (N, H, W, 3) in rows; small ones are enlarged to `least` pixels."""
    if images.shape[1] < least:
        images = np.stack([cv2.resize(image, (least, least), interpolation=cv2.INTER_CUBIC) for image in images])
    missing = -len(images) % columns
    if missing:
        images = np.concatenate([images, np.zeros((missing, *images.shape[1:]), np.uint8)])
    return np.concatenate([np.concatenate(list(row), axis=1) for row in images.reshape(-1, columns, *images.shape[1:])])


@torch.no_grad()
def sample_grid(generator: Generator, filmed: np.ndarray, seed: int, psi: float = 1.0) -> np.ndarray:
    """One row of filmed faces above rows drawn from fixed latents.

    Args:
        generator: usually the running mean.
        filmed: up to `COLUMNS` RGB uint8 pictures (n, S, S, 3).
        seed: of the latents, so that grids of one training can be compared.
        psi: truncation.

    Returns:
        RGB uint8 (H, W, 3).
    """
    device = generator.w_avg.device
    random = torch.Generator().manual_seed(seed)
    z = torch.randn(COLUMNS * ROWS, generator.latent, generator=random).to(device)
    above = np.concatenate([filmed, np.zeros((COLUMNS - len(filmed), *filmed.shape[1:]), np.uint8)])
    return tile(np.concatenate([above, to_uint8(generator(z, psi))]))
