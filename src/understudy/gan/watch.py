"""What happens between the steps of training: figures, checkpoints, grids, measurements, and the end."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger

from understudy.checkpoint import mark_good, save_state
from understudy.errors import UserError
from understudy.gan import chance, keep
from understudy.gan.config import GanConfig
from understudy.gan.data import Feed, Filmed
from understudy.gan.device import memory_used
from understudy.gan.generator import Generator
from understudy.gan.grid import COLUMNS, sample_grid
from understudy.gan.health import LOOK_EVERY, Health
from understudy.gan.module import GanModule
from understudy.gan.networks import pack
from understudy.gan.quality import FaceDistance
from understudy.processes import agree
from understudy.progress import Meter

FIGURES_EVERY = 5.0
"""Seconds between two entries of the log."""
BUDGET_EVERY = 16
"""Steps between two looks at the clock when several processes have to stop at the same step."""

logger = logging.getLogger(__name__)
OnGrid = Callable[[str, np.ndarray, int], None]


@dataclass
class Budget:
    """When to stop before `kimg` is reached; None: never."""

    seconds: float | None = None


@dataclass
class Job:
    """One training: its inputs, and what it shows and keeps.

    Args:
        config: network, training, start.
        size: pixels of the crops.
        seed: of everything random.
        folder: for checkpoints.
        faces: those that teach.
        distance: measures the generator; None: nothing is measured.
        tracker: for the figures.
        on_grid: called with a name, an RGB picture and the thousands of images seen.
        budget: a time after which to stop early.
        troubles: what went wrong so far, a sentence each.
        lr_factor: what the learning rate is multiplied by when there is no state to go on from.
    """

    config: GanConfig
    size: int
    seed: int
    folder: Path
    faces: Filmed
    distance: FaceDistance | None
    tracker: Logger | None = None
    on_grid: OnGrid | None = None
    budget: Budget = field(default_factory=Budget)
    troubles: list[str] = field(default_factory=list)
    lr_factor: float = 1.0

    @property
    def target(self) -> int:
        """Images after which training ends."""
        return round(self.config.training.kimg * 1000)


class Watch(pl.Callback):
    """Shows progress, writes checkpoints, figures and grids, measures, and takes up an earlier state.

    Only the first of several processes shows and writes. What decides when training ends is decided by all alike.
    """

    def __init__(self, job: Job, module: GanModule, state: dict[str, Any] | None) -> None:
        self.job, self.module, self.state = job, module, state
        self.settings = job.config.training
        self.first = chance.share().rank == 0
        self.earlier = float(state["seconds"]) if state else 0.0
        self.resumed_at = int(state["images"]) if state else 0
        self.figures: dict[str, float] = state["figures"] if state else {}
        self.curve: list[list[float]] = state["curve"] if state else []  # kimg and distance
        self.finished = bool(state["finished"]) if state else False
        self.health = Health()
        if state:
            self.health.restore(state["health"])
        self.feed: Feed | None = None
        self.shown: Meter | None = None
        self.gathered: list[dict[str, float]] = []
        self.began = self.logged = self.saved = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of training, those of earlier runs included."""
        return self.earlier + time.monotonic() - self.began

    @property
    def seconds_per_kimg(self) -> float:
        """Of this run, over all its images."""
        fresh = self.module.images_seen - self.resumed_at
        return (time.monotonic() - self.began) / fresh * 1000 if fresh > 0 else 0.0

    @property
    def best(self) -> list[float] | None:
        """Thousand images and distance of the best measurement."""
        return min(self.curve, key=lambda entry: entry[1]) if self.curve else None

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take up the earlier state, now that everything is on its device."""
        if self.state is not None:
            self.restore()
        self.began = self.logged = self.saved = time.monotonic()

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any) -> None:
        """Before the first step: take up the random numbers. Not earlier, since Lightning and its loader draw some."""
        if self.state is None:
            return
        torch.set_rng_state(self.state["random"])
        if self.state["random_cuda"] and self.module.device.type == "cuda":
            torch.cuda.set_rng_state(self.state["random_cuda"][0], self.module.device)
        self.state = None

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *args: Any) -> None:
        """After each step: count, and at their times judge, log, measure, save and draw."""
        if self.shown is not None:
            self.shown.step(self.settings.batch, f"({self.seconds_per_kimg:.1f} s/kimg)")
        if self.module.steps_done % (LOOK_EVERY if self.module.plan.cuda else 1) == 0:
            self.look()
        if self._due(self.settings.measure_every_kimg):
            self.measure()
            self._lose_patience()
        self._watch_budget()
        if not self.first:
            return
        if time.monotonic() - self.logged >= FIGURES_EVERY:
            self.report()
        if time.monotonic() - self.saved >= self.settings.checkpoint_every_seconds:
            self.save()
        if self._due(self.settings.snapshot_every_kimg):
            keep.keep_snapshot(self.job.folder, self._packed(), self.module.images_seen)
        if self._due(self.settings.grid_every_kimg):
            self.draw()

    def look(self) -> None:
        """Fetch the figures and judge them.

        Raises:
            Diverged: training has failed.
        """
        figures = self.module.take_figures()
        self.gathered.append(figures)
        self.health.look(figures, self.module.images_seen)

    def report(self) -> None:
        """Log the means of the figures since the last time."""
        self.logged = time.monotonic()
        if not self.gathered:
            return
        names = self.gathered[0]
        self.figures = {name: float(np.mean([entry[name] for entry in self.gathered])) for name in names}
        self.gathered = []
        rest = {
            "seconds_per_kimg": self.seconds_per_kimg,
            "kimg_left": (self.job.target - self.module.images_seen) / 1000,
            **memory_used(self.module.plan),
        }
        self._track({**self.figures, **rest})

    def measure(self) -> None:
        """Measure the running mean and keep it if it is the best so far."""
        if self.job.distance is None:
            return
        kimg = self.module.images_seen / 1000
        if self.curve and self.curve[-1][0] >= kimg:
            return
        best = self.best
        value = self.job.distance.measure(self.module.ema)
        self.curve = [*self.curve, [kimg, value]]
        if self.first:
            self._track({"distance": value})
            if best is None or value < best[1]:
                keep.keep_weights(self.job.folder / keep.BEST, self._packed())

    def draw(self, generator: Generator | None = None) -> np.ndarray:
        """Draw the grid, by the running mean unless another is given, and hand it on."""
        # the grid's latents come from a generator of their own: training goes on as if nothing was drawn
        grid = sample_grid(generator or self.module.ema, self.job.faces.sample(COLUMNS), self.job.seed)
        if self.job.on_grid is not None:
            self.job.on_grid("gan_grid", grid, self.module.images_seen // 1000)
        return grid

    def save(self) -> None:
        """Write a checkpoint, unless the weights are spoilt, which the next look will find."""
        module = self.module
        self.saved = time.monotonic()
        norms = torch.stack(torch._foreach_norm([*module.generator.parameters(), *module.discriminator.parameters()]))
        if not bool(norms.isfinite().all()):
            return
        cuda = [torch.cuda.get_rng_state(module.device)] if module.device.type == "cuda" else []
        state = {
            "networks": module.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in module.configure_optimizers()],
            "images": module.images_seen,
            "steps": module.steps_done,
            "steps_since_look": module.steps_since_look,
            "seconds": self.seconds,
            "figures": self.figures,
            "curve": self.curve,
            "health": self.health.state(),
            "troubles": self.job.troubles,
            "finished": self.finished,
            "random": torch.get_rng_state(),
            "random_cuda": cuda,
        }
        save_state(self.job.folder, state)
        if not self.health.suspect:
            mark_good(self.job.folder)

    def finish(self) -> None:
        """After the last step, or when the time is over: measure what has not been, log, save."""
        if self.module.images_seen >= self.job.target or self.finished:
            self.finished = True
            self.measure()
        if self.first:
            self.report()
            self.save()

    def restore(self) -> None:
        """Put networks, optimisers and counters where the earlier run left them.

        Raises:
            UserError: the checkpoint is of another architecture.
        """
        assert self.state is not None
        module, state = self.module, self.state
        try:
            module.load_state_dict(state["networks"])
            for optimiser, saved in zip(module.configure_optimizers(), state["optimisers"], strict=True):
                optimiser.load_state_dict(saved)
        except (RuntimeError, ValueError) as error:
            raise UserError(
                f"The checkpoint in {self.job.folder} is of another architecture than the parameters ask for "
                f"({str(error).splitlines()[0]}): delete this folder to train from the start."
            ) from error
        module.images_seen, module.steps_done = state["images"], state["steps"]
        module.steps_since_look = state["steps_since_look"]

    def _lose_patience(self) -> None:
        """Stop when the distance has not fallen for long."""
        best, patience = self.best, self.settings.patience_kimg
        if self.feed is None or best is None or patience is None:
            return
        if agree(self.module.images_seen / 1000 - best[0] >= patience):
            logger.info("Training ends early: the distance has not fallen below %.4f since %.1f kimg.", *best[::-1])
            self.finished = self.feed.stopped = True

    def _watch_budget(self) -> None:
        """Stop when the time is over."""
        if self.feed is None or self.job.budget.seconds is None:
            return
        if chance.share().world == 1 or self.module.steps_done % BUDGET_EVERY == 0:
            self.feed.stopped |= agree(time.monotonic() - self.began >= self.job.budget.seconds)

    def _due(self, every_kimg: float | None) -> bool:
        """Whether the last step passed a multiple of so many kimg: the same steps, wherever training was taken up."""
        if every_kimg is None:
            return False
        every, seen = every_kimg * 1000, self.module.images_seen
        return seen // every > (seen - self.settings.batch) // every

    def _packed(self) -> Any:
        notes = {"kimg": self.module.images_seen / 1000, "training": self.job.config.identity()}
        return pack(self.module, self.job.config.network, notes)

    def _track(self, figures: dict[str, float]) -> None:
        if self.job.tracker is not None:
            shown = {f"gan/{name}": value for name, value in figures.items()}
            self.job.tracker.log_metrics(shown, step=self.module.images_seen)
