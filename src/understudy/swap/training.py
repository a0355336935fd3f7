"""Training of the swap: from two facesets to the weights that rendering needs, resumable at any moment."""

import logging
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from torch.utils.data import DataLoader

from understudy.checkpoint import load_state, save_state
from understudy.faces.faceset import Faceset
from understudy.files import fingerprint
from understudy.progress import Meter, meter
from understudy.swap.config import SwapConfig
from understudy.swap.data import FaceTensors, source_tensors, target_tensors
from understudy.swap.module import State, SwapModule
from understudy.swap.networks import Trainee, fast_layout, weights_of
from understudy.swap.preview import preview
from understudy.weights import Weights

OnPreview = Callable[[str, np.ndarray, int], None]

_UNTRAINED = ("log_every", "preview_every", "checkpoint_every")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainResult:
    """What training leaves.

    Args:
        weights: shared encoder and source decoder.
        summary: iterations, seconds, losses, numbers of faces.
        preview: the last preview picture.
    """

    weights: Weights
    summary: dict[str, Any]
    preview: np.ndarray


@dataclass
class Watch:
    """Follows the training: shows progress, saves checkpoints, hands out previews."""

    config: SwapConfig
    folder: Path
    shown: Meter
    faces: tuple[FaceTensors, FaceTensors]
    on_preview: OnPreview | None
    saved: float
    seconds: float = 0.0

    def __call__(self, module: SwapModule, losses: dict[str, float]) -> None:
        """After each iteration."""
        schedule = self.config.training
        self.shown.step(note=f"loss {sum(losses.values()):.3f}" if losses else "")
        last = module.iteration == schedule.iterations
        if self.on_preview and schedule.preview_every and not last and module.iteration % schedule.preview_every == 0:
            self.on_preview("swap_preview", preview(module.network, *module.faces), module.iteration)
        if last or time.monotonic() - self.saved >= schedule.checkpoint_every:
            state = module.state()
            save_state(self.folder, vars(state))
            self.seconds = state.seconds
            self.saved = time.monotonic()


def train(
    synthetic: Faceset,
    source: Faceset,
    target: Faceset,
    config: SwapConfig,
    size: int,
    seed: int,
    checkpoints: Path,
    lightning_logger: Logger | None = None,
    on_preview: OnPreview | None = None,
    source_rows: np.ndarray | None = None,
) -> TrainResult:
    """Train the swap, going on from the last checkpoint of the same faces and parameters if there is one.

    Args:
        synthetic: synthetic faces of the source.
        source: filmed faces of the source, used when `config.faces` is `real` or `mix`.
        target: filmed faces of the target.
        config: all parameters.
        size: pixels of the crops.
        seed: of initial weights and of everything drawn.
        checkpoints: folder with a subfolder for each set of faces and parameters.
        lightning_logger: where losses go.
        on_preview: called with name, RGB picture and iteration.
        source_rows: the rows of `source` that teach; all when None.

    Raises:
        UserError: too few faces, a size that does not fit, a full disk, damaged checkpoints, divergence.
    """
    used = {"synthetic": [synthetic], "real": [source], "mix": [synthetic, source]}[config.faces]
    rows = None if config.faces == "synthetic" else source_rows
    folder = checkpoints / key_of(used, target, config, size, seed, rows)
    faces = (source_tensors(synthetic, source, config, rows), target_tensors(target, config))
    arguments = {"size": size, **{name: value for name, value in asdict(config.network).items() if name != "kind"}}
    torch.manual_seed(seed)
    network = fast_layout(Trainee(**arguments))
    total = config.training.iterations
    saved = load_state(folder)
    state = None if saved is None else State(**saved)
    with meter("Training the swap (iterations)", total) as shown:
        watch = Watch(config, folder, shown, faces, on_preview, time.monotonic())
        module = SwapModule(network, *faces, config, seed, watch)
        if state is not None:
            logger.info("Going on from iteration %d of %d.", state.iteration, total)
            module.restore(state)
            shown.start_at(state.iteration)
        if module.iteration < total:
            _fit(module, config, lightning_logger)
        seconds = watch.seconds or module.before
    summary = {
        "iterations": module.iteration,
        "seconds": round(seconds, 1),
        "iterations_per_second": round(module.iteration / max(seconds, 1e-9), 3),
        "source_faces": len(faces[0]),
        "target_faces": len(faces[1]),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        **{name.removeprefix("swap/"): round(value, 5) for name, value in module.losses.items()},
    }
    notes = {"faces": config.faces, **summary}
    picture = preview(network.cpu(), *faces)
    return TrainResult(weights_of(network, arguments, notes), summary, picture)


def key_of(
    source: list[Faceset], target: Faceset, config: SwapConfig, size: int, seed: int, rows: np.ndarray | None = None
) -> str:
    """The name of a training: equal when faces, size, seed and everything that shapes the result are equal."""
    schedule = {name: value for name, value in asdict(config.training).items() if name not in _UNTRAINED}
    shards = [[shard.sha256 for shard in faceset.shards] for faceset in (*source, target)]
    parts = [asdict(part) for part in (config.network, config.losses, config.augment)]
    chosen = None if rows is None else rows.tolist()
    return fingerprint(config.faces, config.count, schedule, parts, shards, size, seed, chosen)


def _fit(module: SwapModule, config: SwapConfig, lightning_logger: Logger | None) -> None:
    """Run Lightning over the iterations that are left."""
    half = torch.cuda.is_available() and config.training.precision == "auto"
    trainer = pl.Trainer(
        accelerator="auto",
        devices=1,
        precision="bf16-mixed" if half else "32-true",
        max_epochs=1,
        logger=lightning_logger or False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,  # the module logs by itself
    )
    numbers = list(range(module.iteration, config.training.iterations))
    left: DataLoader[int] = DataLoader(numbers, batch_size=None)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*does not have many workers.*")  # the faces are on the device already
        trainer.fit(module, left)
