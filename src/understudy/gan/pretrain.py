"""Make a base checkpoint: one generator of several people, from which training of one person starts.

    python -m understudy.gan.pretrain --faces FOLDER --faces FOLDER --out data/06_models/base/64px --size 64

Needs no Kedro. A run that was cut off goes on when the same command is given again; `--minutes` only stops it early.
"""

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.gan.config import GanConfig, NetworkConfig, TrainingConfig
from understudy.gan.training import Budget, TrainResult, train
from understudy.weights import save_weights

NETWORK = NetworkConfig(channel_base=1024, channel_max=64, mapping_layers=2, latent=256)
"""The network of 64 pixels that trains on two CPU cores; see `conf/demo/gan_training`."""


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m understudy.gan.pretrain", description=__doc__.split("\n")[0])
    defaults = TrainingConfig()
    parser.add_argument("--faces", type=Path, action="append", required=True, help="a faceset folder; may be repeated")
    parser.add_argument("--out", type=Path, required=True, help="path without suffix of the checkpoint")
    parser.add_argument("--checkpoints", type=Path, help="folder of the training state (default: OUT_checkpoints)")
    parser.add_argument("--size", type=int, default=64, help="pixels of the crops")
    parser.add_argument("--kimg", type=float, default=2000.0, help="thousand images to show")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=defaults.lr)
    parser.add_argument("--r1-gamma", type=float, help="default: 0.0002 * size^2 / batch")
    parser.add_argument("--ema-kimg", type=float, default=20.0, help="half-life of the running mean")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default=defaults.precision)
    parser.add_argument("--augment", choices=["diffaugment", "none"], default=defaults.augment)
    parser.add_argument("--mirror", action=argparse.BooleanOptionalAction, default=defaults.mirror)
    parser.add_argument("--channel-base", type=int, default=NETWORK.channel_base)
    parser.add_argument("--channel-max", type=int, default=NETWORK.channel_max)
    parser.add_argument("--mapping-layers", type=int, default=NETWORK.mapping_layers)
    parser.add_argument("--latent", type=int, default=NETWORK.latent)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grid-every", type=float, default=100.0, help="kimg between two grids (OUT_grid.png)")
    parser.add_argument("--save-every", type=float, default=60.0, help="seconds between two saves of the state")
    return parser


def run(options: argparse.Namespace) -> TrainResult:
    """Train as asked and write `OUT.safetensors`, `OUT.json` and `OUT_grid.png`."""
    training = TrainingConfig(
        kimg=options.kimg,
        batch=options.batch,
        lr=options.lr,
        r1_gamma="auto" if options.r1_gamma is None else options.r1_gamma,
        ema_kimg=options.ema_kimg,
        precision=options.precision,
        augment=options.augment,
        mirror=options.mirror,
        grid_every_kimg=options.grid_every,
        checkpoint_every_seconds=options.save_every,
    )
    network = NetworkConfig(options.channel_base, options.channel_max, options.mapping_layers, options.latent)
    folder = options.checkpoints or options.out.with_name(f"{options.out.name}_checkpoints")
    result = train(
        [Faceset(path) for path in options.faces],
        GanConfig(network=network, training=training),
        options.size,
        options.seed,
        folder,
        on_grid=lambda name, picture, kimg: _write_grid(options.out, picture),
        budget=Budget(options.minutes * 60 if options.minutes else None),
    )
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
