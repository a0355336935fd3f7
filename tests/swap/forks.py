"""Trains in processes of its own: `python forks.py FOLDER SOURCE TARGET` prints JSON.

Everything is imported once, before forking; each child trains on one thread.
"""

import json
import os
import random
import sys
import traceback
from pathlib import Path

import torch
from pytorch_lightning.loggers.logger import DummyLogger

from understudy.faces.faceset import Faceset
from understudy.swap.config import LossConfig, NetworkConfig, SwapConfig, TrainingConfig
from understudy.swap.training import Teachers, train

CONFIG = SwapConfig(
    faces="real",
    network=NetworkConfig(options="uds", encoder=8, inter=16, decoder=8, mask=4),
    losses=LossConfig(gan=0.1, gan_from=0.5),
    training=TrainingConfig(iterations=6, batch=4, lr=5e-4, log_every=1, preview_every=0, checkpoint_every=0),
)


class Recorder(DummyLogger):
    """Keeps the losses."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[dict[str, float]] = []

    def log_metrics(self, metrics, step=None) -> None:
        """Keep them."""
        self.losses.append(metrics)


def child(folder: Path, teachers: Teachers, environment: dict[str, str]) -> int:
    """Start a training in a process of its own; returns its number."""
    number = os.fork()
    if number:
        return number
    try:
        os.environ.update(environment)
        torch.set_num_threads(1)
        recorder = Recorder()
        result = train(teachers, CONFIG, 64, 3, folder / "checkpoints", recorder)
        rank = environment.get("RANK", "0")
        torch.save(result.weights.tensors, folder / f"result{rank}.pt")
        (folder / f"losses{rank}.json").write_text(json.dumps(recorder.losses))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def share(folder: Path, teachers: Teachers) -> dict:
    """One process, and two that share the same batch."""
    for name in ("one", "two"):
        (folder / name).mkdir()
    port = str(random.randint(20000, 40000))
    common = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    common |= {"TORCHELASTIC_RUN_ID": "test", "GROUP_RANK": "0"}
    numbers = [child(folder / "one", teachers, {})]
    numbers += [child(folder / "two", teachers, {**common, "RANK": rank, "LOCAL_RANK": rank}) for rank in ("0", "1")]
    for number in numbers:
        os.waitpid(number, 0)
    one, first, second = (
        torch.load(folder / name, weights_only=True) for name in ("one/result0.pt", "two/result0.pt", "two/result1.pt")
    )
    return {
        "one": json.loads((folder / "one/losses0.json").read_text()),
        "two": json.loads((folder / "two/losses0.json").read_text()),
        "second": json.loads((folder / "two/losses1.json").read_text()),
        "ranks_agree": all(torch.equal(first[name], second[name]) for name in first),
        "furthest": max(float((one[name] - first[name]).abs().max()) for name in one),
        "checkpoints": [path.name for path in (folder / "two").rglob("last.ckpt")],
    }


if __name__ == "__main__":
    given = Teachers(*(Faceset(Path(word)) for word in (sys.argv[2], sys.argv[2], sys.argv[3])))
    sys.stdout.write(json.dumps(share(Path(sys.argv[1]), given)))
