"""The patch discriminator: what it sees, and that it learns."""

import pytest
import torch

from understudy.swap.discriminator import PatchDiscriminator, discriminator_loss, face_alone, painter_loss


@pytest.mark.parametrize(("size", "reach"), [(64, 8), (128, 18), (256, 38)])
def test_a_patch_is_about_an_eighth_of_the_side(size: int, reach: int) -> None:
    network = PatchDiscriminator(size, 4)
    face = torch.randn(1, 3, size, size, requires_grad=True)
    logits = network(face)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    assert face.grad is not None
    rows = face.grad.abs().sum((0, 1, 3)).nonzero().ravel()
    assert int(rows[-1] - rows[0]) + 1 == reach


def test_only_the_face_is_judged() -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 24:40, 24:40] = 1
    out = face_alone(torch.ones(1, 3, 64, 64), mask)
    assert float(out[..., 32, 32].min()) == pytest.approx(1, abs=1e-4) and float(out[..., :16, :].abs().max()) == 0


def test_it_learns_to_tell_smooth_from_rough() -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(64, 8)
    adam = torch.optim.Adam(network.parameters(), 5e-3)
    rough, smooth = torch.randn(4, 3, 64, 64) * 0.3, torch.zeros(4, 3, 64, 64)
    for _ in range(60):
        adam.zero_grad()
        loss = discriminator_loss(network(rough), network(smooth))
        loss.backward()
        adam.step()
    assert float(loss) < 0.4
    assert float(painter_loss(network(smooth))) > float(painter_loss(network(rough)))
