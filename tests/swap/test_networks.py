"""Sizes and shapes of the autoencoder."""

import pytest
import torch

from understudy.errors import UserError
from understudy.swap.networks import Decoder, Encoder, Inter, Swapper, Trainee, load_swapper, weights_of
from understudy.weights import Weights


def test_parameters_of_df_ud_at_256_pixels() -> None:
    with torch.device("meta"):
        counts = [
            sum(parameter.numel() for parameter in part.parameters())
            for part in (Encoder(64, True), Inter(8 * 64 * 256, 256, 256, 8), Decoder(256, 64, 22, True))
        ]
    assert [round(count / 1e6, 2) for count in counts] == [4.31, 40.13, 19.18]


@pytest.mark.parametrize("options", ["", "u", "d", "ud"])
def test_shapes_and_ranges(options: str) -> None:
    network = Trainee(64, options, 8, 16, 8, 4)
    with torch.no_grad():
        image, mask = network(torch.rand(2, 3, 64, 64) * 2 - 1)
    assert image.shape == (2, 3, 64, 64) and mask.shape == (2, 1, 64, 64)
    assert float(image.abs().max()) <= 1 and 0 <= float(mask.min()) and float(mask.max()) <= 1


def test_weights_hold_what_rendering_needs_and_no_more() -> None:
    torch.manual_seed(0)
    arguments = {"size": 64, "options": "ud", "encoder": 8, "inter": 16, "decoder": 8, "mask": 4}
    trained = Trainee(**arguments).eval()
    weights = weights_of(trained, arguments, {})
    assert not [name for name in weights.tensors if name.startswith("target")]
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        for ours, theirs in zip(load_swapper(weights)(faces), trained(faces), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-6)


def test_wrong_size_and_wrong_kind() -> None:
    with pytest.raises(UserError, match="use a multiple of 32"):
        Swapper(80, "ud", 8, 16, 8, 4)
    with pytest.raises(UserError, match="'stylegan2' where df or liae is needed"):
        load_swapper(Weights("stylegan2", {}, {}))
