import pytest

from understudy.errors import UserError
from understudy.gan.presets import configure


def test_no_preset_leaves_what_is_given_and_the_defaults() -> None:
    config = configure({"training": {"batch": 8}}, 64)
    assert config.training.batch == 8
    assert config.training.lr == 0.0025
    assert config.network.channel_base == 16384


def test_explicit_settings_win_over_the_preset() -> None:
    config = configure({"preset": "config_f", "network": {"latent": 128}, "training": {"r1_gamma": 3.0}}, 256)
    assert (config.network.channel_base, config.network.mapping_layers, config.network.latent) == (32768, 8, 128)
    assert (config.training.batch, config.training.lr, config.training.r1_gamma) == (32, 0.002, 3.0)
    assert config.training.ema_ramp is None


def test_the_published_run_of_256_pixels() -> None:
    config = configure({"preset": "paper256"}, 256)
    training = config.training
    assert (config.network.channel_base, config.network.mapping_layers) == (16384, 8)
    assert (training.batch, training.deviation_group, training.ema_kimg) == (64, 8, 20)
    assert training.gamma(256) == 1
    few = configure({"preset": "low_shot"}, 256).training
    assert (few.batch, few.kimg, few.r1_gamma, few.augment) == (8, 300, 10, "diffaugment")
    assert configure({"preset": "cpu"}, 64).network.channel_max == 64


@pytest.mark.parametrize(
    ("size", "memory", "batch", "base", "precision"),
    [
        (256, 16, 16, 16384, "bfloat16"),
        (256, 80, 32, 16384, "bfloat16"),
        (256, None, 16, 16384, "float32"),
        (64, 16, 32, 16384, "bfloat16"),
        (256, 4, 8, 16384, "bfloat16"),  # 16 would not fit
        (1024, 40, 4, 32768, "bfloat16"),
    ],
)
def test_auto_goes_by_size_and_memory(size, memory, batch, base, precision) -> None:
    config = configure({"preset": "auto"}, size, memory)
    assert config.training.batch == batch
    assert config.network.channel_base == base
    assert config.training.precision == precision
    assert config.training.ema_kimg == pytest.approx(batch * 10 / 32)
    assert config.training.gamma(256) == pytest.approx(0.0002 * 256**2 / batch)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"preset": "fast"}, r"gan_training\.preset"),
        ({"preset": "auto", "training": {"bach": 1}}, r"gan_training\.training\.bach"),
        ({"start": "elsewhere"}, r"start.*path of a \.safetensors"),
        ({"training": {"batch": 12, "deviation_group": 8}}, "not a multiple of 'deviation_group'"),
        ({"training": {"patience_kimg": 10}}, "needs 'measure_every_kimg'"),
    ],
)
def test_mistakes_are_named(params, words) -> None:
    with pytest.raises(UserError, match=words):
        configure(params, 64)
