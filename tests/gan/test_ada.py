import math

import pytest
import torch

from understudy.gan import ada
from understudy.gan.ada import Lottery, adjusted, augment, place, recolour, turn
from understudy.gan.warp import warp


def unmoved(count: int) -> torch.Tensor:
    return torch.eye(3)[:2][None].repeat(count, 1, 1)


def smooth(size: int, dx: float = 0.0, dy: float = 0.0, turned: float = 0.0) -> torch.Tensor:
    """A smooth picture, sampled after moving and turning it: (1, 1, size, size), float64."""
    at = (torch.arange(size, dtype=torch.float64) + 0.5) * 2 / size - 1
    y, x = torch.meshgrid(at, at, indexing="ij")
    u = math.cos(turned) * x - math.sin(turned) * y + dx
    v = math.sin(turned) * x + math.cos(turned) * y + dy
    return (torch.sin(3 * u + 1) * torch.cos(2 * v) + 0.3 * u)[None, None]


def test_what_is_not_moved_or_moved_by_whole_pixels_comes_back_unchanged() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(warp(x, unmoved(2)), x, atol=1e-4, rtol=0)
    move = unmoved(2)
    move[:, 0, 2], move[:, 1, 2] = 5 * 2 / 32, -3 * 2 / 32
    moved = warp(x, move)
    torch.testing.assert_close(moved[:, :, 3:, :27], x[:, :, :29, 5:], atol=1e-4, rtol=0)


@pytest.mark.parametrize(("dx", "dy", "turned"), [(0.03, 0, 0), (0, -0.11, 0), (0, 0, 0.4), (0.1, 0.05, -1)])
def test_a_smooth_picture_is_moved_exactly(dx, dy, turned) -> None:
    size = 64
    cos, sin = math.cos(turned), math.sin(turned)
    move = torch.tensor([[[cos, -sin, dx], [sin, cos, dy]]], dtype=torch.float64)
    moved, expected = warp(smooth(size), move), smooth(size, dx, dy, turned)
    at = (torch.arange(size, dtype=torch.float64) + 0.5) * 2 / size - 1
    y, x = torch.meshgrid(at, at, indexing="ij")
    inside = (torch.maximum((cos * x - sin * y + dx).abs(), (sin * x + cos * y + dy).abs()) < 0.85)[None, None]
    assert (moved - expected)[inside].abs().max() < 0.01


def test_without_strength_nothing_changes_and_with_it_everything_does() -> None:
    torch.manual_seed(0)
    x = smooth(32).float().expand(8, 3, -1, -1).contiguous()
    assert augment(x, torch.tensor(0.0)) is x
    # a GPU goes the long way even then
    none = Lottery(8, torch.tensor(0.0), x.device)
    torch.testing.assert_close(recolour(warp(turn(x, none), place(none, 32)), none), x, atol=1e-4, rtol=0)
    changed = augment(x, torch.tensor(1.0))
    assert (changed - x).abs().mean(dim=(1, 2, 3)).min() > 0.05
    assert (changed[0] - changed[1]).abs().mean() > 0.05


def test_strength_is_the_part_of_the_pictures_that_each_change_is_applied_to() -> None:
    torch.manual_seed(0)
    lottery = Lottery(20_000, torch.tensor(0.3), torch.device("cpu"))
    assert (lottery.factor(0.2) != 1).float().mean() == pytest.approx(0.3, abs=0.02)
    assert lottery.factor(0.2).log2().pow(2).mean().sqrt() == pytest.approx(0.2 * math.sqrt(0.3), rel=0.05)
    assert (lottery.number(4) > 0).float().mean() == pytest.approx(0.3 * 3 / 4, abs=0.02)
    turned = place(lottery, 64)
    # rotated before or after stretching: together with probability p
    angles = torch.atan2(turned[:, 1, 0] - turned[:, 0, 1], turned[:, 0, 0] + turned[:, 1, 1])
    assert (angles.abs() > 1e-3).float().mean() == pytest.approx(0.3, abs=0.02)


def test_colour_changes_keep_what_they_should() -> None:
    torch.manual_seed(0)
    grey = torch.rand(64, 1, 4, 4).expand(-1, 3, -1, -1).contiguous()
    changed = recolour(grey, Lottery(64, torch.tensor(1.0), grey.device))
    # hue and saturation leave greys grey; mirrored luma turns them round
    torch.testing.assert_close(changed.std(dim=1), torch.zeros(64, 4, 4), atol=1e-5, rtol=0)
    slopes = torch.stack(
        [
            torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]
            for a, b in zip(grey[:, 0], changed[:, 0], strict=True)
        ]
    )
    torch.testing.assert_close(slopes.abs(), torch.ones(64), atol=1e-3, rtol=0)
    assert 0.3 < (slopes < 0).float().mean() < 0.7


@pytest.mark.parametrize("change", [lambda x: augment(x, torch.tensor(0.9)), lambda x: warp(x, ROTATED.to(x.dtype))])
def test_can_be_differentiated_twice(change) -> None:
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64, requires_grad=True)

    def fixed(images: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)
        return change(images).pow(3)

    assert torch.autograd.gradcheck(fixed, (x,), fast_mode=True, atol=1e-4)
    assert torch.autograd.gradgradcheck(fixed, (x,), fast_mode=True, atol=1e-4)


ROTATED = torch.tensor([[[0.9, -0.3, 0.1], [0.3, 0.9, 0.2]]]).repeat(2, 1, 1)


def test_strength_rises_when_the_discriminator_is_too_sure_and_stays_in_its_bounds() -> None:
    p = torch.tensor(0.5)
    assert adjusted(p, torch.tensor(0.9), 64, 0.6, 100, 0.8) == pytest.approx(0.5 + 64 / 100_000)
    assert adjusted(p, torch.tensor(0.1), 64, 0.6, 100, 0.8) == pytest.approx(0.5 - 64 / 100_000)
    assert adjusted(torch.tensor(0.8), torch.tensor(0.9), 64, 0.6, 100, 0.8) == pytest.approx(0.8)
    assert adjusted(torch.tensor(0.0), torch.tensor(0.1), 64, 0.6, 100, 0.8) == 0
    assert ada.ADJUST_EVERY == 4
