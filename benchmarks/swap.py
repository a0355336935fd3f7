"""How fast the swap trains and renders here, and how much of the machine's own speed the training reaches.

    python benchmarks/swap.py [--size 64] [--env demo] [--seconds 20]

The last number is the share: work of a training iteration per second over that of the bare convolution that the
decoder spends most on, both in this run.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from understudy.config import parse
from understudy.swap.blend import Blender, crop_side, resized
from understudy.swap.config import SwapConfig
from understudy.swap.data import FaceTensors
from understudy.swap.module import SwapModule
from understudy.swap.networks import Trainee, fast_layout
from understudy.swap.render import predict

CONF = Path(__file__).parents[1] / "conf"


def settings(environment: str) -> SwapConfig:
    """The network and batch of an environment; everything else as in the base."""
    values = yaml.safe_load((CONF / environment / "deepfake/parameters.yml").read_text())["deepfake"]
    return parse(SwapConfig, values, "deepfake")


def per_second(call: Callable[[], object], seconds: float) -> float:
    """Calls a second, after two that do not count."""
    call(), call()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        call()
        done += 1
    return done / (time.perf_counter() - start)


def convolution_rate(channels: int, side: int, batch: int, seconds: float) -> float:
    """Operations a second of one 3x3 convolution, forwards and backwards."""
    conv = fast_layout(nn.Conv2d(channels, channels, 3, padding=1))
    x = torch.randn(batch, channels, side, side).to(memory_format=torch.channels_last).requires_grad_()
    rate = per_second(lambda: conv(x).sum().backward(), seconds)
    return rate * 3 * 2 * batch * 9 * channels**2 * side**2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--env", default="demo")
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    config, size = settings(given.env), given.size
    part = config.network
    network = fast_layout(Trainee(size, part.options, part.encoder, part.inter, part.decoder, part.mask))
    faces = FaceTensors(torch.randint(0, 256, (64, 5, size, size), dtype=torch.uint8))
    module = SwapModule(network, faces, faces, config, 0, lambda *_: None)
    module.manual_backward = lambda loss: loss.backward()  # type: ignore[assignment,method-assign]
    module.optimizers = lambda: module.adam  # type: ignore[assignment,method-assign]

    def step() -> None:
        module.training_step(torch.zeros(1), 0)

    with FlopCounterMode(display=False) as counter:
        step()
    work = counter.get_total_flops()
    steps = per_second(step, given.seconds / 2)
    wide = 4 * part.decoder
    bare = convolution_rate(wide, size // 4, config.training.batch, given.seconds / 4)

    crops = np.random.default_rng(0).integers(0, 256, (16, size, size, 3), dtype=np.uint8)
    network.eval()
    faces_rate = 16 * per_second(lambda: predict(network, crops, torch.device("cpu")), given.seconds / 8)
    angle = np.linspace(0, 2 * np.pi, 68)
    landmarks = size / 2 + size / 4 * np.stack([np.cos(angle), np.sin(angle)], 1)
    matrix = np.array([[size / 300, 0, -size / 4], [0, size / 300, -size / 4]])
    frame = np.full((512, 512, 3), 128, np.uint8)
    mask = np.ones((size, size), np.float32)
    blender, crop = Blender(config.blend), resized(crops[1], crop_side(size))
    blends = per_second(lambda: blender(frame, crop, crops[0], mask, landmarks, matrix), given.seconds / 8)

    rows = [
        ("threads", torch.get_num_threads()),
        ("operations of an iteration, GFLOP", work / 1e9),
        ("training, iterations a second", steps),
        ("training, GFLOP a second", steps * work / 1e9),
        (f"convolution {wide} x {size // 4}^2, GFLOP a second", bare / 1e9),
        ("prediction, faces a second", faces_rate),
        ("blending into 512 x 512, frames a second", blends),
        ("rendering without coding, frames a second", 1 / (1 / faces_rate + 1 / blends)),
        ("share of the convolution's rate", steps * work / bare),
    ]
    for name, value in rows:
        print(f"{name:50s} {value:10.2f}")


if __name__ == "__main__":
    main()
