"""DSSIM against scikit-image, and the losses' behaviour."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from understudy.swap.config import LossConfig
from understudy.swap.losses import dssim, face_losses, multiscale_dssim, soften


def pictures(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A crop and a noisy, shifted copy, float (64, 64, 3) in 0..1."""
    a = image[60:188:2, 160:288:2] / 255.0
    noise = np.random.default_rng(0).normal(0, 0.05, a.shape)
    return a, np.clip(np.roll(a, 1, 0) + noise, 0, 1)


def as_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).float().permute(2, 0, 1)[None]


def test_dssim_is_that_of_scikit_image(astronaut: np.ndarray) -> None:
    a, b = pictures(astronaut)
    theirs = structural_similarity(
        a, b, data_range=1, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    ours = 1 - 2 * float(dssim(as_tensor(a), as_tensor(b), 11))
    assert ours == pytest.approx(theirs, abs=2e-5)
    assert 0.2 < theirs < 0.95, "the pictures must differ for the comparison to mean anything"


@pytest.mark.parametrize("side", [64, 256])
def test_multiscale_dssim_is_zero_for_equal_pictures_and_falls_with_descent(side: int) -> None:
    generator = torch.Generator().manual_seed(0)
    a = torch.rand(2, 3, side, side, generator=generator)
    assert float(multiscale_dssim(a, a).abs().max()) < 1e-6
    b = torch.rand(2, 3, side, side, generator=generator).requires_grad_()
    before = multiscale_dssim(a, b).sum()
    before.backward()
    assert b.grad is not None and torch.isfinite(b.grad).all()
    with torch.no_grad():
        assert multiscale_dssim(a, b - 0.1 * b.grad / b.grad.abs().max()).sum() < before


def test_losses_look_inside_the_mask_alone() -> None:
    target = torch.zeros(1, 3, 64, 64)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:44, 20:44] = 1
    image = target.clone()
    image[..., :8] = 1  # far outside
    quiet = face_losses(image, mask, target, mask, mask, LossConfig())
    assert sum(float(value.sum()) for value in quiet.values()) == pytest.approx(0, abs=1e-6)
    image[..., 30:34, 30:34] = 1
    loud = face_losses(image, mask, target, mask, mask, LossConfig())
    assert min(float(loud[name]) for name in ("dssim", "mse", "eyes_mouth")) > 1e-3
    assert set(face_losses(image, mask, target, mask, mask, LossConfig(eyes_mouth=0))) == {"dssim", "mse", "mask"}
    assert {value.shape for value in loud.values()} == {(1,)}


def test_softened_mask_keeps_its_area() -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:44, 20:44] = 1
    assert float(soften(mask).sum()) == pytest.approx(float(mask.sum()), rel=1e-5)


@pytest.mark.parametrize("side", [64, 256])
def test_only_the_part_around_the_face_is_computed_and_nothing_is_lost(side: int) -> None:
    generator = torch.Generator().manual_seed(0)
    image, target = torch.rand(2, 2, 3, side, side, generator=generator) * 2 - 1
    mask = torch.zeros(2, 1, side, side)
    mask[0, 0, side // 4 : side // 2, side // 3 : side // 2] = 1
    mask[1, 0, side // 3 : side // 2 + 2, : side // 2] = 1  # reaches the border
    made = face_losses(image, mask, target, mask, mask, LossConfig())
    soft = 2 * soften(mask).clamp(0, 0.5)
    a, b = (image + 1) / 2, (target + 1) / 2
    assert torch.allclose(made["dssim"], 10 * multiscale_dssim(a * soft, b * soft), rtol=1e-4)
    assert torch.allclose(made["mse"], 10 * ((a - b) * soft).square().mean((1, 2, 3)), rtol=1e-4)
    assert torch.allclose(made["eyes_mouth"], 300 * ((a - b) * mask).abs().mean((1, 2, 3)), rtol=1e-4)
