"""Seconds per thousand images of the whole training step on this machine, and its share of the plain convolution rate.

    python benchmarks/gan.py --size 64 --channel-base 4096 --channel-max 64 --seconds 20

The share is the multiply-adds that the step needs, over the time it took, against the rate of the same convolutions run
alone, forward and backward, in the same process. Printed last.
"""

import argparse
import time
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import nn

from understudy.gan.config import NetworkConfig, TrainingConfig
from understudy.gan.discriminator import Discriminator
from understudy.gan.generator import ModulatedConv, Synthesis
from understudy.gan.module import GanModule
from understudy.gan.ops import EqualConv


def seconds_per_kimg(size: int, network: NetworkConfig, training: TrainingConfig, seconds: float) -> float:
    """Time each kind of step by itself and weigh it by how often it comes."""
    module = GanModule(network, training, size)
    module.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign]
    pictures = torch.randint(0, 256, (training.batch, 3, size, size), dtype=torch.uint8)

    def step(at: int) -> Callable[[], None]:
        def run() -> None:
            module.steps_done = at
            module.training_step(pictures, 0)

        return run

    every = training.path_length_every
    plain = _time(step(1), seconds / 2)
    r1 = _time(lambda: module._regularise_discriminator(pictures.float() / 127.5 - 1), seconds / 4)
    path = _time(lambda: module._regularise_generator(training.batch // 2), seconds / 4) if every else 0.0
    cycle = plain + r1 / training.r1_every + (path / every if every else 0.0)
    return cycle / training.batch * 1000


def convolution_rate(size: int, network: NetworkConfig, batch: int, seconds: float) -> tuple[float, float, float]:
    """Rate of the networks' 3x3 convolutions alone (multiply-adds a second), and those of G and D for one image."""
    generator = Synthesis(size, network.latent, network.channel_base, network.channel_max)
    discriminator = Discriminator(size, network.channel_base, network.channel_max)
    needed = {"g": 0.0, "d": 0.0}
    work = spent = 0.0
    shapes: dict[tuple[int, int, int, int, int], float] = {}
    for name, shape in [
        *(("g", s) for s in _generator_convs(generator)),
        *(("d", s) for s in _d_convs(discriminator, size)),
    ]:
        inputs, outputs, kernel, pixels, _ = shape
        needed[name] += inputs * outputs * kernel**2 * pixels**2
        shapes[shape] = inputs * outputs * kernel**2 * pixels**2
    share = seconds / len(shapes)
    for (inputs, outputs, kernel, pixels, _), macs in shapes.items():
        x = torch.randn(batch, inputs, pixels, pixels).contiguous(memory_format=torch.channels_last).requires_grad_()
        w = torch.randn(outputs, inputs, kernel, kernel).contiguous(memory_format=torch.channels_last).requires_grad_()
        grad = torch.randn(batch, outputs, pixels, pixels).contiguous(memory_format=torch.channels_last)

        def both(x: torch.Tensor = x, w: torch.Tensor = w, grad: torch.Tensor = grad, pad: int = kernel // 2) -> None:
            torch.autograd.grad(F.conv2d(x, w, padding=pad), (x, w), grad)

        spent += _time(both, share)
        work += 3 * macs * batch
    return work / spent, needed["g"], needed["d"]


def _generator_convs(net: Synthesis) -> Iterator[tuple[int, int, int, int, int]]:
    for layer in net.layers:
        conv = layer.conv
        pixels = layer.noise.shape[2] // (2 if conv.up else 1)  # a transposed convolution works on the input's pixels
        yield conv.weight.shape[1], conv.weight.shape[0], 3, pixels, 0
    pixels = 4
    for rgb in net.to_rgb:
        assert isinstance(rgb, ModulatedConv)
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
    return sorted(times)[len(times) // 2]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--channel-base", type=int, default=4096)
    parser.add_argument("--channel-max", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    options = parser.parse_args()
    network = NetworkConfig(channel_base=options.channel_base, channel_max=options.channel_max)
    rate, g, d = convolution_rate(options.size, network, options.batch, options.seconds / 2)
    print(f"{options.size} px, channels {options.channel_base}/{options.channel_max}, batch {options.batch}")
    print(
        f"one image: generator {g / 1e6:.0f} MMAC, discriminator {d / 1e6:.0f} MMAC; {torch.get_num_threads()} threads"
    )
    print(f"plain convolutions, forward and backward: {rate / 1e9:.1f} GMAC/s")
    share = 0.0
    for label, every, shared in (
        ("R1, own fakes for D", 0, False),
        ("R1", 0, True),
        ("R1 and path length /4", 4, True),
    ):
        training = TrainingConfig(batch=options.batch, path_length_every=every, share_fakes=shared)
        value = seconds_per_kimg(options.size, network, training, options.seconds)
        # G: forward, two backward; D in G's step: forward, one backward; D: two pictures, three each; R1: about 7 / 16
        step = (
            3 * g
            + 2 * d
            + 6 * d
            + 7 * d / training.r1_every
            + (0 if shared else g)
            + (7 * g / 2 / every if every else 0)
        )
        share = step * 1000 / value / rate
        reached = step * 1000 / value / 1e9
        print(f"{label:24s} {value:8.1f} s/kimg   {reached:6.1f} GMAC/s   {share:5.0%} of the plain rate")
    print(f"share of the machine's own convolution rate: {share:.2f}")


if __name__ == "__main__":
    main()
