"""The swap's training step as a LightningModule."""

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from understudy.processes import Share, average
from understudy.swap.adam import Adam
from understudy.swap.config import SwapConfig
from understudy.swap.data import FaceTensors, Sides, draw
from understudy.swap.discriminator import PatchDiscriminator, discriminator_loss, face_alone, painter_loss
from understudy.swap.likeness import Likeness
from understudy.swap.losses import face_losses
from understudy.swap.networks import Part, Trainee, fast_layout

SLOWEST = 0.1
"""The learning rate at the end, as a share of that at the beginning."""


@dataclass(frozen=True)
class State:
    """All that training needs to go on as if it had not stopped.

    Args:
        iteration: iterations done. Every random number follows from it and the seed.
        seconds: time spent so far.
        network: state of the networks, the discriminator's included.
        optimisers: state of the optimisers.
        losses: the last ones that were logged.
        health: what is known of the way so far.
        rate: what the learning rate is multiplied by.
        troubles: what went wrong so far, a sentence each.
    """

    iteration: int
    seconds: float
    network: dict[str, Any]
    optimisers: list[dict[str, Any]]
    losses: dict[str, float]
    health: dict[str, Any]
    rate: float
    troubles: list[str]


@dataclass(frozen=True)
class PartResult:
    """What comes of painting a part.

    Args:
        gradient: of the part's losses by its code, of the code's shape.
        image: the faces, (N, 3, S, S); no gradient.
        losses: weighted means over each person's faces, by name.
    """

    gradient: Tensor
    image: Tensor
    losses: dict[str, Tensor]


class SwapModule(pl.LightningModule):
    """Trains the autoencoder; counts its own iterations.

    The random numbers of an iteration are drawn from a generator that is seeded by `seed` and the iteration's number,
    so a run that was stopped and resumed sees what an undisturbed one sees. Several processes draw the same faces and
    each works on its part.

    Args:
        network: the networks.
        source: faces for the source's decoder.
        target: faces for the target's decoder.
        config: all parameters.
        seed: of warps, jitter and the order of faces.
        on_step: called after each iteration with its losses when they were logged.
        likeness: needed when the identity counts.
        share: which part of the batch is this process's.
    """

    def __init__(
        self,
        network: Trainee,
        source: FaceTensors,
        target: FaceTensors,
        config: SwapConfig,
        seed: int,
        on_step: Callable[["SwapModule", dict[str, float]], None],
        likeness: Likeness | None = None,
        share: Share | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network, self.faces, self.config, self.seed = network, (source, target), config, seed
        self.on_step, self.share = on_step, share or Share()
        self.iteration, self.before, self.started, self.rate = 0, 0.0, time.monotonic(), 1.0
        self.losses: dict[str, float] = {}
        # In a tuple, so that the embedder's weights are neither trained nor kept in checkpoints.
        self.judge = (likeness,)
        self.parts = list(network.parameters())
        self.adam = Adam(self.parts, config.training.lr)
        self.pool: ThreadPoolExecutor | None = None
        self.critic: PatchDiscriminator | None = None
        self.critic_adam: torch.optim.Optimizer | None = None
        if config.losses.gan:
            self.critic = fast_layout(PatchDiscriminator(network.size, config.losses.gan_channels))
            self.critic_adam = Adam(list(self.critic.parameters()), config.training.lr)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam over the autoencoder, and one over the discriminator if there is one."""
        return [self.adam, *([self.critic_adam] if self.critic_adam else [])]

    def on_fit_start(self) -> None:
        """Bring the faces to the device."""
        self.faces = (self.faces[0].to(self.device), self.faces[1].to(self.device))
        self.start_threads()
        self.started = time.monotonic()

    def on_fit_end(self) -> None:
        """Let the threads go."""
        if self.pool is not None:
            self.pool.shutdown()
            self.pool = None

    def training_step(self, _batch: Tensor, _number: int) -> None:
        """One iteration: both people through the shared encoder and back."""
        for optimiser in self.configure_optimizers():
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = self.rate * learning_rate(self.config, self.iteration)
        sides = self._draw()
        codes = self.network.encode(sides.inputs)
        results = self._at_once(partial(self._paint, sides), codes.parts)
        losses = {name: value for result in results for name, value in result.losses.items()}
        terms: list[Tensor] = []
        if self.config.losses.expression:
            told = (codes.expression.float() - sides.expression).square().mean(1)
            halves = zip(("source", "target"), told.chunk(2), strict=True)
            shown = {f"swap/{who}_expression": self.config.losses.expression * half.mean() for who, half in halves}
            losses |= shown
            terms += shown.values()
        if self._due("identity") and (self.iteration + 1) % self.config.losses.identity_every == 0:
            terms.append(self._identity(codes.shared, losses))
        # On from where the decoders' gradients ended.
        ends = [part.code for part in codes.parts]
        torch.autograd.backward([*ends, *terms], [*(result.gradient for result in results), *([None] * len(terms))])
        average([parameter.grad for parameter in self.parts if parameter.grad is not None])
        self.adam.step()
        if self._due("gan"):
            self._teach_critic(results[0].image, sides, losses)
        self.iteration += 1
        fresh = self._log(losses)
        self.losses = fresh or self.losses
        self.on_step(self, fresh)

    def _paint(self, sides: Sides, part: Part) -> "PartResult":
        """Paint the faces of a part and find the gradients of their decoder."""
        code = part.code.detach().requires_grad_()
        image, mask = part.paint(code)
        target, true_mask, eyes_mouth = (layer[part.rows] for layer in (sides.target, sides.mask, sides.eyes_mouth))
        losses = {
            f"swap/{who}_{name}": half.mean()
            for name, values in face_losses(image, mask, target, true_mask, eyes_mouth, self.config.losses).items()
            for who, half in zip(part.people, values.chunk(len(part.people)), strict=True)
        }
        total = torch.stack(list(losses.values())).sum()
        if "source" in part.people and self._due("gan"):
            total = total + self._pass(image, sides, losses)
        total.backward()
        assert code.grad is not None
        return PartResult(code.grad, image.detach(), losses)

    def _at_once(self, do: Callable[[Part], "PartResult"], parts: list[Part]) -> list["PartResult"]:
        """Work on all parts, each in a thread of its own where there are threads.

        So they are busier than when each of many small layers is shared between them.
        """
        return list(map(do, parts) if self.pool is None or len(parts) == 1 else self.pool.map(do, parts))

    def start_threads(self) -> None:
        """Share the CPU's threads out between two people; without effect on a GPU or with a single thread."""
        threads = torch.get_num_threads() // 2
        if self.device.type == "cpu" and threads:
            self.pool = ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(threads,))

    def _draw(self) -> Sides:
        """This process's part of what the iteration sees."""
        schedule, share = self.config.training, self.share
        generator = torch.Generator(self.device).manual_seed((self.seed * 1_000_003 + self.iteration) % 2**63)
        warp = self.iteration < self.config.augment.warp_until * schedule.iterations
        sides = draw(*self.faces, schedule.batch, self.config.augment, warp, generator)
        if share.world == 1:
            return sides
        part = slice(share.rank * schedule.batch // share.world, (share.rank + 1) * schedule.batch // share.world)
        return Sides(*(torch.cat([half[part] for half in layer.chunk(2)]) for layer in vars(sides).values()))

    def _due(self, name: str) -> bool:
        """Whether the term `name` takes part by now."""
        weights = vars(self.config.losses)
        begin = weights[f"{name}_from"] * self.config.training.iterations
        return bool(weights[name]) and self.iteration >= begin

    def _identity(self, code: Tensor, losses: dict[str, Tensor]) -> Tensor:
        """Distance of the swapped faces to the source."""
        (likeness,) = self.judge
        assert likeness is not None
        distance = likeness(self.network.paint_source(code)[0]).mean()
        losses["swap/identity"] = distance
        return self.config.losses.identity * self.config.losses.identity_every * distance

    def _pass(self, image: Tensor, sides: Sides, losses: dict[str, Tensor]) -> Tensor:
        """How far the source's painted faces are from passing for filmed ones."""
        assert self.critic is not None
        self.critic.requires_grad_(False)
        masks = sides.mask.chunk(2)[0]
        painted = image[: len(masks)]
        losses["swap/gan"] = painter_loss(self.critic(face_alone(painted, masks)))
        return self.config.losses.gan * losses["swap/gan"]

    def _teach_critic(self, image: Tensor, sides: Sides, losses: dict[str, Tensor]) -> None:
        """One step of the discriminator, on the source's filmed and painted faces."""
        assert self.critic is not None and self.critic_adam is not None
        self.critic.requires_grad_(True)
        real, masks = (layer.chunk(2)[0] for layer in (sides.target, sides.mask))
        painted = image[: len(masks)]
        loss = discriminator_loss(self.critic(face_alone(real, masks)), self.critic(face_alone(painted, masks)))
        self.manual_backward(loss)
        average([parameter.grad for parameter in self.critic.parameters() if parameter.grad is not None])
        self.critic_adam.step()
        losses["swap/discriminator"] = loss

    def _log(self, losses: dict[str, Tensor]) -> dict[str, float]:
        if self.iteration % self.config.training.log_every and self.iteration != self.config.training.iterations:
            return {}
        # One transfer for all numbers; between two logged iterations the device is never waited for.
        numbers = torch.stack([value.detach() for value in losses.values()])
        average([numbers])
        values = dict(zip(losses, numbers.tolist(), strict=True))
        if self.logger is not None and self.share.rank == 0:
            self.logger.log_metrics(values, step=self.iteration)
        return values

    @property
    def seconds(self) -> float:
        """Time spent in training, with that of earlier runs."""
        return self.before + time.monotonic() - self.started

    def state(self, health: dict[str, Any], troubles: list[str]) -> State:
        """All that is needed to go on from here."""
        optimisers = [optimiser.state_dict() for optimiser in self.configure_optimizers()]
        return State(
            self.iteration, self.seconds, self.state_dict(), optimisers, self.losses, health, self.rate, troubles
        )

    def restore(self, state: State) -> None:
        """Go on from `state`."""
        self.load_state_dict(state.network)
        for optimiser, saved in zip(self.configure_optimizers(), state.optimisers, strict=True):
            optimiser.load_state_dict(saved)
        self.iteration, self.before, self.losses = state.iteration, state.seconds, state.losses
        self.rate = state.rate

    @property
    def finite(self) -> bool:
        """Whether every weight is a number."""
        return bool(torch.stack(torch._foreach_norm(list(self.parameters()))).isfinite().all())


def learning_rate(config: SwapConfig, iteration: int) -> float:
    """Constant at first, then along half a cosine down to a tenth."""
    schedule = config.training
    start = schedule.decay_from * schedule.iterations
    if iteration <= start:
        return schedule.lr
    share = (iteration - start) / max(1.0, schedule.iterations - start)
    return schedule.lr * (SLOWEST + (1 - SLOWEST) * (1 + math.cos(math.pi * share)) / 2)
