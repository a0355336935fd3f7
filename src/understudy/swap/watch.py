"""What happens between the iterations: progress, previews, checkpoints, and whether all is well."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from understudy.checkpoint import mark_good, save_state
from understudy.progress import Meter
from understudy.swap.config import SwapConfig
from understudy.swap.data import FaceTensors
from understudy.swap.health import Health
from understudy.swap.module import SwapModule
from understudy.swap.preview import preview

OnPreview = Callable[[str, np.ndarray, int], None]

OTHERS = ("swap/gan", "swap/discriminator", "swap/identity")
"""Losses that may rise while all is well."""


@dataclass
class Watch:
    """Follows the training: shows progress, judges losses, saves checkpoints, hands out previews.

    Args:
        config: all parameters.
        folder: for checkpoints.
        faces: of the source and of the target, for previews.
        on_preview: called with name, RGB picture and iteration.
        first: whether this is the first of several processes, which alone writes.
    """

    config: SwapConfig
    folder: Path
    faces: tuple[FaceTensors, FaceTensors]
    on_preview: OnPreview | None
    first: bool = True
    seconds: float = 0.0
    troubles: list[str] = field(default_factory=list)

    def begin(self, shown: Meter) -> None:
        """Before the first iteration, and anew after each return to a good state."""
        self.shown, self.health, self.saved = shown, Health(), time.monotonic()

    def __call__(self, module: SwapModule, losses: dict[str, float]) -> None:
        """After each iteration.

        Raises:
            Diverged: training has failed.
        """
        schedule = self.config.training
        judged = {name: value for name, value in losses.items() if name not in OTHERS}
        if judged:
            self.health.look(judged)
        self.shown.step(note=f"loss {sum(judged.values()):.3f}" if judged else "")
        last = module.iteration == schedule.iterations
        if self.on_preview and schedule.preview_every and not last and module.iteration % schedule.preview_every == 0:
            self.on_preview("swap_preview", preview(module.network, *self.faces), module.iteration)
        if last or time.monotonic() - self.saved >= schedule.checkpoint_every:
            self.save(module)

    def save(self, module: SwapModule) -> None:
        """Write a checkpoint, unless the weights are spoilt, which the next look will find."""
        self.saved = time.monotonic()
        if not self.first or not module.finite:
            return
        state = module.state(self.health.state(), self.troubles)
        save_state(self.folder, vars(state))
        self.seconds = state.seconds
        if not self.health.suspect:
            mark_good(self.folder)
