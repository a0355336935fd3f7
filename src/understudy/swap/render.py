"""From the trained swap to videos and stills."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch

from understudy.errors import UserError
from understudy.faces.align import warp_crop
from understudy.faces.faceset import Faceset
from understudy.progress import track as show_progress
from understudy.swap.blend import blend
from understudy.swap.config import SwapConfig
from understudy.swap.networks import Swapper, load_swapper
from understudy.swap.preview import to_bytes
from understudy.swap.track import Track, follow
from understudy.video.decode import Frame, decode
from understudy.video.encode import write_like
from understudy.video.footage import Footage
from understudy.video.probe import timing
from understudy.weights import Weights

Decorate = Callable[[np.ndarray], np.ndarray]

STILL_WIDTH = 1600
"""The picture of stills is at most this wide."""


def choose_clip(footage: Footage, name: str | None) -> Path:
    """The clip called `name`, or the first.

    Raises:
        UserError: there is none of that name.
    """
    if name is None:
        return footage.clips[0]
    for clip in footage.clips:
        if clip.name == name:
            return clip
    known = ", ".join(clip.name for clip in footage.clips[:10])
    raise UserError(f"Parameter 'deepfake.render.clip' = '{name}' is no clip in {footage.folder}: use one of {known}.")


def render(
    out: Path, clip: Path, weights: Weights, faces: Faceset, config: SwapConfig, decorate: Decorate | None = None
) -> None:
    """Write the clip with its face replaced: the original's frames, timing and sound.

    Args:
        out: the MP4 to write.
        clip: the target's clip.
        weights: the trained swap.
        faces: the target's faceset, which says where the face is.
        config: all parameters.
        decorate: applied to every frame in turn, such as the label and the watermark.

    Raises:
        UserError: the clip holds no face.
    """
    frames = swapped_frames(clip, weights, faces, config)
    total = len(timing(clip).pts)
    pictures = show_progress((decorate(frame) if decorate else frame for frame in frames), "Rendering (frames)", total)
    write_like(clip, out, pictures, crf=config.render.crf)


def swapped_frames(clip: Path, weights: Weights, faces: Faceset, config: SwapConfig) -> Iterator[np.ndarray]:
    """The clip's frames, RGB uint8 (H, W, 3), with the source's face where the target's was found."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = load_swapper(weights).to(device)
    route = follow(faces, clip.name, network.size, config.render.max_gap, config.render.smooth)
    frames = decode(clip)
    while batch := list(islice(frames, config.render.batch)):
        yield from _swap(batch, network, route, config, device)


def _swap(
    frames: list[Frame], network: Swapper, route: Track, config: SwapConfig, device: torch.device
) -> Iterator[np.ndarray]:
    images = [frame.rgb() for frame in frames]
    places = [route.at(frame.index) for frame in frames]
    wanted = [(image, place) for image, place in zip(images, places, strict=True) if place is not None]
    new: Iterator[tuple[np.ndarray, np.ndarray]] = iter(())
    if wanted:
        crops = np.stack([warp_crop(image, route.matrices[place], network.size) for image, place in wanted])
        new = iter(list(zip(*predict(network, crops, device), strict=True)))
    for image, place in zip(images, places, strict=True):
        if place is None:
            yield image
        else:
            face, mask = next(new)
            yield blend(image, face, mask, route.landmarks[place], route.matrices[place], config.blend)


def predict(network: Swapper, crops: np.ndarray, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """The source's faces, RGB uint8 (B, S, S, 3), and masks (B, S, S) for the target's crops (B, S, S, 3)."""
    x = torch.from_numpy(crops).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        image, mask = network(x)
    return to_bytes(image), mask[:, 0].float().cpu().numpy()


def render_side_by_side(out: Path, clip: Path, swap: Path, crf: int, decorate: Decorate | None = None) -> None:
    """Write the original on the left and the swap on the right, with the original's timing and sound.

    Args:
        out: the MP4 to write.
        clip: the target's clip.
        swap: the rendered video.
        crf: quality of x264.
        decorate: applied to every joined frame in turn, such as the watermark.
    """
    total = len(timing(clip).pts)
    pairs = ((before.rgb(), after.rgb()) for before, after in zip(decode(clip), decode(swap), strict=True))
    # The swap is padded when its sides are odd: the original's size counts.
    joined = (np.concatenate([before, after[: before.shape[0], : before.shape[1]]], 1) for before, after in pairs)
    pictures = (decorate(frame) if decorate else frame for frame in joined)
    write_like(clip, out, show_progress(pictures, "Rendering side by side (frames)", total), crf=crf)


def draw_stills(clip: Path, swap: Path, count: int) -> np.ndarray:
    """A few frames spread over the clip, the original above the swap; RGB uint8."""
    total = len(timing(clip).pts)
    wanted = {int(frame) for frame in np.linspace(0, total - 1, min(count, total) + 2)[1:-1].round()}
    columns = []
    for before, after in zip(decode(clip), decode(swap), strict=True):
        if before.index in wanted:
            image = before.rgb()
            columns.append(np.concatenate([image, after.rgb()[: image.shape[0], : image.shape[1]]], 0))
    picture = np.concatenate(columns, 1)
    factor = min(1.0, STILL_WIDTH / picture.shape[1])
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else picture
