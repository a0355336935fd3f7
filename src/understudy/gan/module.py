"""The training step of both networks as a LightningModule with manual optimisation.

Lightning's `global_step` counts every optimiser step, so progress is counted here in images shown to the discriminator.
"""

import copy
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from understudy.errors import UserError
from understudy.gan import ada, chance
from understudy.gan.augment import diffaugment
from understudy.gan.config import NetworkConfig, TrainingConfig
from understudy.gan.device import DevicePlan
from understudy.gan.discriminator import Discriminator
from understudy.gan.generator import Generator
from understudy.gan.losses import discriminator_loss, generator_loss, mix_styles, path_lengths, r1_penalty
from understudy.processes import average

W_AVG_KEPT = 0.995
PATH_MEAN_MOVES = 0.01
Network = TypeVar("Network", bound=nn.Module)
FIGURES = ("loss_generator", "loss_discriminator", "sign_real", "sign_fake", "spread")


class GanModule(pl.LightningModule):
    """Generator, its running mean (EMA) and discriminator, with their optimisers and counters.

    Args:
        network: widths.
        training: how they are trained.
        size: pixels of the crops.
        plan: how this machine does it.

    Raises:
        UserError: `freeze_d` leaves nothing to learn.
    """

    path_mean: Tensor
    figures: Tensor
    last_r1: Tensor
    ada_p: Tensor
    ada_sign: Tensor

    def __init__(
        self, network: NetworkConfig, training: TrainingConfig, size: int, plan: DevicePlan | None = None
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.settings, self.size, self.plan = training, size, plan or DevicePlan()
        widths = (network.channel_base, network.channel_max)
        # channels_last: convolutions take a third less time in it, and two thirds less where they enlarge
        self.generator = _interleaved(Generator(size, network.latent, *widths, network.mapping_layers))
        self.discriminator = _interleaved(Discriminator(size, *widths, training.deviation_group))
        self.ema = copy.deepcopy(self.generator).requires_grad_(False).eval()
        for name in ("path_mean", "last_r1", "ada_p", "ada_sign"):
            self.register_buffer(name, torch.zeros(()))
        self.register_buffer("figures", torch.zeros(len(FIGURES)))
        self.images_seen = 0
        self.steps_done = 0
        self.steps_since_look = 0  # whose figures are summed in `figures`
        _freeze(self.discriminator, training.freeze_d)
        # gathered once: walking the modules at every step costs as much as a small network's launches
        self._generator_parameters: list[Tensor] = list(self.generator.parameters())
        self._discriminator_parameters: list[Tensor] = [p for p in self.discriminator.parameters() if p.requires_grad]
        self._ema_parameters: list[Tensor] = list(self.ema.parameters())
        lazy_generator = training.path_length_every
        self.optimiser_generator = _adam(self._generator_parameters, training.lr, lazy_generator)
        self.optimiser_discriminator = _adam(self._discriminator_parameters, training.lr, training.r1_every)
        # Compiled for the main passes alone, with the same weights: what is compiled has no second derivative. Kept out
        # of the list of submodules, so that the names of weights stay the same.
        self._main = [self.generator.synthesis, self.discriminator]
        if self.plan.backend is not None:
            self._main = [cast("nn.Module", torch.compile(part, backend=self.plan.backend)) for part in self._main]

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Both optimisers, the generator's first."""
        return [self.optimiser_generator, self.optimiser_discriminator]

    def training_step(self, batch: Tensor, batch_idx: int) -> None:
        """Train both networks on one batch of uint8 pictures (N, 3, S, S): this process's part of the global one."""
        settings, count = self.settings, len(batch)
        real = batch.float() / 127.5 - 1.0
        if settings.mirror:
            flip = chance.uniform(count, 1, 1, 1, device=real.device) < 0.5
            real = torch.where(flip, real.flip(3), real)
        fake = self._train_generator(count)
        if settings.path_length_every and self.steps_done % settings.path_length_every == 0:
            self._regularise_generator(max(1, count // 2))
        self._train_discriminator(real, fake)
        if self.steps_done % settings.r1_every == 0:
            self._regularise_discriminator(real)
        shown = count * chance.share().world
        self.images_seen += shown
        self.steps_done += 1
        if settings.augment == "ada" and self.steps_done % ada.ADJUST_EVERY == 0:
            self._adjust(shown * ada.ADJUST_EVERY)
        self._follow(shown)

    def augment(self, images: Tensor) -> Tensor:
        """What pictures (N, 3, S, S) go through before they are judged."""
        if self.settings.augment == "diffaugment":
            return diffaugment(images)
        return ada.augment(images, self.ada_p) if self.settings.augment == "ada" else images

    def discriminate(self, images: Tensor) -> Tensor:
        """Augment pictures (N, 3, S, S) and judge them: logits (N,). Can be differentiated twice."""
        return self.discriminator(self.augment(images).contiguous(memory_format=torch.channels_last))

    def take_figures(self) -> dict[str, float]:
        """Means of the figures since the last call; the only place where the GPU is waited for."""
        values = (self.figures / max(1, self.steps_since_look)).tolist()
        self.figures.zero_()
        self.steps_since_look = 0
        named = dict(zip(FIGURES, values, strict=True))
        named["r1"] = float(self.last_r1)
        if self.settings.path_length_every:
            named["path_length"] = float(self.path_mean)
        if self.settings.augment == "ada":
            named["ada_strength"] = float(self.ada_p)
        return named

    def _train_generator(self, count: int) -> Tensor:
        """One step of the generator; returns its pictures, detached."""
        synthesis, discriminator = self._main
        _require(self._discriminator_parameters, False)
        with self._reduced():
            ws, w = mix_styles(self.generator, self._latents(count), self.settings.style_mixing)
            fake = synthesis(ws, "random")
            logits = discriminator(self.augment(fake).contiguous(memory_format=torch.channels_last))
        loss = generator_loss(logits.float())
        fake = fake.detach()
        middle, figure = w.detach().float().mean(dim=0), loss.detach().clone()
        self._step(self.optimiser_generator, self._generator_parameters, loss, [middle, figure])
        _require(self._discriminator_parameters, True)
        self.generator.w_avg.lerp_(middle, 1.0 - W_AVG_KEPT)
        self.figures[0] += figure
        return fake

    def _regularise_generator(self, count: int) -> None:
        lengths = path_lengths(self.generator, self._latents(count))
        mean = lengths.mean().detach()
        average([mean])
        mean = torch.lerp(self.path_mean, mean, PATH_MEAN_MOVES)
        self.path_mean.copy_(mean)
        weight = self.settings.path_length_weight * self.settings.path_length_every
        loss = (lengths - mean).square().mean() * weight
        self._step(self.optimiser_generator, self._generator_parameters, loss, [])

    def _train_discriminator(self, real: Tensor, fake: Tensor) -> None:
        synthesis, discriminator = self._main
        if not self.settings.share_fakes:
            with torch.no_grad(), self._reduced():
                ws, _ = mix_styles(self.generator, self._latents(len(real)), self.settings.style_mixing)
                fake = synthesis(ws, "random")
        with self._reduced():
            # changed apart, so that several processes draw what one does; judged in one pass: half the launches
            both = torch.cat([self.augment(fake), self.augment(real)])
            logits = discriminator(both.contiguous(memory_format=torch.channels_last))
        of_fake, of_real = logits.float().chunk(2)
        loss = discriminator_loss(of_fake, of_real)
        with torch.no_grad():
            spread = _spread(fake.float()) / _spread(real).clamp(min=1e-3)
            seen = torch.stack([loss, of_real.sign().mean(), of_fake.sign().mean(), spread])
        self._step(self.optimiser_discriminator, self._discriminator_parameters, loss, [seen])
        self.figures[1:] += seen
        self.ada_sign += seen[1]
        self.steps_since_look += 1

    def _regularise_discriminator(self, real: Tensor) -> None:
        penalty = r1_penalty(self.discriminate, real)
        loss = penalty * (self.settings.gamma(self.size) / 2 * self.settings.r1_every)
        seen = penalty.detach().clone()
        self._step(self.optimiser_discriminator, self._discriminator_parameters, loss, [seen])
        self.last_r1.copy_(seen)

    def _step(
        self, optimiser: torch.optim.Optimizer, parameters: list[Tensor], loss: Tensor, figures: list[Tensor]
    ) -> None:
        """Step down the gradient, which is averaged over all processes, and so are the `figures`, in place."""
        self.manual_backward(loss)
        average([p.grad for p in parameters if p.grad is not None] + figures)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    @torch.no_grad()
    def _adjust(self, images: int) -> None:
        """Set the strength of the adaptive augmentation."""
        settings = self.settings
        sign = self.ada_sign / ada.ADJUST_EVERY
        p = ada.adjusted(self.ada_p, sign, images, settings.ada_target, settings.ada_kimg, settings.ada_max)
        self.ada_p.copy_(p)
        self.ada_sign.zero_()

    @torch.no_grad()
    def _follow(self, count: int) -> None:
        """Move the running mean by half-life `ema_kimg`, shorter in the beginning."""
        half_life = self.settings.ema_kimg * 1000
        if self.settings.ema_ramp is not None:
            half_life = min(half_life, self.images_seen * self.settings.ema_ramp)
        kept = ema_factor(count, half_life)
        torch._foreach_lerp_(self._ema_parameters, self._generator_parameters, 1.0 - kept)
        self.ema.w_avg.copy_(self.generator.w_avg)

    def _latents(self, count: int) -> Tensor:
        return chance.normal(count, self.generator.latent, device=self.device)

    def _reduced(self) -> AbstractContextManager[Any]:
        """bfloat16 for the main passes where it is asked for; the penalties stay in float32."""
        enabled = self.plan.precision == torch.bfloat16
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)


def ema_factor(count: int, half_life: float) -> float:
    """What is kept of the running mean after `count` images, at a half-life in images."""
    return float(0.5 ** (count / max(half_life, 1e-8)))


def _spread(images: Tensor) -> Tensor:
    """How far the pictures (N, 3, S, S) of a batch lie from each other: root of the mean variance of a pixel."""
    return (images.square().mean() - images.mean(dim=0).square().mean()).clamp(min=0).sqrt()


def _freeze(discriminator: Discriminator, count: int) -> None:
    """Let the first `count` layers keep their weights.

    Raises:
        UserError: nothing would be left to learn.
    """
    layers = discriminator.layers()
    if count >= len(layers):
        raise UserError(
            f"Parameter 'gan_training.training.freeze_d' = {count} leaves nothing to learn: the discriminator has "
            f"{len(layers)} layers at this size, so use at most {len(layers) - 1}."
        )
    for layer in layers[:count]:
        layer.requires_grad_(False)


def _interleaved(network: Network) -> Network:
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _adam(parameters: list[Tensor], lr: float, every: int) -> torch.optim.Adam:
    """Adam, corrected for a penalty that takes a step of its own every `every` steps (0: none)."""
    share = every / (every + 1) if every else 1.0
    return torch.optim.Adam(parameters, lr=lr * share, betas=(0.0, 0.99**share), eps=1e-8, fused=True)


def _require(parameters: list[Tensor], needed: bool) -> None:
    for parameter in parameters:
        parameter.requires_grad_(needed)
