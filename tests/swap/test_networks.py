"""Sizes and shapes of the autoencoder."""

import pytest
import torch

from understudy.errors import UserError
from understudy.swap.layers import Decoder, Encoder, Inter, Standard
from understudy.swap.networks import Swapper, Trainee, load_swapper, weights_of
from understudy.weights import Weights


def test_parameters_of_df_ud_at_256_pixels() -> None:
    with torch.device("meta"):
        counts = [
            sum(parameter.numel() for parameter in part.parameters())
            for part in (Encoder(64, True), Inter(8 * 64 * 256, 256, 256, 8), Decoder(256, 64, 22, True))
        ]
    assert [round(count / 1e6, 2) for count in counts] == [4.31, 40.13, 19.18]


def test_parameters_of_liae_ud_at_128_pixels() -> None:
    with torch.device("meta"):
        network = Trainee(128, "ud", 64, 256, 64, 22, "liae")
    count = sum(parameter.numel() for parameter in network.parameters())
    told = sum(parameter.numel() for parameter in network.expression.parameters())
    assert round((count - told) / 1e6, 1) == 82.4


@pytest.mark.parametrize("kind", ["df", "liae"])
@pytest.mark.parametrize("options", ["", "u", "d", "ud", "s", "uds"])
def test_shapes_and_ranges(options: str, kind: str) -> None:
    network = Trainee(64, options, 8, 16, 8, 4, kind)
    with torch.no_grad():
        faces, masks, _, expression = network.reconstruct(torch.rand(4, 3, 64, 64) * 2 - 1)
        image, mask = network(torch.rand(2, 3, 64, 64) * 2 - 1)
    assert faces.shape == (4, 3, 64, 64) and masks.shape == (4, 1, 64, 64) and expression.shape == (4, 5)
    assert image.shape == (2, 3, 64, 64) and mask.shape == (2, 1, 64, 64)
    assert float(image.abs().max()) <= 1 and 0 <= float(mask.min()) and float(mask.max()) <= 1


@pytest.mark.parametrize("size", [64, 96, 512])
def test_sizes(size: int) -> None:
    with torch.device("meta"):
        image, mask = Swapper(size, "ud", 4, 8, 4, 2)(torch.empty(1, 3, size, size))
    assert image.shape[-1] == mask.shape[-1] == size


@pytest.mark.parametrize("kind", ["df", "liae"])
def test_the_source_is_painted_from_the_shared_code_alone(kind: str) -> None:
    """What the swap does to a face of the source is what training does to it."""
    torch.manual_seed(0)
    network = Trainee(64, "ud", 8, 16, 8, 4, kind)
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        painted = network.reconstruct(torch.cat([faces, faces]))
        assert torch.allclose(network(faces)[0], painted.faces[:2], atol=1e-6)
        assert torch.allclose(network.paint_source(painted.code)[0], painted.faces[:2], atol=1e-6)
        assert not torch.allclose(painted.faces[2:], painted.faces[:2], atol=1e-3)


def test_standard_codes_differ_by_expression_and_not_by_who_it_is() -> None:
    torch.manual_seed(0)
    standard = Standard(16)
    identity, expression = 10 * torch.randn(16), torch.randn(64, 16)
    for _ in range(100):
        inside = standard(identity + 0.1 * expression)
    torch.testing.assert_close(inside.mean(0), torch.zeros(16), atol=1e-4, rtol=0)
    torch.testing.assert_close(inside.var(0, unbiased=False), torch.ones(16), atol=1e-2, rtol=0)
    standard.eval()
    torch.testing.assert_close(standard(identity + 0.1 * expression), inside, atol=1e-3, rtol=0)
    assert torch.equal(standard(identity[None]), standard(identity[None])), "looking does not change it"


@pytest.mark.parametrize("options", ["ud", "uds"])
@pytest.mark.parametrize("kind", ["df", "liae"])
def test_weights_hold_what_rendering_needs_and_no_more(kind: str, options: str) -> None:
    torch.manual_seed(0)
    arguments = {"size": 64, "options": options, "encoder": 8, "inter": 16, "decoder": 8, "mask": 4}
    trained = Trainee(**arguments, kind=kind)
    trained.reconstruct(torch.rand(8, 3, 64, 64) * 2 - 1)
    trained.eval()
    weights = weights_of(trained, arguments, {})
    assert weights.kind == kind
    needed = {"encoder", "inter", "source", *(["standard"] if "s" in options else [])}
    assert {name.split(".")[0] for name in weights.tensors} == needed
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        for ours, theirs in zip(load_swapper(weights)(faces), trained(faces), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-6)


def test_wrong_size_and_wrong_kind() -> None:
    with pytest.raises(UserError, match="use a multiple of 32"):
        Swapper(80, "ud", 8, 16, 8, 4)
    with pytest.raises(UserError, match="'stylegan2' where df or liae is needed"):
        load_swapper(Weights("stylegan2", {}, {}))


def test_a_mask_that_is_sure_leaves_no_denormal_gradients() -> None:
    decoder = Decoder(16, 8, 4, True)
    with torch.no_grad():
        assert decoder.mask_out.bias is not None
        decoder.mask_out.bias.fill_(-60.0)  # the mask is nothing anywhere
    decoder(torch.randn(2, 16, 4, 4))[1].square().mean().backward()
    smallest = torch.finfo(torch.float32).tiny
    for name, parameter in decoder.mask.named_parameters():
        assert parameter.grad is not None
        size = parameter.grad.abs()
        assert not ((size > 0) & (size < smallest)).any(), name
