"""A first lesson for the generator: draw each filmed face from a short code, before the discriminator comes.

From random weights, most of a short training is spent on finding out that there is a face at all. Regression finds that
in a few thousand images. The first coordinates of z are the whitened principal components of the picture, the others
are random, so that a random z is close to what was taught (after GLO, Bojanowski et al. 2018, arXiv 1707.05776, with
codes that are computed instead of learned). What comes out is blurred: sharpness and variety are left to adversarial
training.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.gan.generator import Generator
from understudy.progress import meter

CODE = 32
"""Most coordinates of z that tell the picture."""

PCA_FACES = 2000
PCA_SIZE = 32
SCALES = 4
BATCH = 16
LEARNING_RATE = 0.02
W_SAMPLES = 2000


def warm_up(generator: Generator, faces: np.ndarray, kimg: float, seed: int) -> float:
    """Teach `generator` to draw `faces` from their codes, in place.

    Args:
        generator: fresh weights; it stays on its device when the lesson is over.
        faces: RGB uint8 (N, 3, S, S).
        kimg: thousand images to show.
        seed: of the order and of the random part of z.

    Returns:
        The mean absolute error of the last tenth, on pictures in [-1, 1].
    """
    home = next(generator.parameters()).device
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    generator.to(device).train()
    random = torch.Generator().manual_seed(seed)
    codes = picture_codes(faces, min(CODE, generator.latent), random)
    steps = max(1, round(kimg * 1000 / BATCH))
    optimiser = torch.optim.Adam(generator.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99), fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.55 + 0.45 * math.cos(math.pi * step / steps))
    errors: list[float] = []
    with meter("teaching the generator its first face", steps * BATCH) as shown:
        for _ in range(steps):
            rows = torch.randint(len(faces), (BATCH,), generator=random)
            real = torch.from_numpy(faces[rows.numpy()]).to(device).float() / 127.5 - 1.0
            z = torch.randn(BATCH, generator.latent, generator=random)
            z[:, : codes.shape[1]] = codes[rows]
            drawn = generator.synthesis(generator.map(z.to(device)), "random")
            loss = pyramid_error(drawn, real)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            schedule.step()
            errors.append(float(loss.detach()) / SCALES)
            shown.step(BATCH, f"(error {errors[-1]:.3f})")
    with torch.no_grad():
        z = torch.randn(W_SAMPLES, generator.latent, generator=random)
        generator.w_avg.copy_(generator.mapping(z.to(device)).mean(dim=0))
    generator.to(home)
    last = errors[-max(1, len(errors) // 10) :]
    return sum(last) / len(last)


def picture_codes(faces: np.ndarray, count: int, random: torch.Generator) -> Tensor:
    """Whitened principal components of the pictures, (N, up to `count`), each of mean 0 and variance 1.

    Args:
        faces: RGB uint8 (N, 3, S, S).
        count: how many components are wanted.
        random: draws the pictures from which the components are found.
    """
    count = min(count, len(faces) - 1)
    picked = torch.randperm(len(faces), generator=random)[:PCA_FACES].sort().values
    sample = _small(faces[picked.numpy()])
    mean = sample.mean(dim=0)
    _, _, directions = torch.linalg.svd(sample - mean, full_matrices=False)
    batches = [_small(faces[start : start + PCA_FACES]) - mean for start in range(0, len(faces), PCA_FACES)]
    codes = torch.cat([batch @ directions[:count].T for batch in batches])
    return (codes - codes.mean(dim=0)) / codes.std(dim=0).clamp_min(1e-6)


def pyramid_error(drawn: Tensor, real: Tensor) -> Tensor:
    """Sum of the mean absolute errors at full, half, quarter and eighth size, of pictures (N, 3, S, S)."""
    difference = drawn - real
    total = difference.abs().mean()
    for _ in range(SCALES - 1):
        difference = F.avg_pool2d(difference, 2)
        total = total + difference.abs().mean()
    return total


def _small(faces: np.ndarray) -> Tensor:
    """Pictures (N, 3, S, S) as rows of numbers in [0, 1], at most 32 pixels wide."""
    pictures = torch.from_numpy(faces).float() / 255.0
    if pictures.shape[-1] > PCA_SIZE:
        pictures = F.adaptive_avg_pool2d(pictures, PCA_SIZE)
    return pictures.flatten(1)
