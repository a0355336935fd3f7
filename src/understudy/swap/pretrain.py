"""Trains the swap in several processes: `torchrun --nproc-per-node N -m understudy.swap.pretrain --source … …`.

With `--out` at the place of the pipeline's `swap_model`, `kedro run --from-nodes describe_swap` goes on from there.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.processes import share_from_environment
from understudy.swap.data import held_out_rows
from understudy.swap.presets import configure
from understudy.swap.training import Teachers, train
from understudy.weights import save_weights


def main(words: Sequence[str] | None = None) -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="folder of the faceset that teaches the source")
    parser.add_argument("--target", type=Path, required=True, help="folder of the target's faceset")
    parser.add_argument("--config", type=Path, required=True, help="YAML with the parameters under the key deepfake")
    parser.add_argument("--size", type=int, required=True, help="pixels of the crops")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder for the training state")
    parser.add_argument("--out", type=Path, required=True, help="the network, without suffix")
    given = parser.parse_args(words)
    try:
        settings = (yaml.safe_load(given.config.read_text(encoding="utf-8")) or {}).get("deepfake", {})
        source = Faceset(given.source)
        found = np.flatnonzero(source.found())
        held_out = held_out_rows(source, found)
        taught = np.setdiff1d(found, held_out)
        teachers = Teachers(source, source, Faceset(given.target), taught, held_out=held_out)
        result = train(teachers, configure(settings), given.size, given.seed, given.checkpoints)
        if share_from_environment().rank == 0:
            save_weights(given.out, result.weights)
    except (UserError, OSError, yaml.YAMLError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
