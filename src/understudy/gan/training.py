"""Training a generator of one person, resumable at any moment."""

import logging
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from torch.utils.data import DataLoader

from understudy.checkpoint import load_state, save_state
from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.files import fingerprint
from understudy.gan.config import GanConfig, check_size
from understudy.gan.data import FaceFeed, faces_key, forget_faces, read_faces
from understudy.gan.grid import sample_grid
from understudy.gan.module import GanModule
from understudy.gan.networks import pack, start_from
from understudy.progress import Meter, meter
from understudy.weights import Weights

FIGURES_EVERY = 5.0
"""Seconds between two looks at the losses."""

logger = logging.getLogger(__name__)
OnGrid = Callable[[str, np.ndarray, int], None]


@dataclass(frozen=True)
class TrainResult:
    """What training leaves: networks of kind `stylegan2`, figures, and a grid of filmed and drawn faces (H, W, 3)."""

    weights: Weights
    summary: dict[str, Any]
    grid: np.ndarray


@dataclass
class Budget:
    """When to stop before `kimg` is reached; None: never."""

    seconds: float | None = None


def train(
    facesets: Faceset | Sequence[Faceset],
    config: GanConfig,
    size: int,
    seed: int,
    checkpoints: Path,
    base: Weights | None = None,
    logger: Logger | None = None,
    on_grid: OnGrid | None = None,
    budget: Budget | None = None,
    rows: Sequence[np.ndarray] | None = None,
) -> TrainResult:
    """Train on `facesets` until `kimg` is reached; go on from a checkpoint of the same inputs if there is one.

    Args:
        facesets: one or several complete facesets of `size` pixels; rows without a face are left out.
        config: network, training, start.
        size: pixels of the crops.
        seed: of the first weights and everything random.
        checkpoints: folder for the training state.
        base: the weights to start from when `config.start` is `base`.
        logger: a Lightning logger for the losses.
        on_grid: called with a name, an RGB picture and the thousands of images seen.
        budget: a time after which to stop early.
        rows: the row numbers of each faceset that teach; all when None.

    Raises:
        UserError: too few faces, a wrong size, a base of another architecture, damaged checkpoints, a full disk, or
            losses that are no longer numbers.
    """
    sets = [facesets] if isinstance(facesets, Faceset) else list(facesets)
    check_size(size)
    folder = checkpoints / fingerprint(config.identity(), faces_key(sets, rows), size, seed)
    faces = read_faces(sets, size, config.training.memory_mb, folder, rows)
    torch.manual_seed(seed)
    module = GanModule(config.network, config.training, size)
    state = load_state(folder)
    if state is None and config.start == "base":
        if base is None:
            raise UserError("No base checkpoint was given: set 'gan_training.start: scratch' or supply the file.")
        start_from(module, config.network, base)
    target = round(config.training.kimg * 1000)
    watch = Watch(module, faces, config, folder, seed, state, logger, on_grid, budget or Budget())
    if state is not None and state["images"] >= target:
        watch.restore()
        device = "none: already trained"
    else:
        device = _fit(module, faces, config, seed, target, state, logger, watch)
    result = _result(module, faces, config, seed, watch, device)
    forget_faces(folder)
    return result


class Watch(pl.Callback):
    """Shows progress, writes checkpoints, losses and grids, and takes up an earlier state."""

    def __init__(
        self,
        module: GanModule,
        faces: np.ndarray,
        config: GanConfig,
        folder: Path,
        seed: int,
        state: dict[str, Any] | None,
        logger: Logger | None,
        on_grid: OnGrid | None,
        budget: Budget,
    ) -> None:
        self.module, self.faces, self.settings, self.folder, self.seed = module, faces, config.training, folder, seed
        self.state, self.logger, self.on_grid, self.budget = state, logger, on_grid, budget
        self.earlier = float(state["seconds"]) if state else 0.0
        self.resumed_at = int(state["images"]) if state else 0
        self.figures: dict[str, float] = state["figures"] if state else {}
        self.feed: FaceFeed | None = None
        self.shown: Meter | None = None
        self.began = self.figured = self.saved = time.monotonic()
        self.next_grid = 0.0

    @property
    def seconds(self) -> float:
        """Seconds of training, those of earlier runs included."""
        return self.earlier + time.monotonic() - self.began

    @property
    def seconds_per_kimg(self) -> float:
        """Of this run, over all its images."""
        fresh = self.module.images_seen - self.resumed_at
        return (time.monotonic() - self.began) / fresh * 1000 if fresh > 0 else 0.0

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take up the earlier state, now that everything is on its device."""
        if self.state is not None:
            self.restore()
        self.began = self.figured = self.saved = time.monotonic()
        self.next_grid = self.module.images_seen + self.settings.grid_every_kimg * 1000

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any) -> None:
        """Before the first step: take up the random numbers. Not earlier, since Lightning and its loader draw some."""
        if self.state is None:
            return
        torch.set_rng_state(self.state["random"])
        if self.state["random_cuda"] and self.module.device.type == "cuda":
            torch.cuda.set_rng_state(self.state["random_cuda"][0], self.module.device)
        self.state = None

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any) -> None:
        """After each step: count, and at their times look, save and draw."""
        now = time.monotonic()
        if self.shown is not None:
            self.shown.step(self.settings.batch, f"({self.seconds_per_kimg:.1f} s/kimg)")
        if now - self.figured >= FIGURES_EVERY:
            self.look()
        if now - self.saved >= self.settings.checkpoint_every_seconds:
            self.save()
        if self.module.images_seen >= self.next_grid:
            self.next_grid += self.settings.grid_every_kimg * 1000
            self.draw()
        if self.feed is not None and self.budget.seconds is not None and now - self.began >= self.budget.seconds:
            self.feed.stopped = True

    def look(self) -> None:
        """Fetch the losses and log them."""
        self.figured = time.monotonic()
        if not self.module.steps_since_look:
            return
        self.figures = self.module.take_figures()
        if not all(np.isfinite(value) for value in self.figures.values()):
            raise UserError(
                f"Training diverged after {self.module.images_seen / 1000:.2f} kimg (a loss is not a number): "
                "lower 'gan_training.training.lr' or raise 'r1_gamma'; the last checkpoint is kept."
            )
        if self.logger is not None:
            shown = {f"gan/{name}": value for name, value in self.figures.items()}
            shown["gan/seconds_per_kimg"] = self.seconds_per_kimg
            self.logger.log_metrics(shown, step=self.module.images_seen)

    def draw(self) -> np.ndarray:
        """Draw the grid and hand it on."""
        # the grid's latents come from a generator of their own: training goes on as if nothing was drawn
        grid = sample_grid(self.module.ema, self.faces, self.seed)
        if self.on_grid is not None:
            self.on_grid("gan_grid", grid, self.module.images_seen // 1000)
        return grid

    def save(self) -> None:
        """Write a checkpoint."""
        module = self.module
        self.look()
        cuda = [torch.cuda.get_rng_state(module.device)] if module.device.type == "cuda" else []
        state = {
            "networks": module.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in module.configure_optimizers()],
            "images": module.images_seen,
            "steps": module.steps_done,
            "seconds": self.seconds,
            "figures": self.figures,
            "random": torch.get_rng_state(),
            "random_cuda": cuda,
        }
        save_state(self.folder, state)
        self.saved = time.monotonic()

    def restore(self) -> None:
        """Put networks, optimisers and counters where the earlier run left them."""
        assert self.state is not None
        module, state = self.module, self.state
        module.load_state_dict(state["networks"])
        for optimiser, saved in zip(module.configure_optimizers(), state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        module.images_seen, module.steps_done = state["images"], state["steps"]


def _fit(
    module: GanModule,
    faces: np.ndarray,
    config: GanConfig,
    seed: int,
    target: int,
    state: dict[str, Any] | None,
    tracker: Logger | None,
    watch: Watch,
) -> str:
    """Run Lightning until the feed ends; returns the name of the device."""
    cuda = torch.cuda.is_available()
    pictures = torch.from_numpy(faces)
    if cuda:
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
        if faces.nbytes <= config.training.memory_mb * 1_000_000:
            pictures = pictures.cuda()
    start = int(state["images"]) if state else 0
    watch.feed = FaceFeed(pictures, config.training.batch, seed, start, target)
    logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)
    trainer = pl.Trainer(
        accelerator="gpu" if cuda else "cpu",
        devices=1,
        max_epochs=1,
        logger=tracker or False,
        benchmark=cuda,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        callbacks=[watch],
    )
    with warnings.catch_warnings(), meter("training the generator", target) as shown:
        # the pictures lie in memory already: workers would only copy them
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*in eval mode at the start of training.*")  # the running mean
        shown.start_at(start)
        watch.shown = shown
        trainer.fit(module, DataLoader(watch.feed, batch_size=None, num_workers=0))
    if trainer.interrupted:
        raise KeyboardInterrupt
    watch.save()
    return torch.cuda.get_device_name() if cuda else "cpu"


def _result(
    module: GanModule, faces: np.ndarray, config: GanConfig, seed: int, watch: Watch, device: str
) -> TrainResult:
    fresh = watch.seconds_per_kimg
    total = watch.seconds if fresh else watch.earlier
    summary = {
        "kimg": module.images_seen / 1000,
        "faces": len(faces),
        "seconds": total,
        "seconds_per_kimg": fresh or total / max(module.images_seen, 1) * 1000,
        "resumed_at_kimg": watch.resumed_at / 1000,
        "parameters_generator": sum(p.numel() for p in module.generator.parameters()),
        "parameters_discriminator": sum(p.numel() for p in module.discriminator.parameters()),
        "r1_gamma": config.training.gamma(module.size),
        "start": config.start,
        "device": device,
        **watch.figures,
    }
    notes = {"kimg": summary["kimg"], "faces": len(faces), "start": config.start, "training": config.identity()}
    return TrainResult(pack(module, config.network, notes), summary, watch.draw())
