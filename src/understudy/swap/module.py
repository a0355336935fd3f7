"""The swap's training step as a LightningModule."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch

from understudy.errors import UserError
from understudy.swap.config import SwapConfig
from understudy.swap.data import FaceTensors, draw
from understudy.swap.losses import side_losses
from understudy.swap.networks import Trainee

SLOWEST = 0.1
"""The learning rate at the end, as a share of that at the beginning."""


@dataclass(frozen=True)
class State:
    """All that training needs to go on as if it had not stopped.

    Args:
        iteration: iterations done. Every random number follows from it and the seed.
        seconds: time spent so far.
        network: state of the networks.
        optimiser: state of the optimizer.
        losses: the last ones that were logged.
    """

    iteration: int
    seconds: float
    network: dict[str, Any]
    optimiser: dict[str, Any]
    losses: dict[str, float]


class SwapModule(pl.LightningModule):
    """Trains the autoencoder; counts its own iterations.

    The random numbers of an iteration are drawn from a generator that is seeded by `seed` and the iteration's number,
    so a run that was stopped and resumed sees what an undisturbed one sees.

    Args:
        network: the networks.
        source: faces for the source's decoder.
        target: faces for the target's decoder.
        config: all parameters.
        seed: of warps, jitter and the order of faces.
        on_step: called after each iteration with its number and, when it was logged, the losses.
    """

    def __init__(
        self,
        network: Trainee,
        source: FaceTensors,
        target: FaceTensors,
        config: SwapConfig,
        seed: int,
        on_step: Callable[["SwapModule", dict[str, float]], None],
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network, self.faces, self.config, self.seed = network, (source, target), config, seed
        self.on_step = on_step
        self.iteration, self.before, self.started = 0, 0.0, time.monotonic()
        self.losses: dict[str, float] = {}
        self.adam: torch.optim.Optimizer = torch.optim.Adam(network.parameters(), lr=config.training.lr)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam over all networks."""
        return self.adam

    def on_fit_start(self) -> None:
        """Bring the faces to the device."""
        self.faces = (self.faces[0].to(self.device), self.faces[1].to(self.device))
        self.started = time.monotonic()

    def training_step(self, _batch: torch.Tensor, _number: int) -> None:
        """One iteration: both persons through the shared encoder, each through their own decoder."""
        schedule = self.config.training
        generator = torch.Generator(self.device).manual_seed((self.seed * 1_000_003 + self.iteration) % 2**63)
        warp = self.iteration < self.config.augment.warp_until * schedule.iterations
        source, target = draw(*self.faces, schedule.batch, self.config.augment, warp, generator)
        code = self.network.encode(torch.cat([source.inputs, target.inputs]))
        code_source, code_target = code.chunk(2)
        losses: dict[str, torch.Tensor] = {}
        for name, decoder, codes, side in (
            ("source", self.network.source, code_source, source),
            ("target", self.network.target, code_target, target),
        ):
            image, mask = decoder(codes)
            parts = side_losses(image, mask, side.target, side.mask, side.eyes_mouth, self.config.losses)
            losses |= {f"swap/{name}_{part}": value for part, value in parts.items()}
        self.adam.zero_grad(set_to_none=True)
        for group in self.adam.param_groups:
            group["lr"] = learning_rate(self.config, self.iteration)
        self.manual_backward(torch.stack(list(losses.values())).sum())
        self.optimizers().step()  # type: ignore[union-attr]
        self.iteration += 1
        fresh = self._log(losses)
        self.losses = fresh or self.losses
        self.on_step(self, fresh)

    def _log(self, losses: dict[str, torch.Tensor]) -> dict[str, float]:
        if self.iteration % self.config.training.log_every and self.iteration != self.config.training.iterations:
            return {}
        # One transfer for all numbers; between two logged iterations the device is never waited for.
        values = dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True))
        if not all(math.isfinite(value) for value in values.values()):
            raise UserError(
                f"The swap's training diverged at iteration {self.iteration}: "
                "lower deepfake.training.lr and start again; it goes on from the last checkpoint."
            )
        if self.logger is not None:
            self.logger.log_metrics(values, step=self.iteration)
        return values

    @property
    def seconds(self) -> float:
        """Time spent in training, with that of earlier runs."""
        return self.before + time.monotonic() - self.started

    def state(self) -> State:
        """All that is needed to go on from here."""
        return State(self.iteration, self.seconds, self.network.state_dict(), self.adam.state_dict(), self.losses)

    def restore(self, state: State) -> None:
        """Go on from `state`."""
        self.network.load_state_dict(state.network)
        self.adam.load_state_dict(state.optimiser)
        self.iteration, self.before, self.losses = state.iteration, state.seconds, state.losses


def learning_rate(config: SwapConfig, iteration: int) -> float:
    """Constant at first, then along half a cosine down to a tenth."""
    schedule = config.training
    start = schedule.decay_from * schedule.iterations
    if iteration <= start:
        return schedule.lr
    share = (iteration - start) / max(1.0, schedule.iterations - start)
    return schedule.lr * (SLOWEST + (1 - SLOWEST) * (1 + math.cos(math.pi * share)) / 2)
