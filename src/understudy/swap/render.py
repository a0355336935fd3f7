"""From the trained swap to videos and stills."""

import logging
import os
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch

from understudy.errors import UserError
from understudy.faces.cut import cut_crop
from understudy.faces.faceset import Faceset
from understudy.progress import track as show_progress
from understudy.swap.blend import Blender, crop_side, finer, resized
from understudy.swap.config import SwapConfig
from understudy.swap.networks import Swapper, load_swapper
from understudy.swap.preview import to_bytes
from understudy.swap.stages import ahead
from understudy.swap.track import Track, follow
from understudy.video.decode import decode
from understudy.video.encode import write_like
from understudy.video.footage import Footage
from understudy.video.probe import timing
from understudy.weights import Weights

logger = logging.getLogger(__name__)

Decorate = Callable[[np.ndarray], np.ndarray]

WAITING = 4
"""Frames that wait between two steps at most, beside the batch that the network holds."""

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
    total = len(timing(clip).pts)
    with closing(swapped_frames(clip, weights, faces, config)) as frames:
        pictures = (decorate(frame) if decorate else frame for frame in frames)
        write_like(clip, out, show_progress(pictures, "Rendering (frames)", total), crf=config.render.crf)


def count_frames(clip: Path, faces: Faceset, config: SwapConfig, size: int) -> dict[str, int]:
    """How many frames of the clip get the new face, were bridged, or stay as they are; see `Track.counts`.

    Raises:
        UserError: the clip holds no face.
    """
    route = follow(faces, clip.name, size, config.render.max_gap, config.render.smooth)
    return route.counts(len(timing(clip).pts))


def swapped_frames(clip: Path, weights: Weights, faces: Faceset, config: SwapConfig) -> Generator[np.ndarray]:
    """The clip's frames, RGB uint8 (H, W, 3), with the source's face where the target's was found.

    Decoding and cutting, the network, and blending run in a thread each, a batch of frames ahead at most, while the
    caller encodes. Close the generator, or use it up: then none is left.

    Raises:
        UserError: the clip holds no face.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = load_swapper(weights).to(device)
    route = follow(faces, clip.name, network.size, config.render.max_gap, config.render.smooth)
    counts = route.counts(len(timing(clip).pts))
    if counts["left_as_they_are"]:
        logger.warning(
            "%s: the face of the target was not found in %d of %d frames, which stay as they are.",
            clip.name,
            counts["left_as_they_are"],
            counts["frames"],
        )
    cut = ahead(_cut(clip, route, network.size), WAITING)
    new = ahead(_predicted(cut, network, config.render.batch, device), WAITING)
    with closing(ahead(_blended(new, route, config), WAITING)) as frames:
        yield from frames


@dataclass(frozen=True)
class _Part:
    """A frame on its way: its place in the track if it has one, its crop, then the new face and mask."""

    image: np.ndarray
    place: int | None
    crop: np.ndarray | None
    face: np.ndarray | None = None
    mask: np.ndarray | None = None


def _cut(clip: Path, route: Track, size: int) -> Generator[_Part]:
    with closing(decode(clip)) as frames:
        for frame in frames:
            image, place = frame.rgb(exact=True), route.at(frame.index)
            crop = None
            if place is not None:
                side = crop_side(size)
                crop = cut_crop(image, finer(route.matrices[place], side / size), side)
            yield _Part(image, place, crop)


def _predicted(parts: Generator[_Part], network: Swapper, batch: int, device: torch.device) -> Generator[_Part]:
    threads = torch.get_num_threads()
    torch.set_num_threads(min(threads, max(1, (os.cpu_count() or 1) - 1)))  # the other steps keep one core busy
    try:
        with closing(parts):
            while some := list(islice(parts, batch)):
                crops = [resized(part.crop, network.size) for part in some if part.crop is not None]
                faces, masks = predict(network, np.stack(crops), device) if crops else (np.empty(0), np.empty(0))
                new = zip(faces, masks, strict=True)
                for part in some:
                    if part.crop is None:
                        yield part
                    else:
                        face, mask = next(new)
                        yield replace(part, face=face, mask=mask)
    finally:
        torch.set_num_threads(threads)


def _blended(parts: Generator[_Part], route: Track, config: SwapConfig) -> Generator[np.ndarray]:
    blend = Blender(config.blend)
    with closing(parts):
        for part in parts:
            place = part.place
            if place is None or part.crop is None or part.face is None or part.mask is None:
                yield part.image
            else:
                matrix, landmarks = route.matrices[place], route.landmarks[place]
                shot = int(route.shots[place])
                yield blend(part.image, part.crop, part.face, part.mask, landmarks, matrix, shot)


def predict(network: Swapper, crops: np.ndarray, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """The source's faces, RGB uint8 (B, S, S, 3), and masks (B, S, S) for the target's crops (B, S, S, 3)."""
    x = torch.from_numpy(crops).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        image, mask = network(x)
    return to_bytes(image), mask[:, 0].float().cpu().numpy()


def painter(weights: Weights, batch: int = 16) -> Callable[[np.ndarray], np.ndarray]:
    """A function that paints the source's faces for crops, both RGB uint8 (N, S, S, 3), `batch` of them at a time."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = load_swapper(weights).to(device)

    def paint(crops: np.ndarray) -> np.ndarray:
        parts = [predict(network, crops[start : start + batch], device)[0] for start in range(0, len(crops), batch)]
        return np.concatenate(parts)

    return paint


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
    with closing(ahead(_joined(clip, swap), WAITING)) as joined:
        pictures = (decorate(frame) if decorate else frame for frame in joined)
        write_like(clip, out, show_progress(pictures, "Rendering side by side (frames)", total), crf=crf)


def _joined(clip: Path, swap: Path) -> Generator[np.ndarray]:
    for before, after in zip(decode(clip), decode(swap), strict=True):
        image = before.rgb(exact=True)
        # The swap is padded when its sides are odd: the original's size counts.
        yield np.concatenate([image, after.rgb(exact=True)[: image.shape[0], : image.shape[1]]], 1)


def draw_stills(clip: Path, swap: Path, count: int) -> np.ndarray:
    """A few frames spread over the clip, the original above the swap; RGB uint8."""
    total = len(timing(clip).pts)
    wanted = {int(frame) for frame in np.linspace(0, total - 1, min(count, total) + 2)[1:-1].round()}
    columns = []
    for before, after in zip(decode(clip), decode(swap), strict=True):
        if before.index in wanted:
            image = before.rgb(exact=True)
            columns.append(np.concatenate([image, after.rgb(exact=True)[: image.shape[0], : image.shape[1]]], 0))
    picture = np.concatenate(columns, 1)
    factor = min(1.0, STILL_WIDTH / picture.shape[1])
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else picture
