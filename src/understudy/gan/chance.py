"""Random numbers of training, drawn for the whole batch of all processes.

Every process draws the numbers of the global batch and takes its own part. So several processes see the same noise,
latents and augmentations as one process with the same batch, and need not agree on anything.
"""

import torch
from torch import Tensor

from understudy.processes import Share

_current = [Share()]


def set_share(share: Share) -> None:
    """Say which part of each batch is drawn from now on."""
    _current[0] = share


def share() -> Share:
    """The part that is drawn."""
    return _current[0]


def normal(count: int, *shape: int, device: torch.device | None = None) -> Tensor:
    """Standard normal numbers (count, *shape): this process's part of (count x processes, *shape)."""
    return _part(torch.randn(count * _current[0].world, *shape, device=device), count)


def uniform(count: int, *shape: int, device: torch.device | None = None) -> Tensor:
    """Numbers from [0, 1), (count, *shape)."""
    return _part(torch.rand(count * _current[0].world, *shape, device=device), count)


def whole(low: int, high: int, count: int, *shape: int, device: torch.device | None = None) -> Tensor:
    """Whole numbers from [low, high), (count, *shape)."""
    return _part(torch.randint(low, high, (count * _current[0].world, *shape), device=device), count)


def _part(drawn: Tensor, count: int) -> Tensor:
    start = _current[0].rank * count
    return drawn[start : start + count]
