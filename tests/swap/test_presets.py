"""What a preset fills in, and what it leaves."""

import pytest

from understudy.errors import UserError
from understudy.swap.config import SwapConfig
from understudy.swap.layers import Decoder, Encoder, Inter
from understudy.swap.presets import PRESETS, configure


def test_explicit_values_win() -> None:
    config = configure({"preset": "tiny", "network": {"decoder": 8}, "training": {"iterations": 5}, "count": 9})
    assert config.network.decoder == 8 and config.network.encoder == 24
    assert config.training.iterations == 5 and config.training.lr == 1.4e-3
    assert config.count == 9 and config.augment.flip_source == "pose"


def test_without_a_preset_the_defaults_hold() -> None:
    assert configure({}) == SwapConfig()


def test_the_papers_run() -> None:
    config = configure({"preset": "paper256"})
    assert (config.training.iterations, config.training.batch, config.training.lr) == (80_000, 8, 5e-5)
    assert (config.network.kind, config.network.options, config.network.inter) == ("df", "ud", 256)


def test_quick96_has_its_published_size() -> None:
    """38.3 million weights: encoder 4.31, code 3.10, decoders 15.44 each."""
    part = configure({"preset": "quick96"}).network
    shapes = (Encoder(part.encoder, True), Inter(8 * 64 * 36, part.inter, part.inter, 3))
    decoder = Decoder(part.inter, part.decoder, part.mask, True)
    counts = [sum(weight.numel() for weight in network.parameters()) for network in (*shapes, decoder)]
    assert [round(count / 1e6, 2) for count in counts] == [4.31, 3.10, 15.44]


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_is_valid(name: str) -> None:
    assert configure({"preset": name}).preset == name


def test_unknown_preset_and_wrong_value_beside_one() -> None:
    with pytest.raises(UserError, match=r"deepfake\.preset"):
        configure({"preset": "huge"})
    with pytest.raises(UserError, match=r"deepfake\.training\.batch"):
        configure({"preset": "tiny", "training": {"batch": 0}})
