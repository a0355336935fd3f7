"""The augmentation: nothing at strength nought, the right sizes otherwise, repeatable."""

import math

import pytest
import torch

from understudy.swap.config import AugmentConfig
from understudy.swap.warp import CELLS, REACH, displacement, jitter_colours, sample, similarity, transfer_colours

STILL = AugmentConfig(rotation=0, scale=0, shift=0, warp=0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_without_strength_nothing_moves() -> None:
    images = torch.rand(3, 3, 32, 32, generator=generator()) * 2 - 1
    matrices = similarity(3, STILL, 0.0, generator())
    moved = displacement(3, 32, 0.0, generator())
    assert torch.allclose(sample(images, matrices, moved), images, atol=1e-5)


def test_mirror() -> None:
    images = torch.rand(2, 3, 32, 32, generator=generator()) * 2 - 1
    matrices = similarity(2, STILL, 1.0, generator())
    assert torch.allclose(sample(images, matrices), images.flip(3), atol=1e-5)


def test_displacement_is_bounded_and_zero_at_the_border() -> None:
    moved = displacement(200, 33, 1.0, generator())
    assert float(moved[:, [0, -1]].abs().max()) == 0
    assert float(moved[:, :, [0, -1]].abs().max()) == 0
    assert 0.5 < float(moved.abs().max()) / (REACH * 2 / min(CELLS)) <= 1
    assert torch.equal(moved, displacement(200, 33, 1.0, generator()))
    assert not torch.equal(moved, displacement(200, 33, 1.0, generator(1)))


def test_similarity_stays_in_its_ranges() -> None:
    config = AugmentConfig(rotation=10, scale=0.05, shift=0.05)
    matrices = similarity(500, config, 0.0, generator())
    angle = torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0])
    scale = torch.linalg.det(matrices[:, :, :2]).sqrt()
    assert math.radians(8) < float(angle.abs().max()) <= math.radians(10) + 1e-5
    assert 1.03 < float(scale.max()) <= 1.05 + 1e-5
    assert 0.08 < float(matrices[:, :, 2].abs().max()) <= 0.1


def test_warp_is_the_similarity_after_the_displacement() -> None:
    """Away from the warped part, input and target show the same; a rotation does not bend what is not warped."""
    images = torch.rand(2, 1, 32, 32, generator=generator())
    matrices = similarity(2, AugmentConfig(), 0.0, generator())
    assert torch.allclose(sample(images, matrices, torch.zeros(2, 32, 32, 2)), sample(images, matrices), atol=1e-6)


def test_colour_transfer_takes_on_the_other_mean() -> None:
    a = torch.rand(2, 3, 16, 16, generator=generator()) * 0.4 - 0.6
    b = torch.rand(2, 3, 16, 16, generator=generator(1)) * 0.4 + 0.1
    whole = torch.ones(2, 1, 16, 16)
    out = transfer_colours(a, whole, b, whole, torch.tensor([True, False]))
    assert torch.allclose(out[0].mean((1, 2)), b[0].mean((1, 2)), atol=1e-3)
    assert torch.equal(out[1], a[1])


def test_colour_jitter() -> None:
    images = torch.rand(4, 3, 16, 16, generator=generator()) * 2 - 1
    assert torch.allclose(jitter_colours(images, 0.0, generator()), images, atol=1e-6)
    change = (jitter_colours(images, 0.05, generator()) - images).abs().max()
    assert 0.01 < float(change) < 0.5
    assert float(change) != pytest.approx(0)
