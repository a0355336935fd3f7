"""Trains in processes of its own, which can be killed: `python forks.py FOLDER FACESET` prints JSON.

Everything is imported once, before forking; each child trains on one thread.
"""

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import torch
from pytorch_lightning.loggers import Logger

from understudy.faces.faceset import Faceset
from understudy.faces.models import shape_predictor
from understudy.gan import training as gan_training
from understudy.gan import watch
from understudy.gan.config import GanConfig, NetworkConfig, TrainingConfig
from understudy.gan.training import train

NETWORK = NetworkConfig(channel_base=64, channel_max=8, mapping_layers=1, latent=16)
LAZY = {"r1_every": 4, "path_length_every": 4, "augment": "ada", "ada_kimg": 1.0}
KILLS = 10


class Recorder(Logger):
    """Writes the losses to a file, a line a step."""

    name, version = "recorder", "0"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def log_hyperparams(self, *args, **kwargs) -> None:
        """Nothing to keep."""

    def log_metrics(self, metrics, step=None) -> None:
        """Keep them."""
        with self.path.open("a") as file:
            file.write(json.dumps([step, metrics]) + "\n")


def child(folder: Path, faces: Faceset, training: TrainingConfig, environment: dict[str, str] | None = None) -> int:
    """Start a training in a process of its own; returns its number."""
    number = os.fork()
    if number:
        return number
    try:
        os.environ.update(environment or {})
        torch.set_num_threads(1)
        rank = os.environ.get("RANK", "0")
        result = train(
            faces, GanConfig(network=NETWORK, training=training), 16, 3, folder, tracker=Recorder(folder / "losses")
        )
        torch.save(result.weights.tensors, folder / f"result{rank}.pt")
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def results(folder: Path) -> tuple[dict[str, torch.Tensor], list]:
    """What a finished training left: weights and losses."""
    losses = [json.loads(line) for line in (folder / "losses").read_text().splitlines()]
    return torch.load(folder / "result0.pt", weights_only=True), losses


def lines(path: Path) -> int:
    """Lines of a file; 0 when it does not exist."""
    return path.read_text().count("\n") if path.exists() else 0


def kill(folder: Path, faces: Faceset) -> dict:
    """One training undisturbed, one killed at random moments and taken up again."""
    training = TrainingConfig(kimg=0.48, batch=8, checkpoint_every_seconds=0.1, **LAZY)
    for name in ("whole", "killed"):
        (folder / name).mkdir()
    os.waitpid(child(folder / "whole", faces, training), 0)
    kills = taken_up = 0
    chance, losses = random.Random(0), folder / "killed" / "losses"
    while True:
        taken_up += any((folder / "killed").glob("*/last.ckpt"))
        before = lines(losses)
        number = child(folder / "killed", faces, training)
        if kills == KILLS:
            os.waitpid(number, 0)
            break
        some = chance.randint(1, 3)  # steps, and then any moment of the next ones
        while lines(losses) < before + some:
            time.sleep(0.002)
            if os.waitpid(number, os.WNOHANG)[0]:
                raise RuntimeError(f"training was over after {kills} kills")
        time.sleep(chance.uniform(0, 0.04))
        os.kill(number, signal.SIGKILL)
        _, status = os.waitpid(number, 0)
        kills += os.WIFSIGNALED(status)
    whole, undisturbed = results(folder / "whole")
    killed, steps = results(folder / "killed")
    kept = ("gan/loss_generator", "gan/loss_discriminator", "gan/r1", "gan/path_length", "gan/ada_strength")
    expected = {step: [figures[name] for name in kept] for step, figures in undisturbed}
    return {
        "kills": kills,
        "same_weights": all(torch.equal(whole[name], killed[name]) for name in whole),
        "same_losses": all(expected[step] == [figures[name] for name in kept] for step, figures in steps),
        "steps": len(expected),
        "taken_up": taken_up,
    }


def share(folder: Path, faces: Faceset) -> dict:
    """One process, and two that share the same batch."""
    training = TrainingConfig(kimg=0.064, batch=16, **LAZY)
    for name in ("one", "two"):
        (folder / name).mkdir()
    os.waitpid(child(folder / "one", faces, training), 0)
    port = str(random.randint(20000, 40000))
    common = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    common |= {"TORCHELASTIC_RUN_ID": "test", "GROUP_RANK": "0"}
    numbers = [
        child(folder / "two", faces, training, {**common, "RANK": rank, "LOCAL_RANK": rank}) for rank in ("0", "1")
    ]
    for number in numbers:
        os.waitpid(number, 0)
    one, two = results(folder / "one"), results(folder / "two")
    second = torch.load(folder / "two" / "result1.pt", weights_only=True)
    return {
        "one": one[1],
        "two": two[1],
        "ranks_agree": all(torch.equal(two[0][name], second[name]) for name in second),
        "furthest": max(float((one[0][name] - two[0][name]).abs().max()) for name in second),
        "files": sorted(path.name for path in (folder / "two").rglob("*") if path.is_file()),
    }


if __name__ == "__main__":
    watch.FIGURES_EVERY = 0.0
    gan_training.LEAK_FACES = 20
    shape_predictor("68")
    base, filmed = Path(sys.argv[1]), Faceset(Path(sys.argv[2]))
    sys.stdout.write(json.dumps({"kill": kill(base, filmed), "share": share(base, filmed)}))
