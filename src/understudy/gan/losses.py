"""Losses of both networks and the two penalties, which need gradients of gradients."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.gan import chance
from understudy.gan.convolution import penalty, slopes
from understudy.gan.generator import Generator


def generator_loss(fake: Tensor) -> Tensor:
    """Non-saturating loss of the generator from the logits of its pictures (N,)."""
    return F.softplus(-fake).mean()


def discriminator_loss(fake: Tensor, real: Tensor) -> Tensor:
    """Logistic loss of the discriminator from the logits of made and filmed pictures, each (N,)."""
    return F.softplus(fake).mean() + F.softplus(-real).mean()


def r1_penalty(discriminate: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """Mean squared gradient of the logits at filmed pictures (Mescheder et al. 2018, R1, without gamma / 2).

    Args:
        discriminate: augmentation and discriminator; the gradient goes through both.
        real: filmed pictures (N, 3, S, S).
    """
    real = real.detach().requires_grad_()
    with penalty():
        slope = slopes(discriminate(real), real)
    return slope.square().sum(dim=(1, 2, 3)).mean()


def path_lengths(generator: Generator, z: Tensor) -> Tensor:
    """How far a picture moves for a step in W, one number a picture (N,) (equation 4 of StyleGAN2)."""
    with penalty():
        ws = generator.map(z)
        image = generator.synthesis(ws, "random")
        noise = chance.normal(*image.shape, device=image.device).to(image.dtype)
        direction = noise / (image.shape[2] * image.shape[3]) ** 0.5
        jacobian = slopes(image * direction, ws)
    return jacobian.square().sum(dim=2).mean(dim=1).sqrt()


def mix_styles(generator: Generator, z: Tensor, probability: float) -> tuple[Tensor, Tensor]:
    """Map z to ws (N, num_ws, latent), with `probability` taking the later layers from other latents.

    Returns:
        The ws, and the w of the first latents (N, latent) for the running mean.
    """
    ws = generator.map(z)
    # drawn on the CPU: asking the GPU for a number would make it wait
    if float(torch.rand(())) < probability:
        cut = int(torch.randint(1, generator.num_ws, ()))
        ws = torch.cat(
            [ws[:, :cut], generator.map(chance.normal(*z.shape, device=z.device).to(z.dtype))[:, cut:]], dim=1
        )
    return ws, ws[:, 0]
