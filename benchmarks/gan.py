"""Seconds per thousand images of the whole training step on this machine, and its share of the plain convolution rate.

    python benchmarks/gan.py --size 64 --channel-base 4096 --channel-max 64 --batch 16
    python benchmarks/gan.py --size 256 --channel-base 16384 --channel-max 512 --batch 4 --alone

The step with lazy R1 and path length is timed as it is and without each of its accelerations. The share is the
multiply-adds that the step needs, over the time it took, against the rate of the same convolutions run alone, forward
and backward, before and after in the same process. Printed last.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import nn

from understudy.gan.config import NetworkConfig, TrainingConfig
from understudy.gan.device import keep_memory
from understudy.gan.discriminator import Discriminator
from understudy.gan.generator import Synthesis, ToRgb
from understudy.gan.module import GanModule
from understudy.gan.ops import EqualConv


def plain_generator(module: GanModule) -> None:
    """Keep the planes of each channel together in the generator, as PyTorch does by itself."""
    for parameter in module.generator.parameters():
        parameter.data = parameter.data.contiguous()


def general_derivatives() -> AbstractContextManager[object]:
    """Second derivatives by PyTorch's general rules."""
    return patch("understudy.gan.losses.penalty", nullcontext)


def seconds_per_kimg(
    size: int,
    network: NetworkConfig,
    training: TrainingConfig,
    seconds: float,
    change: Callable[[GanModule], None] = lambda module: None,
) -> float:
    """Time each kind of step by itself and weigh it by how often it comes."""
    torch.manual_seed(0)
    module = GanModule(network, training, size)
    module.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign]
    change(module)
    pictures = torch.randint(0, 256, (training.batch, 3, size, size), dtype=torch.uint8)
    real = pictures.float() / 127.5 - 1

    def step() -> None:
        module.steps_done = 1  # neither penalty
        module.training_step(pictures, 0)

    every = training.path_length_every
    plain = _time(step, seconds / 2)
    r1 = _time(lambda: module._regularise_discriminator(real), seconds / 4)
    path = _time(lambda: module._regularise_generator(training.batch // 2), seconds / 4) if every else 0.0
    cycle = plain + r1 / training.r1_every + (path / every if every else 0.0)
    return cycle / training.batch * 1000


def convolution_rate(size: int, network: NetworkConfig, batch: int, seconds: float) -> tuple[float, float, float]:
    """Rate of the networks' convolutions alone (multiply-adds a second), and those of G and D for one image."""
    generator = Synthesis(size, network.latent, network.channel_base, network.channel_max)
    discriminator = Discriminator(size, network.channel_base, network.channel_max)
    needed = {"g": 0.0, "d": 0.0}
    work = spent = 0.0
    shapes: Counter[tuple[int, int, int, int, int]] = Counter()
    for name, shape in [
        *(("g", s) for s in _generator_convs(generator)),
        *(("d", s) for s in _d_convs(discriminator, size)),
    ]:
        inputs, outputs, kernel, pixels, _ = shape
        needed[name] += inputs * outputs * kernel**2 * pixels**2
        shapes[shape] += 1
    share = seconds / len(shapes)
    for (inputs, outputs, kernel, pixels, _), times in shapes.items():
        x = torch.randn(batch, inputs, pixels, pixels).contiguous(memory_format=torch.channels_last).requires_grad_()
        w = torch.randn(outputs, inputs, kernel, kernel).contiguous(memory_format=torch.channels_last).requires_grad_()
        grad = torch.randn(batch, outputs, pixels, pixels).contiguous(memory_format=torch.channels_last)

        def both(x: torch.Tensor = x, w: torch.Tensor = w, grad: torch.Tensor = grad, pad: int = kernel // 2) -> None:
            torch.autograd.grad(F.conv2d(x, w, padding=pad), (x, w), grad)

        spent += _time(both, share) * times
        work += 3 * inputs * outputs * kernel**2 * pixels**2 * batch * times
    return work / spent, needed["g"], needed["d"]


def _generator_convs(net: Synthesis) -> Iterator[tuple[int, int, int, int, int]]:
    for layer in net.layers:
        conv = layer.conv
        pixels = layer.noise.shape[2] // (2 if conv.up else 1)  # a transposed convolution works on the input's pixels
        yield conv.weight.shape[1], conv.weight.shape[0], 3, pixels, 0
    pixels = 4
    for rgb in net.to_rgb:
        assert isinstance(rgb, ToRgb)
        yield rgb.weight.shape[1], 3, 1, pixels, 1
        pixels *= 2


def _d_convs(net: nn.Module, size: int) -> Iterator[tuple[int, int, int, int, int]]:
    pixels = size
    for name, conv in net.named_modules():
        if not isinstance(conv, EqualConv):
            continue
        out = pixels // 2 if conv.down else pixels
        yield conv.weight.shape[1], conv.weight.shape[0], conv.kernel, out, 2
        if name.endswith("skip"):  # the last of its block
            pixels //= 2


def _time(call: Callable[[], None], seconds: float) -> float:
    call()
    times = []
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or len(times) < 2:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return min(times)  # whatever else runs only slows down


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--channel-base", type=int, default=4096)
    parser.add_argument("--channel-max", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--alone", action="store_true", help="only the step as it is")
    options = parser.parse_args()
    network = NetworkConfig(channel_base=options.channel_base, channel_max=options.channel_max)
    lazy = TrainingConfig(batch=options.batch, path_length_every=4)
    own = TrainingConfig(batch=options.batch, path_length_every=4, share_fakes=False)
    without = TrainingConfig(batch=options.batch)

    def measure(label: str, training: TrainingConfig, change: Callable[[GanModule], None] | None = None) -> float:
        arguments = (options.size, network, training, options.seconds)
        value = seconds_per_kimg(*arguments, change) if change else seconds_per_kimg(*arguments)
        print(f"{label:48s} {value:8.1f} s/kimg", flush=True)
        return value

    print(f"{options.size} px, channels {options.channel_base}/{options.channel_max}, batch {options.batch}")
    if not options.alone:
        measure("memory given back after each step", lazy)
    keep_memory()
    rate, g, d = convolution_rate(options.size, network, options.batch, options.seconds / 2)
    print(f"one image: generator {g / 1e6:.0f} MMAC, discriminator {d / 1e6:.0f}; {torch.get_num_threads()} threads")
    if not options.alone:
        measure("generator not in channels_last", lazy, plain_generator)
        with general_derivatives():
            measure("second derivatives by the general rules", lazy)
        measure("own fakes for the discriminator", own)
        measure("all accelerations, without path length", without)
    value = measure("all accelerations, R1 /16 and path length /4", lazy)
    again, _, _ = convolution_rate(options.size, network, options.batch, options.seconds / 2)
    rate = (rate + again) / 2
    # G: forward and both gradients; D in its step: forward and the gradient of pictures; D: two pictures, three each.
    # A penalty: forward, its slope, and both gradients of either.
    step = 3 * g + 2 * d + 6 * d + 6 * d / lazy.r1_every + 6 * g / 2 / lazy.path_length_every
    reached = step * 1000 / value
    print(f"plain convolutions, forward and backward: {rate / 1e9:.1f} GMAC/s; the step: {reached / 1e9:.1f} GMAC/s")
    print(f"share of the machine's own convolution rate: {reached / rate:.2f}")


if __name__ == "__main__":
    main()
