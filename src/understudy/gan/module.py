"""The training step of both networks as a LightningModule with manual optimisation.

Lightning's `global_step` counts every optimiser step, so progress is counted here in images shown to the discriminator.
"""

import copy
from contextlib import AbstractContextManager
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from understudy.gan.augment import diffaugment
from understudy.gan.config import NetworkConfig, TrainingConfig
from understudy.gan.discriminator import Discriminator
from understudy.gan.generator import Generator
from understudy.gan.losses import discriminator_loss, generator_loss, mix_styles, path_lengths, r1_penalty

W_AVG_KEPT = 0.995
PATH_MEAN_MOVES = 0.01
FIGURES = ("loss_generator", "loss_discriminator", "sign_real", "sign_fake")


class GanModule(pl.LightningModule):
    """Generator, its running mean (EMA) and discriminator, with their optimisers and counters.

    Args:
        network: widths.
        training: how they are trained.
        size: pixels of the crops.
    """

    path_mean: Tensor
    figures: Tensor
    last_r1: Tensor

    def __init__(self, network: NetworkConfig, training: TrainingConfig, size: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.settings, self.size = training, size
        widths = (network.channel_base, network.channel_max)
        self.generator = Generator(size, network.latent, *widths, network.mapping_layers)
        self.discriminator = Discriminator(size, *widths).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.generator).requires_grad_(False).eval()
        self.register_buffer("path_mean", torch.zeros(()))
        self.register_buffer("figures", torch.zeros(len(FIGURES)), persistent=False)
        self.register_buffer("last_r1", torch.zeros(()))
        self.images_seen = 0
        self.steps_done = 0
        self.steps_since_look = 0  # whose figures are summed in `figures`
        # gathered once: walking the modules at every step costs as much as a small network's launches
        self._generator_parameters: list[Tensor] = list(self.generator.parameters())
        self._discriminator_parameters: list[Tensor] = list(self.discriminator.parameters())
        self._ema_parameters: list[Tensor] = list(self.ema.parameters())
        lazy_generator = training.path_length_every
        self.optimiser_generator = _adam(self._generator_parameters, training.lr, lazy_generator)
        self.optimiser_discriminator = _adam(self._discriminator_parameters, training.lr, training.r1_every)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Both optimisers, the generator's first."""
        return [self.optimiser_generator, self.optimiser_discriminator]

    def training_step(self, batch: Tensor, batch_idx: int) -> None:
        """Train both networks on one batch of uint8 pictures (N, 3, S, S)."""
        settings = self.settings
        real = batch.float() / 127.5 - 1.0
        if settings.mirror:
            flip = torch.rand(len(real), 1, 1, 1, device=real.device) < 0.5
            real = torch.where(flip, real.flip(3), real)
        fake = self._train_generator(len(real))
        if settings.path_length_every and self.steps_done % settings.path_length_every == 0:
            self._regularise_generator(max(1, len(real) // 2))
        self._train_discriminator(real, fake)
        if self.steps_done % settings.r1_every == 0:
            self._regularise_discriminator(real)
        self.images_seen += len(real)
        self.steps_done += 1
        self._follow(len(real))

    def discriminate(self, images: Tensor) -> Tensor:
        """Augment pictures (N, 3, S, S) and judge them: logits (N,)."""
        if self.settings.augment == "diffaugment":
            images = diffaugment(images)
        return self.discriminator(images.contiguous(memory_format=torch.channels_last))

    def take_figures(self) -> dict[str, float]:
        """Means of the figures since the last call; the only place where the GPU is waited for."""
        values = (self.figures / max(1, self.steps_since_look)).tolist()
        self.figures.zero_()
        self.steps_since_look = 0
        named = dict(zip(FIGURES, values, strict=True))
        named["r1"] = float(self.last_r1)
        if self.settings.path_length_every:
            named["path_length"] = float(self.path_mean)
        return named

    def _train_generator(self, count: int) -> Tensor:
        """One step of the generator; returns its pictures, detached."""
        _require(self._discriminator_parameters, False)
        with self._reduced():
            ws, w = mix_styles(self.generator, self._latents(count), self.settings.style_mixing)
            fake = self.generator.synthesis(ws, "random")
            logits = self.discriminate(fake)
        loss = generator_loss(logits.float())
        self._step(self.optimiser_generator, loss)
        _require(self._discriminator_parameters, True)
        self.generator.w_avg.lerp_(w.detach().float().mean(dim=0), 1.0 - W_AVG_KEPT)
        self.figures[0] += loss.detach()
        return fake.detach()

    def _regularise_generator(self, count: int) -> None:
        lengths = path_lengths(self.generator, self._latents(count))
        mean = torch.lerp(self.path_mean, lengths.mean().detach(), PATH_MEAN_MOVES)
        self.path_mean.copy_(mean)
        penalty = (lengths - mean).square().mean()
        self._step(
            self.optimiser_generator, penalty * self.settings.path_length_weight * self.settings.path_length_every
        )

    def _train_discriminator(self, real: Tensor, fake: Tensor) -> None:
        if not self.settings.share_fakes:
            with torch.no_grad(), self._reduced():
                ws, _ = mix_styles(self.generator, self._latents(len(real)), self.settings.style_mixing)
                fake = self.generator.synthesis(ws, "random")
        with self._reduced():
            logits = self.discriminate(torch.cat([fake, real]))  # one pass: half the launches
        of_fake, of_real = logits.float().chunk(2)
        loss = discriminator_loss(of_fake, of_real)
        self._step(self.optimiser_discriminator, loss)
        with torch.no_grad():
            self.figures[1:] += torch.stack([loss, of_real.sign().mean(), of_fake.sign().mean()])
        self.steps_since_look += 1

    def _regularise_discriminator(self, real: Tensor) -> None:
        penalty = r1_penalty(self.discriminate, real)
        loss = penalty * (self.settings.gamma(self.size) / 2 * self.settings.r1_every)
        self._step(self.optimiser_discriminator, loss)
        self.last_r1.copy_(penalty.detach())

    def _step(self, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
        self.manual_backward(loss)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    @torch.no_grad()
    def _follow(self, count: int) -> None:
        """Move the running mean by half-life `ema_kimg`, shorter in the beginning."""
        half_life = min(self.settings.ema_kimg * 1000, self.images_seen * self.settings.ema_ramp)
        kept = ema_factor(count, half_life)
        torch._foreach_lerp_(self._ema_parameters, self._generator_parameters, 1.0 - kept)
        self.ema.w_avg.copy_(self.generator.w_avg)

    def _latents(self, count: int) -> Tensor:
        return torch.randn(count, self.generator.latent, device=self.device)

    def _reduced(self) -> AbstractContextManager[Any]:
        """bfloat16 for the main passes where it is asked for; the penalties stay in float32."""
        enabled = self.settings.precision == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)


def ema_factor(count: int, half_life: float) -> float:
    """What is kept of the running mean after `count` images, at a half-life in images."""
    return float(0.5 ** (count / max(half_life, 1e-8)))


def _adam(parameters: list[Tensor], lr: float, every: int) -> torch.optim.Adam:
    """Adam, corrected for a penalty that takes a step of its own every `every` steps (0: none)."""
    share = every / (every + 1) if every else 1.0
    return torch.optim.Adam(parameters, lr=lr * share, betas=(0.0, 0.99**share), eps=1e-8, fused=True)


def _require(parameters: list[Tensor], needed: bool) -> None:
    for parameter in parameters:
        parameter.requires_grad_(needed)
