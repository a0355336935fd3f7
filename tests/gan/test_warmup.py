import numpy as np
import torch

from understudy.gan.generator import Generator
from understudy.gan.warmup import picture_codes, pyramid_error, warm_up


def shades(count: int = 64) -> np.ndarray:
    """Pictures that differ in one thing only: how bright their left half is."""
    faces = np.full((count, 3, 16, 16), 100, np.uint8)
    faces[..., :8] = np.linspace(0, 255, count).astype(np.uint8)[:, None, None, None]
    return faces


def test_codes_tell_the_pictures_apart():
    codes = picture_codes(shades(), 4, torch.Generator().manual_seed(0))
    first = codes[:, 0]
    assert abs(float(first.mean())) < 1e-5
    assert abs(float(first.std()) - 1) < 1e-5
    steps = first.diff()
    assert (steps > 0).all() or (steps < 0).all(), "the first component orders the pictures by their brightness"


def test_the_error_sees_every_scale():
    fine = torch.zeros(1, 3, 16, 16)
    fine[..., ::2] = 1.0
    fine[..., 1::2] = -1.0
    coarse = torch.ones(1, 3, 16, 16)
    nothing = torch.zeros(1, 3, 16, 16)
    assert float(pyramid_error(fine, nothing)) == 1.0  # gone at half size
    assert float(pyramid_error(coarse, nothing)) == 4.0


def test_the_lesson_is_learned_and_repeats_exactly():
    results = []
    for _ in range(2):
        torch.manual_seed(0)
        generator = Generator(16, 16, 256, 16, 2)
        short = warm_up(generator, shades(), 0.016, seed=1)
        results.append(warm_up(generator, shades(), 2.0, seed=1))
        assert results[-1] < short / 2
        assert generator.w_avg.abs().sum() > 0
    assert results[0] == results[1]
