import pytest
import torch

from understudy.gan.augment import colour, cutout, diffaugment, translate


@pytest.mark.parametrize("change", [colour, translate, cutout, diffaugment])
def test_can_be_differentiated_twice(change) -> None:
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)

    def fixed(images: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)
        return change(images).pow(3)

    assert torch.autograd.gradcheck(fixed, (x,), fast_mode=True)
    assert torch.autograd.gradgradcheck(fixed, (x,), fast_mode=True)


def test_translation_moves_by_whole_pixels_and_brings_zeros() -> None:
    torch.manual_seed(0)
    x = torch.rand(40, 3, 16, 16) + 1.0
    moved = translate(x)
    shifts = set()
    for before, after in zip(x, moved, strict=True):
        found = [
            (dy, dx)
            for dy in range(-2, 3)
            for dx in range(-2, 3)
            if torch.equal(torch.nn.functional.pad(before, (2, 2, 2, 2))[:, 2 + dy : 18 + dy, 2 + dx : 18 + dx], after)
        ]
        assert len(found) == 1
        shifts.add(found[0])
    assert len(shifts) > 10


def test_cutout_blanks_at_most_a_quarter_and_differs_between_images() -> None:
    torch.manual_seed(0)
    blanked = (cutout(torch.ones(50, 3, 16, 16)) == 0).float()
    assert torch.equal(blanked[:, 0], blanked[:, 2])
    share = blanked[:, 0].mean(dim=(1, 2))
    assert share.max() == 0.25
    assert share.min() < 0.15


def test_colour_changes_each_image_by_itself_and_keeps_the_place() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 3, 8, 8).expand(6, -1, -1, -1)
    changed = colour(x)
    assert changed.mean(dim=(1, 2, 3)).std() > 0.1
    luma = changed.mean(dim=1).flatten(1)
    correlation = torch.corrcoef(torch.cat([x[:1].mean(dim=1).flatten(1), luma]))[0, 1:]
    assert (correlation > 0.999).all()
