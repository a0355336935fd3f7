"""Drawing faces: one recipe a face, so that each can be drawn again by itself."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from understudy.gan.generator import Generator
from understudy.gan.grid import to_uint8


@dataclass(frozen=True)
class Recipe:
    """All that decides one face of a generator.

    Args:
        seed: of its latents.
        psi: truncation: 1 draws everything that was learned, smaller values stay nearer to the mean face.
        crossover: number of the layer from which on the style is that of a second latent; 0: of the first throughout.
    """

    seed: int
    psi: float
    crossover: int = 0

    def as_dict(self) -> dict[str, float]:
        """Plain values for JSON."""
        return asdict(self)


def latents(seeds: Sequence[int], size: int) -> torch.Tensor:
    """The latents (N, size) of the given seeds."""
    return _pairs(seeds, size, 1)[:, 0]


def styles(generator: Generator, recipes: Sequence[Recipe]) -> torch.Tensor:
    """The ws (N, num_ws, latent) of the given recipes, on the generator's device."""
    device = generator.w_avg.device
    z = _pairs([recipe.seed for recipe in recipes], generator.latent, 2).to(device)  # N x 2 x latent
    first, second = (generator.mapping(z[:, number])[:, None] for number in (0, 1))
    layer = torch.arange(generator.num_ws, device=device)[None, :, None]
    change = torch.tensor([recipe.crossover or generator.num_ws for recipe in recipes], device=device)
    ws = torch.where(layer < change[:, None, None], first, second)
    psi = torch.tensor([recipe.psi for recipe in recipes], device=device, dtype=ws.dtype)[:, None, None]
    return torch.lerp(generator.w_avg.expand_as(ws), ws, psi)


@torch.no_grad()
def draw_recipes(generator: Generator, recipes: Sequence[Recipe], batch: int = 25) -> np.ndarray:
    """Draw faces by their recipes.

    Args:
        generator: in evaluation mode, on any device.
        recipes: one a face.
        batch: faces drawn at a time.

    Returns:
        RGB uint8 (N, S, S, 3).
    """
    parts = [np.empty((0, generator.size, generator.size, 3), np.uint8)]
    for start in range(0, len(recipes), batch):
        parts.append(to_uint8(generator.synthesis(styles(generator, recipes[start : start + batch]), "const")))
    return np.concatenate(parts)


def draw(generator: Generator, seeds: Sequence[int], psi: float = 1.0, batch: int = 25) -> np.ndarray:
    """Draw the faces of `seeds`, one style each.

    Args:
        generator: in evaluation mode, on any device.
        seeds: one a face.
        psi: truncation.
        batch: faces drawn at a time.

    Returns:
        RGB uint8 (N, S, S, 3).
    """
    return draw_recipes(generator, [Recipe(int(seed), psi) for seed in seeds], batch)


def _pairs(seeds: Sequence[int], size: int, count: int) -> torch.Tensor:
    """`count` latents a seed, (N, count, size); the first is the same whatever the count."""
    generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    return torch.stack([torch.stack([torch.randn(size, generator=own) for _ in range(count)]) for own in generators])
