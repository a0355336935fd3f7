import pytest
import torch
import torch.nn.functional as F

from understudy.gan.convolution import convolve, convolve_transposed, penalty, slopes
from understudy.gan.discriminator import Discriminator
from understudy.gan.generator import Generator
from understudy.gan.losses import r1_penalty

KINDS = {
    "plain": ((4, 3, 3, 3), lambda x, w: convolve(x, w, padding=1), lambda x, w: F.conv2d(x, w, padding=1)),
    "strided": ((4, 3, 3, 3), lambda x, w: convolve(x, w, stride=2), lambda x, w: F.conv2d(x, w, stride=2)),
    "point": ((4, 3, 1, 1), convolve, F.conv2d),
    "transposed": (
        (3, 4, 3, 3),
        lambda x, w: convolve_transposed(x, w, stride=2),
        lambda x, w: F.conv_transpose2d(x, w, stride=2),
    ),
    "depthwise": (
        (3, 1, 4, 4),
        lambda x, w: convolve(x, w, stride=2, padding=1),
        lambda x, w: F.conv2d(x, w, stride=2, padding=1, groups=3),
    ),
}


@pytest.mark.parametrize("side", [8, 9])
@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives_are_those_of_plain_convolutions(kind, side) -> None:
    shape, ours, plain = KINDS[kind]
    torch.manual_seed(0)
    results = []
    for convolution in (ours, plain):
        torch.manual_seed(1)
        x = torch.randn(2, 3, side, side, dtype=torch.float64, requires_grad=True)
        w = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        with penalty():
            slope = slopes(convolution(x, w).tanh(), x)
        slope.square().sum().backward()
        results.append((slope.detach(), x.grad, w.grad))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_penalties_leave_convolutions_as_they_were() -> None:
    x, w = torch.randn(1, 3, 8, 8, requires_grad=True), torch.randn(4, 3, 3, 3, requires_grad=True)
    with pytest.raises(ZeroDivisionError), penalty():
        assert type(convolve(x, w).grad_fn).__name__ == "_ConvolutionBackward"
        raise ZeroDivisionError
    assert type(convolve(x, w).grad_fn).__name__ == "ConvolutionBackward0"


def test_gradients_of_the_penalties_equal_those_of_plain_autograd() -> None:
    torch.manual_seed(0)
    network = Discriminator(32, 128, 8).double()
    real = torch.randn(4, 3, 32, 32, dtype=torch.float64)
    r1_penalty(network, real).backward()
    learning = [parameter for parameter in network.parameters() if parameter is not network.out.bias]
    ours = [parameter.grad.clone() for parameter in learning]
    network.zero_grad()
    at = real.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(at).sum(), at, create_graph=True)
    slope.square().sum(dim=(1, 2, 3)).mean().backward()
    for mine, parameter in zip(ours, learning, strict=True):
        torch.testing.assert_close(mine, parameter.grad)


@pytest.mark.parametrize("size", [32, 64, 128, 256, 512, 1024])
def test_every_size_is_built_to_measure(size) -> None:
    with torch.device("meta"):
        generator, discriminator = Generator(size, 512, 16384, 512, 2), Discriminator(size, 16384, 512)
        assert generator(torch.randn(4, 512)).shape == (4, 3, size, size)
        assert discriminator(torch.randn(4, 3, size, size)).shape == (4,)
    assert generator.num_ws == 2 * size.bit_length() - 4
    # RGB and noise of each size, and channels as the widths say
    assert generator.synthesis.layers[-1].conv.weight.shape[0] == min(512, 16384 // size)
    assert discriminator.from_rgb.weight.shape[0] == min(512, 16384 // size)
