"""Train without the pipeline: a base checkpoint of several people, or one training on many GPUs or machines.

    python -m understudy.gan.pretrain --faces FOLDER --faces FOLDER --out data/06_models/base/64px --size 64
    torchrun --nproc-per-node 8 -m understudy.gan.pretrain --preset paper256 --size 256 --faces FOLDER --out PATH

Needs no Kedro. A run that was cut off goes on when the same command is given again; `--minutes` only stops it early.
"""

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import torch

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.gan import chance
from understudy.gan.config import GanConfig, Preset
from understudy.gan.presets import configure, gpu_memory_gib
from understudy.gan.training import TrainResult, train
from understudy.gan.watch import Budget
from understudy.weights import save_weights

NETWORK = {"channel_base": 1024, "channel_max": 64, "mapping_layers": 2, "latent": 256}
"""The network of 64 pixels that trains on two CPU cores; see `conf/demo/gan_training`."""
TRAINING = {"kimg": 2000.0, "batch": 32, "ema_kimg": 20.0, "grid_every_kimg": 100.0}
"""What holds when there is no preset and nothing else is asked for; the rest as in `TrainingConfig`."""


def arguments() -> argparse.ArgumentParser:
    """The command line. What is not given comes from the preset, or else from `NETWORK` and `TRAINING`."""
    parser = argparse.ArgumentParser(prog="python -m understudy.gan.pretrain", description=__doc__.split("\n")[0])
    parser.add_argument("--faces", type=Path, action="append", required=True, help="a faceset folder; may be repeated")
    parser.add_argument("--out", type=Path, required=True, help="path without suffix of the checkpoint")
    parser.add_argument("--checkpoints", type=Path, help="folder of the training state (default: OUT_checkpoints)")
    parser.add_argument("--size", type=int, default=64, help="pixels of the crops")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--start", default="scratch", help="a .safetensors of this project's to go on from")
    parser.add_argument("--preset", choices=get_args(Preset))
    network = parser.add_argument_group("network")
    for name in NETWORK:
        network.add_argument(f"--{name.replace('_', '-')}", type=int)
    training = parser.add_argument_group("training")
    training.add_argument("--kimg", type=float, help="thousand images to show")
    training.add_argument("--batch", type=int, help="images a step, of all processes together")
    training.add_argument("--lr", type=float)
    training.add_argument("--r1-gamma", type=float, help="default: 0.0002 * size^2 / batch")
    training.add_argument("--path-length-every", type=int, help="steps between two penalties; 0: never")
    training.add_argument("--ema-kimg", type=float, help="half-life of the running mean")
    training.add_argument("--precision", choices=["float32", "bfloat16"])
    training.add_argument("--augment", choices=["none", "diffaugment", "ada"])
    training.add_argument("--mirror", action=argparse.BooleanOptionalAction)
    training.add_argument("--freeze-d", type=int, help="layers of the discriminator that stay as they start")
    training.add_argument("--grid-every-kimg", type=float, help="between two grids (OUT_grid.png)")
    training.add_argument("--snapshot-every-kimg", type=float)
    training.add_argument("--measure-every-kimg", type=float, help="measure the distance and keep the best generator")
    training.add_argument("--patience-kimg", type=float, help="stop when the distance has not fallen for so long")
    training.add_argument("--checkpoint-every-seconds", type=float)
    return parser


def configuration(options: argparse.Namespace) -> GanConfig:
    """The settings that the command line asks for.

    Raises:
        UserError: a value is out of range.
    """
    given = {name: value for name, value in vars(options).items() if value is not None}
    network: dict[str, Any] = {} if options.preset else dict(NETWORK)
    training: dict[str, Any] = {} if options.preset else dict(TRAINING)
    network |= {name: given[name] for name in NETWORK if name in given}
    known = GanConfig().training.__dataclass_fields__
    training |= {name: given[name] for name in known if name in given}
    params = {"preset": options.preset, "start": options.start, "network": network, "training": training}
    return configure(params, options.size, gpu_memory_gib())


def run(options: argparse.Namespace) -> TrainResult:
    """Train as asked and write `OUT.safetensors`, `OUT.json` and `OUT_grid.png`."""
    folder = options.checkpoints or options.out.with_name(f"{options.out.name}_checkpoints")
    result = train(
        [Faceset(path) for path in options.faces],
        configuration(options),
        options.size,
        options.seed,
        folder,
        on_grid=lambda name, picture, kimg: _write_grid(options.out, picture),
        budget=Budget(options.minutes * 60 if options.minutes else None),
    )
    if chance.share().rank == 0:
        # half precision on disk: half the download, and finer than the training noise
        small = {name: tensor.half() for name, tensor in result.weights.tensors.items()}
        notes = {**result.weights.notes, "facesets": [path.parent.parent.name for path in options.faces]}
        save_weights(options.out, replace(result.weights, tensors=small, notes=notes))
        _write_grid(options.out, result.grid)
    return result


def _write_grid(out: Path, picture: np.ndarray) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out.with_name(f"{out.name}_grid.png")), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def main() -> int:
    """Entry point; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    options = arguments().parse_args()
    try:
        result = run(options)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if chance.share().rank != 0:
        return 0
    lines = [
        f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}"
        for name, value in result.summary.items()
    ]
    size = sum(options.out.with_suffix(suffix).stat().st_size for suffix in (".safetensors", ".json"))
    lines.append(f"written: {options.out}.safetensors and .json, {size / 1e6:.1f} MB (torch {torch.__version__})")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
