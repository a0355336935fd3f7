import numpy as np
import pytest
import torch

from understudy.gan.ops import EqualConv, EqualLinear, blur, fir_down, fir_up, minibatch_deviation

FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def naive(x: np.ndarray, up: int, down: int, before: int, after: int, gain: float) -> np.ndarray:
    """Insert zeros, pad, filter, drop: the definition, in double precision, for one plane (H, W)."""
    spread = np.zeros((x.shape[0] * up, x.shape[1] * up))
    spread[::up, ::up] = x
    padded = np.pad(spread, (before, after))
    height, width = padded.shape[0] - 3, padded.shape[1] - 3
    out = np.array([[(padded[i : i + 4, j : j + 4] * FILTER).sum() for j in range(width)] for i in range(height)])
    return out[::down, ::down] * gain


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("ours", "definition"),
    [
        (fir_up, (2, 1, 2, 1, 4.0)),
        (fir_down, (1, 2, 1, 1, 1.0)),
        (lambda x: blur(x, 2), (1, 1, 2, 2, 1.0)),
        (lambda x: blur(x, 1, gain=4.0), (1, 1, 1, 1, 4.0)),
    ],
)
def test_resampling_equals_its_definition_up_to_the_border(ours, definition, layout) -> None:
    x = torch.randn(2, 3, 10, 10, dtype=torch.float64)
    y = ours(x.contiguous(memory_format=layout)).numpy()
    for image, filtered in zip(x.numpy().reshape(-1, 10, 10), y.reshape(-1, *y.shape[2:]), strict=True):
        np.testing.assert_allclose(filtered, naive(image, *definition), atol=1e-12)


@torch.no_grad()
def test_layers_keep_the_variance_of_their_input() -> None:
    torch.manual_seed(0)
    x = torch.randn(64, 256)
    assert EqualLinear(256, 256)(x).var() == pytest.approx(1.0, rel=0.1)
    assert EqualLinear(256, 256, lr_mul=0.01, activate=True)(x).square().mean() == pytest.approx(1.04, rel=0.1)
    picture = torch.randn(4, 64, 16, 16)
    inner = EqualConv(64, 64, 3)(picture)[..., 1:-1, 1:-1]
    assert inner.square().mean() == pytest.approx(1.04, rel=0.1)


def test_a_learning_rate_multiplier_scales_the_step_and_not_the_result() -> None:
    torch.manual_seed(0)
    slow = EqualLinear(32, 32, lr_mul=0.01)
    plain = EqualLinear(32, 32)
    with torch.no_grad():
        plain.weight.copy_(slow.weight * 0.01)
    x = torch.randn(8, 32)
    torch.testing.assert_close(slow(x), plain(x), rtol=1e-4, atol=1e-5)
    slow(x).square().sum().backward()
    plain(x).square().sum().backward()
    torch.testing.assert_close(slow.weight.grad, plain.weight.grad * 0.01, rtol=1e-4, atol=1e-5)


def test_minibatch_deviation_sees_a_repeated_picture_and_keeps_groups_apart() -> None:
    torch.manual_seed(0)
    same = torch.randn(1, 8, 4, 4).expand(4, -1, -1, -1)
    varied = torch.randn(4, 8, 4, 4)
    plane = minibatch_deviation(torch.cat([same, varied]))[:, 8]
    assert plane[:4].max() < 1e-3
    expected = varied.var(dim=0, unbiased=False).sqrt().mean()
    assert plane[4:].mean() == pytest.approx(float(expected), rel=1e-3)
