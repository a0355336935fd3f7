"""Whether a painted face is that person's: distance in the 128-d embedding, with gradients."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from understudy.faces.align import MEAN_FACE, POINTS, umeyama
from understudy.faces.embedding import CHIP, FaceEmbedder, load_embedder

PADDING = 0.25
"""Of the embedder's chip around the mean face's unit square, in its sides."""


class Likeness(nn.Module):
    """Distance of faces to a person.

    Crop and chip are aligned to the same mean face, so that one fixed similarity leads from one to the other.

    Args:
        person: the person's embedding (128,).
        landmarks: of any aligned crops of the same geometry, in crop pixels (N, 68, 2).
        size: pixels of the crops.
        device: where it runs.
    """

    person: torch.Tensor
    way: torch.Tensor

    def __init__(
        self, person: np.ndarray, landmarks: np.ndarray, size: int, device: torch.device | str = "cpu"
    ) -> None:
        super().__init__()
        self.embedder: FaceEmbedder = load_embedder(str(device))
        usual = np.nanmean(landmarks, 0)[POINTS]  # 33 x 2
        chip = (MEAN_FACE + PADDING) / (1 + 2 * PADDING) * CHIP
        # From chip to crop, both in [-1, 1] where -1 and 1 are the outer edges of the outer pixels.
        way = umeyama((chip + 0.5) * 2 / CHIP - 1, (usual + 0.5) * 2 / size - 1)
        self.register_buffer("way", torch.from_numpy(way).float().to(device), persistent=False)
        self.register_buffer("person", torch.from_numpy(person).float().to(device), persistent=False)

    def chips(self, faces: torch.Tensor) -> torch.Tensor:
        """Crops (B, 3, S, S) to the embedder's chips (B, 3, 150, 150)."""
        grid = F.affine_grid(self.way.expand(len(faces), 2, 3), [len(faces), 3, CHIP, CHIP], align_corners=False)
        return F.grid_sample(faces.float(), grid, mode="bicubic", padding_mode="border", align_corners=False)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """Faces (B, 3, S, S) in [-1, 1] to distances (B,); 0.6 is the usual limit of one person."""
        embedded = self.embedder(self.chips(faces).clamp(-1, 1))
        return (embedded - self.person).square().sum(1).add(1e-8).sqrt()
