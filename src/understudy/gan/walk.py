"""A walk through W: a smooth closed loop that passes the faces of several seeds."""

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from understudy.gan.generator import Generator
from understudy.gan.grid import to_uint8
from understudy.gan.synthesis import Recipe, styles
from understudy.gan.variety_config import WalkConfig


@torch.no_grad()
def loop(generator: Generator, config: WalkConfig, seed: int) -> Tensor:
    """The ws of the frames, (F, num_ws, latent): a periodic cubic spline through the faces from `seed` on.

    The frame after the last would be the first again, so that the video can be repeated without a jerk.
    """
    knots = styles(generator, [Recipe(seed + number, config.psi) for number in range(config.seeds)])[:, 0]
    closed = torch.cat([knots, knots[:1]]).double().cpu().numpy()  # seeds + 1 x latent
    frames = max(2, round(config.seconds * config.rate))
    at = np.arange(frames) * config.seeds / frames
    path = CubicSpline(np.arange(config.seeds + 1), closed, bc_type="periodic")(at)  # F x latent
    return torch.from_numpy(path).float().to(knots.device)[:, None].expand(-1, generator.num_ws, -1)


@torch.no_grad()
def walk_frames(generator: Generator, ws: Tensor, side: int, batch: int = 25) -> Iterator[np.ndarray]:
    """Draw the frames one after the other, RGB uint8 (H, W, 3), enlarged to `side` where they are smaller."""
    for part in ws.split(batch):
        for image in to_uint8(generator.synthesis(part, "const")):
            small = image.shape[0] < side
            yield cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC) if small else image
