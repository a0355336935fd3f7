"""The projector: the point of W, or of W+, whose picture is nearest to a filmed face.

As in appendix D of the StyleGAN2 paper (Karras et al. 2020): Adam on w, which is shaken less and less, and on the
noise maps, which are kept noise by a penalty on their autocorrelation. The picture is compared by its pixels and by
the face network's 128 numbers, through which gradients flow.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from understudy.faces.describe import describe_crops
from understudy.faces.embedding import CHIP, FaceEmbedder, load_embedder
from understudy.faces.faceset import Faceset
from understudy.gan.generator import Generator
from understudy.gan.grid import to_uint8
from understudy.gan.variety_config import ProjectorConfig
from understudy.progress import meter

SHAKEN = 0.75
"""Share of the steps in which w is shaken."""

SHAKE = 0.05
"""How much at first, in mean standard deviations of w."""


@dataclass(frozen=True)
class Projection:
    """What was found for N faces.

    Args:
        ws: (N, num_ws, latent), the same in all layers when sought in W.
        noise: the noise maps by name, (N, 1, R, R) each; draw with `draw_projection`.
        images: what they draw, RGB uint8 (N, S, S, 3).
    """

    ws: Tensor
    noise: dict[str, Tensor]
    images: np.ndarray


def project(
    generator: Generator, images: np.ndarray, landmarks: np.ndarray, config: ProjectorConfig, seed: int
) -> Projection:
    """Find the latents of faces.

    Args:
        generator: in evaluation mode.
        images: RGB uint8 (N, S, S, 3), S the generator's size.
        landmarks: 68 points of each in its pixels, (N, 68, 2).
        config: how long and where to look.
        seed: of what is drawn.
    """
    device = generator.w_avg.device
    random = torch.Generator().manual_seed(seed)
    embedder = load_embedder(str(device))
    wanted = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).to(device).float() / 127.5 - 1
    places = chip_grid(landmarks, images.shape[1]).to(device)
    with torch.no_grad():
        person = embedder(chips(wanted, places))  # N x 128
        w = generator.mapping(torch.randn(1024, generator.latent, generator=random).to(device))
        spread = float(w.std(0).mean())
    layers = generator.num_ws if config.space == "w+" else 1
    latent = generator.w_avg.expand(len(images), layers, -1).clone().requires_grad_(True)
    noise = {
        name: torch.randn(len(images), *value.shape[1:], generator=random).to(device).requires_grad_(True)
        for name, value in generator.synthesis.named_buffers()
        if name.endswith(".noise")
    }
    optimizer = torch.optim.Adam([latent, *noise.values()], config.lr, betas=(0.9, 0.99))
    with meter("Projecting filmed faces (steps)", config.steps) as shown:
        for step in range(config.steps):
            optimizer.param_groups[0]["lr"] = config.lr * _ramp(step / config.steps)
            shake = SHAKE * spread * max(0.0, 1 - step / config.steps / SHAKEN) ** 2
            shaken = latent + shake * torch.randn(latent.shape, generator=random).to(device)
            made = draw_projection(generator, shaken.expand(-1, generator.num_ws, -1), noise)
            loss = (
                config.pixels * (made - wanted).square().mean((1, 2, 3))
                + config.embedding * (embedder(chips(made, places)) - person).square().sum(1)
                + config.noise * autocorrelation(noise)
            ).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            _normalise(noise)
            shown.step()
    ws = latent.detach().expand(-1, generator.num_ws, -1)
    noise = {name: value.detach() for name, value in noise.items()}
    with torch.no_grad():
        return Projection(ws, noise, to_uint8(draw_projection(generator, ws, noise)))


def draw_projection(generator: Generator, ws: Tensor, noise: dict[str, Tensor]) -> Tensor:
    """Draw ws (N, num_ws, latent) with noise maps of their own, (N, 3, S, S) about [-1, 1]."""
    made: Tensor = functional_call(generator.synthesis, noise, (ws, "const"))
    return made


def autocorrelation(noise: dict[str, Tensor]) -> Tensor:
    """How far noise maps are from noise, (N,): squared correlation of neighbours, at all scales down to 8 pixels."""
    total = torch.zeros(len(next(iter(noise.values()))), device=next(iter(noise.values())).device)
    for values in noise.values():
        grain = values
        while True:
            for axis in (2, 3):
                total = total + (grain * grain.roll(1, axis)).mean((1, 2, 3)).square()
            if grain.shape[2] <= 8:
                break
            grain = F.avg_pool2d(grain, 2) * 2  # of noise of variance 1, noise of variance 1
    return total


def chip_grid(landmarks: np.ndarray, size: int) -> Tensor:
    """Where the pixels of the face network's input lie in crops, as `grid_sample` wants it: (N, 150, 150, 2).

    Args:
        landmarks: 68 points of each face in pixels, (N, 68, 2).
        size: pixels of the crops.
    """
    import dlib

    fine = 16  # dlib's points are whole numbers
    grids = []
    for points in landmarks:
        whole = dlib.points([dlib.point(round(fine * float(x)), round(fine * float(y))) for x, y in points])
        shape = dlib.full_object_detection(dlib.rectangle(0, 0, 1, 1), whole)
        place = dlib.get_face_chip_details(shape, CHIP, 0.25)
        centre = np.array([place.rect.dcenter().x, place.rect.dcenter().y]) / fine
        scale = place.rect.width() / fine / CHIP
        cosine, sine = scale * math.cos(place.angle), scale * math.sin(place.angle)
        steps = np.arange(CHIP) - (CHIP - 1) / 2
        x, y = np.meshgrid(steps, steps)
        at = np.stack([cosine * x - sine * y, sine * x + cosine * y], -1) + centre  # 150 x 150 x 2, in pixels
        grids.append((at + 0.5) / size * 2 - 1)
    return torch.from_numpy(np.stack(grids)).float()


def chips(images: Tensor, grid: Tensor) -> Tensor:
    """Cut the face network's input out of pictures (N, 3, S, S): (N, 3, 150, 150); gradients flow."""
    return F.grid_sample(images, grid, mode="bicubic", padding_mode="zeros", align_corners=False).clamp(-1, 1)


def projection_scores(faces: Faceset, rows: np.ndarray, found: Projection) -> dict[str, Any]:
    """How near projections come to the filmed faces `rows`.

    Returns:
        `faces`: for each `row`, `pixel_rmse` (of 0 to 255) and `embedding_distance`, both faces found and described
        anew as in evaluation, None where no face is found; `pixel_rmse` and `embedding_distance` their medians.
    """
    real = faces.images(rows)
    errors = np.sqrt(np.square(real.astype(np.float64) - found.images).mean((1, 2, 3)))
    embedder: FaceEmbedder = load_embedder()
    vectors = [
        np.stack(describe_crops(images, embedder=embedder).column("embedding").to_pylist())
        for images in (real, found.images)
    ]
    away = np.linalg.norm(vectors[0] - vectors[1], axis=1)
    known = away[np.isfinite(away)]
    single = [
        {"row": int(row), "pixel_rmse": float(error), "embedding_distance": float(far) if np.isfinite(far) else None}
        for row, error, far in zip(rows, errors, away, strict=True)
    ]
    return {
        "faces": single,
        "pixel_rmse": float(np.median(errors)),
        "embedding_distance": float(np.median(known)) if len(known) else None,
    }


def draw_projections(real: np.ndarray, made: np.ndarray, side: int = 128) -> np.ndarray:
    """Filmed faces above their projections, RGB uint8 (H, W, 3), from two of (N, S, S, 3)."""
    side = max(side, real.shape[1])
    rows = [
        np.concatenate([cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC) for face in images], axis=1)
        for images in (real, made)
    ]
    return np.concatenate(rows)


def _ramp(done: float) -> float:
    """Up in the first twentieth, down along a cosine in the last quarter."""
    down = min(1.0, (1 - done) / 0.25)
    return (0.5 - 0.5 * math.cos(math.pi * down)) * min(1.0, (done + 1e-3) / 0.05)


@torch.no_grad()
def _normalise(noise: dict[str, Tensor]) -> None:
    for values in noise.values():
        values.sub_(values.mean((2, 3), keepdim=True))
        values.mul_(values.square().mean((2, 3), keepdim=True).add(1e-8).rsqrt())
