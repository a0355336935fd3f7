"""Seconds per thousand images of the whole training step on this machine, and its share of the plain convolution rate.

    python benchmarks/gan.py --size 64 --channel-base 4096 --channel-max 64 --batch 16
    python benchmarks/gan.py --size 256 --channel-base 16384 --channel-max 512 --batch 4 --alone

The step with lazy R1 and path length is timed as it is and without each of its accelerations. All are timed in turns,
and the middle of the times is taken, so that whatever else runs slows all of them down alike. The share is the
multiply-adds that the step needs, over the time it took, against the rate of the networks' own convolutions run alone,
forward and backward, in the same turns. Printed last.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from statistics import median
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.gan import losses
from understudy.gan.config import NetworkConfig, TrainingConfig
from understudy.gan.discriminator import Discriminator
from understudy.gan.generator import StyledLayer, Synthesis
from understudy.gan.module import GanModule
from understudy.gan.ops import EqualConv
from understudy.memory import M_MMAP_MAX, M_TRIM_THRESHOLD, keep_memory, set_allocator

Call = Callable[[], object]


@dataclass(frozen=True)
class Variant:
    """One way to train: its parts, and how often each comes in a step."""

    label: str
    parts: tuple[tuple[Call, float], ...]


def variant(label: str, size: int, network: NetworkConfig, training: TrainingConfig, how: str = "") -> Variant:
    """Build networks of their own and the calls that train them.

    Args:
        label: for the table.
        size: pixels.
        network: widths.
        training: settings.
        how: `planes` keeps the planes of the generator's channels apart; `general` differentiates twice by PyTorch's
            own rules; `given back` lets freed memory go back to the system.
    """
    torch.manual_seed(0)
    module = GanModule(network, training, size)
    module.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign]
    if how == "planes":
        for parameter in module.generator.parameters():
            parameter.data = parameter.data.contiguous()
    pictures = torch.randint(0, 256, (training.batch, 3, size, size), dtype=torch.uint8)
    real = pictures.float() / 127.5 - 1

    def step() -> None:
        module.steps_done = 1  # neither penalty
        module.training_step(pictures, 0)

    def r1() -> None:
        module._regularise_discriminator(real)

    def path() -> None:
        module._regularise_generator(training.batch // 2)

    every = training.path_length_every
    calls: list[tuple[Call, float]] = [(step, 1.0), (r1, 1 / training.r1_every)]
    calls += [(path, 1 / every)] if every else []
    if how == "general":
        calls = [(_general(call), share) for call, share in calls]
    elif how == "given back":
        calls = [(_given_back(call), share) for call, share in calls]
    return Variant(label, tuple(calls))


def convolutions(size: int, network: NetworkConfig, batch: int) -> tuple[Variant, float, float]:
    """All 3x3 and 1x1 convolutions of both networks once, and the multiply-adds of G and D for one image."""
    passes: list[Call] = []
    widths = (network.channel_base, network.channel_max)
    needed = []
    for shapes in (_of_generator(Synthesis(size, network.latent, *widths)), _of_discriminator(size, widths)):
        work = 0.0
        for inputs, outputs, kernel, pixels, kind in shapes:
            call, result = _both_ways(batch, inputs, outputs, kernel, pixels, kind)
            work += inputs * outputs * kernel**2 * (pixels if kind == "up" else result) ** 2
            passes.append(call)
        needed.append(work)

    def everything() -> None:
        for call in passes:
            call()

    return Variant("convolutions alone", ((everything, 1.0),)), needed[0], needed[1]


def _both_ways(batch: int, inputs: int, outputs: int, kernel: int, pixels: int, kind: str) -> tuple[Call, int]:
    """Forward and both gradients of one convolution, and the pixels of its result."""
    layout = torch.channels_last
    x = torch.randn(batch, inputs, pixels, pixels).contiguous(memory_format=layout).requires_grad_()
    shape = (inputs, outputs, kernel, kernel) if kind == "up" else (outputs, inputs, kernel, kernel)
    w = torch.randn(shape).contiguous(memory_format=layout).requires_grad_()

    def forward() -> Tensor:
        if kind == "up":
            return F.conv_transpose2d(x, w, stride=2)
        return F.conv2d(x, w, stride=2 if kind == "down" else 1, padding=0 if kind == "down" else kernel // 2)

    with torch.no_grad():
        result = forward()
    grad = torch.randn_like(result)
    return lambda: torch.autograd.grad(forward(), (x, w), grad), result.shape[2]


def _of_generator(net: Synthesis) -> Iterator[tuple[int, int, int, int, str]]:
    for layer in net.layers:
        assert isinstance(layer, StyledLayer)
        outputs, inputs = layer.conv.weight.shape[:2]
        pixels = layer.noise.shape[2]
        yield inputs, outputs, 3, pixels // 2 if layer.conv.up else pixels, "up" if layer.conv.up else ""
    for number, rgb in enumerate(net.to_rgb):
        yield rgb.weight.shape[1], 3, 1, 4 * 2**number, ""


def _of_discriminator(size: int, widths: tuple[int, int]) -> Iterator[tuple[int, int, int, int, str]]:
    pixels = size
    for layer in Discriminator(size, *widths).layers():
        if not isinstance(layer, EqualConv):
            continue
        outputs, inputs = layer.weight.shape[:2]
        if layer.kernel == 1 and layer.down:  # the skip, behind its filter; the last of its block
            pixels //= 2
            yield inputs, outputs, 1, pixels, ""
        else:
            yield inputs, outputs, layer.kernel, pixels + 1 if layer.down else pixels, "down" if layer.down else ""


def _general(call: Call) -> Call:
    def run() -> None:
        with patch.object(losses, "penalty", nullcontext):
            call()

    return run


def _given_back(call: Call) -> Call:
    def run() -> None:
        set_allocator({M_MMAP_MAX: 65536, M_TRIM_THRESHOLD: 2**17})
        try:
            call()
        finally:
            keep_memory()

    return run


def in_turns(variants: list[Variant], seconds: float) -> dict[str, float]:
    """Seconds of one step of each variant: every part in turns, three at least after one that does not count."""
    times: dict[tuple[str, int], list[float]] = {}
    stop = float("inf")
    while True:
        for entry in variants:
            for number, (call, _) in enumerate(entry.parts):
                begin = time.perf_counter()
                call()
                times.setdefault((entry.label, number), []).append(time.perf_counter() - begin)
        rounds = len(times[variants[0].label, 0])
        if rounds == 1:
            stop = time.perf_counter() + seconds
        elif rounds > 3 and time.perf_counter() > stop:
            break
    return {
        entry.label: sum(
            share * median(times[entry.label, number][1:]) for number, (_, share) in enumerate(entry.parts)
        )
        for entry in variants
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--channel-base", type=int, default=4096)
    parser.add_argument("--channel-max", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=120.0, help="in all, after one turn and at least three more")
    parser.add_argument("--alone", action="store_true", help="only the step as it is")
    options = parser.parse_args()
    network = NetworkConfig(channel_base=options.channel_base, channel_max=options.channel_max)
    lazy = TrainingConfig(batch=options.batch, path_length_every=4)
    own = TrainingConfig(batch=options.batch, path_length_every=4, share_fakes=False)
    keep_memory()
    alone, g, d = convolutions(options.size, network, options.batch)
    ours = variant("all accelerations, R1 /16 and path length /4", options.size, network, lazy)
    others = [
        ("generator not in channels_last", lazy, "planes"),
        ("second derivatives by PyTorch's general rules", lazy, "general"),
        ("memory given back and fetched again", lazy, "given back"),
        ("fakes of its own for the discriminator", own, ""),
        ("all accelerations, no path length", TrainingConfig(batch=options.batch), ""),
    ]
    variants = [variant(label, options.size, network, *how) for label, *how in others]  # type: ignore[arg-type]
    seconds = in_turns([alone, ours, *([] if options.alone else variants)], options.seconds)
    rate = 3 * (g + d) * options.batch / seconds.pop(alone.label)
    print(f"{options.size} px, channels {options.channel_base}/{options.channel_max}, batch {options.batch}")
    print(f"one image: generator {g / 1e6:.0f} MMAC, discriminator {d / 1e6:.0f}; {torch.get_num_threads()} threads")
    for label, value in reversed(seconds.items()):
        print(f"{label:48s} {value / options.batch * 1000:8.1f} s/kimg")
    # G: forward and both gradients; D in its step: forward and the gradient of pictures; D: two pictures, three each.
    # A penalty: forward, its slope, and both gradients of either.
    step = 3 * g + 2 * d + 6 * d + 6 * d / lazy.r1_every + 6 * g / 2 / lazy.path_length_every
    reached = step * options.batch / seconds[ours.label]
    print(f"convolutions alone, forward and backward: {rate / 1e9:.1f} GMAC/s; the step: {reached / 1e9:.1f} GMAC/s")
    print(f"share of the machine's own convolution rate: {reached / rate:.2f}")


if __name__ == "__main__":
    main()
