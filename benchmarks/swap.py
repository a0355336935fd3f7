"""How fast the swap trains and renders here, and how much of the machine's own speed the training reaches.

    python benchmarks/swap.py [--size 64] [--env demo] [--seconds 20]

The last number is the share: the time that the networks' own convolutions and dense layers take alone, forward and both
gradients, over that of the whole training iteration. Both are timed in turns in this run.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np
import torch
from kedro.config import OmegaConfigLoader
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from understudy.memory import keep_memory
from understudy.settings import CONFIG_LOADER_ARGS
from understudy.swap.blend import Blender, crop_side, resized
from understudy.swap.config import SwapConfig
from understudy.swap.data import FaceTensors
from understudy.swap.module import SwapModule
from understudy.swap.networks import Trainee, fast_layout
from understudy.swap.presets import configure
from understudy.swap.render import predict

CONF = Path(__file__).parents[1] / "conf"


@dataclass(frozen=True)
class Layer:
    """One convolution or dense layer as the training uses it."""

    x: torch.Size
    weight: torch.Size
    stride: int
    padding: int
    to_input: bool  # whether the gradient goes on to what lies before it

    def call(self) -> Callable[[], object]:
        """Forward and the gradients, alone."""
        x, weight = torch.randn(self.x), torch.randn(self.weight)
        if len(self.x) == 4:
            x, weight = (part.contiguous(memory_format=torch.channels_last) for part in (x, weight))
        wanted = [weight.requires_grad_(), *([x.requires_grad_()] if self.to_input else [])]

        def forward() -> torch.Tensor:
            if x.ndim == 4:
                return F.conv2d(x, weight, None, self.stride, self.padding)
            return F.linear(x, weight)

        with torch.no_grad():
            gradient = torch.randn_like(forward())
        return lambda: torch.autograd.grad(forward(), wanted, gradient)


def layers_of(step: Callable[[], object]) -> list[Layer]:
    """What a step asks of `conv2d` and `linear`."""
    seen = []
    convolve, connect = F.conv2d, F.linear

    def conv2d(x, weight, bias=None, stride=1, padding=0, *rest):  # type: ignore[no-untyped-def]
        first = [value if isinstance(value, int) else value[0] for value in (stride, padding)]
        seen.append(Layer(x.shape, weight.shape, *first, x.requires_grad))
        return convolve(x, weight, bias, stride, padding, *rest)

    def linear(x, weight, bias=None):  # type: ignore[no-untyped-def]
        seen.append(Layer(x.shape, weight.shape, 1, 0, x.requires_grad))
        return connect(x, weight, bias)

    with patch.object(F, "conv2d", conv2d), patch.object(F, "linear", linear):
        step()
    return seen


def settings(environment: str) -> SwapConfig:
    """The parameters of an environment."""
    loader = OmegaConfigLoader(conf_source=str(CONF), env=environment, **CONFIG_LOADER_ARGS)
    return configure(loader["parameters"]["deepfake"])


def noise_faces(count: int, size: int) -> FaceTensors:
    """Noise with masks as large as those of faces: a quarter of the crop."""
    layers = torch.randint(0, 256, (count, 5, size, size), dtype=torch.uint8)
    along = torch.linspace(-1, 1, size)
    layers[:, 3:] = 255 * ((along[None] / 0.5) ** 2 + (along[:, None] / 0.64) ** 2 < 1)
    return FaceTensors(layers, torch.zeros(count, 5), torch.zeros(count, 2), torch.zeros(count, 68, 2))


def per_second(call: Callable[[], object], seconds: float) -> float:
    """Calls a second, after two that do not count."""
    call(), call()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        call()
        done += 1
    return done / (time.perf_counter() - start)


def in_turns(calls: list[Callable[[], object]], seconds: float) -> list[float]:
    """Seconds of each call, the middle of many, in turns: whatever else runs slows all of them down alike."""
    times: list[list[float]] = [[] for _ in calls]
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or len(times[0]) < 5:
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return [median(taken[2:]) for taken in times]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--env", default="demo")
    parser.add_argument("--batch", type=int, default=None, help="faces of either person; as configured when left out")
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    config, size = settings(given.env), given.size
    if given.batch:
        config = replace(config, training=replace(config.training, batch=given.batch))
    keep_memory()
    network = fast_layout(Trainee(size=size, **asdict(config.network)))
    faces = noise_faces(64, size)
    module = SwapModule(network, faces, faces, config, 0, lambda *_: None)

    def step() -> None:
        module.training_step(torch.zeros(1), 0)

    with FlopCounterMode(display=False) as counter:
        step()
    work = counter.get_total_flops()
    alone = [layer.call() for layer in layers_of(step)]
    module.start_threads()

    def convolutions() -> None:
        for call in alone:
            call()

    training, bare = in_turns([step, convolutions], given.seconds * 0.75)

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
        ("faces of either person in an iteration", config.training.batch),
        ("operations of an iteration, GFLOP", work / 1e9),
        ("training, iterations a second", 1 / training),
        ("training, GFLOP a second", work / training / 1e9),
        ("its convolutions alone, GFLOP a second", work / bare / 1e9),
        ("prediction, faces a second", faces_rate),
        ("blending into 512 x 512, frames a second", blends),
        ("rendering without coding, frames a second", 1 / (1 / faces_rate + 1 / blends)),
        ("share of the convolutions' rate", bare / training),
    ]
    for name, value in rows:
        print(f"{name:50s} {value:10.2f}")


if __name__ == "__main__":
    main()
