"""Facesets as tensors: faces with their masks, kept as bytes on the device that trains."""

from dataclasses import dataclass

import numpy as np
import torch

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.faces.masks import eyes_mouth_mask, hull_mask
from understudy.swap.config import AugmentConfig, SwapConfig
from understudy.swap.warp import displacement, jitter_colours, sample, similarity, transfer_colours, uniform

FEWEST = 8
"""Fewer faces than this teach a decoder nothing but themselves."""

HELD_OUT = 10
"""One face in so many never teaches, so that there is something to judge by."""


@dataclass(frozen=True)
class FaceTensors:
    """Faces of one person, uint8 on one device.

    Args:
        layers: (N, 5, S, S): red, green, blue, mask of the face, mask of eyes and mouth.
    """

    layers: torch.Tensor

    def __len__(self) -> int:
        return len(self.layers)

    def to(self, device: torch.device) -> "FaceTensors":
        """The same faces on another device."""
        return FaceTensors(self.layers.to(device))


@dataclass(frozen=True)
class Sides:
    """What one iteration sees of one person, all (B, C, S, S) float32."""

    inputs: torch.Tensor  # B x 3: warped and jittered
    target: torch.Tensor  # B x 3: what shall come out
    mask: torch.Tensor  # B x 1
    eyes_mouth: torch.Tensor  # B x 1


def source_tensors(
    synthetic: Faceset, real: Faceset, config: SwapConfig, real_rows: np.ndarray | None = None
) -> FaceTensors:
    """The faces that the source's decoder learns from, by `config.faces` and `config.count`.

    Of the filmed faces `real_rows` are used, all when None.

    Raises:
        UserError: too few of them show a face.
    """
    parts = {"synthetic": [synthetic], "real": [real], "mix": [synthetic, real]}[config.faces]
    limit = min(config.count or config.training.max_faces, config.training.max_faces)
    loaded = [face_tensors(part, max(1, limit // len(parts)), real_rows if part is real else None) for part in parts]
    filled = [part.layers for part in loaded if len(part)]
    faces = FaceTensors(torch.cat(filled)) if filled else loaded[0]
    if len(faces) < FEWEST and config.faces == "synthetic":
        raise UserError(
            f"Only {len(faces)} of {len(synthetic)} synthetic faces show a face: train the GAN longer "
            "(gan_training.training.kimg) or set deepfake.faces to real."
        )
    if len(faces) < FEWEST:
        raise UserError(f"Only {len(faces)} faces of the source were found and the swap needs {FEWEST}: add footage.")
    return faces


def held_out_rows(faces: Faceset, rows: np.ndarray) -> np.ndarray:
    """The part of `rows` that never teaches: the last clips, by name, that make up a tenth of the faces.

    Whole clips, since neighbouring frames are nearly the same picture. When the last clip alone holds more than a
    tenth, it is the last of its frames.

    Args:
        faces: filmed faces of one person.
        rows: numbers of the rows that are fit for use.

    Returns:
        Row numbers in rising order; at most a tenth of `rows`, none of fewer than ten.
    """
    limit = len(rows) // HELD_OUT
    clips, frames = faces.column("clip")[rows], faces.column("frame")[rows]
    names, counts = np.unique(clips, return_counts=True)
    whole = names[::-1][np.cumsum(counts[::-1]) <= limit]
    if len(whole):
        return np.sort(rows[np.isin(clips, whole)])
    return np.sort(rows[np.lexsort((frames, clips))][len(rows) - limit :])


def target_tensors(faces: Faceset, config: SwapConfig) -> FaceTensors:
    """The faces of the target.

    Raises:
        UserError: there are too few.
    """
    found = face_tensors(faces, config.training.max_faces)
    if len(found) < FEWEST:
        raise UserError(f"Only {len(found)} faces of the target were found and the swap needs {FEWEST}: add footage.")
    return found


def face_tensors(faces: Faceset, limit: int, allowed: np.ndarray | None = None) -> FaceTensors:
    """Up to `limit` faces of a set, spread evenly over it or its rows `allowed`, with their masks.

    Rows without a face are left out.
    """
    landmarks = faces.landmarks()
    rows = np.flatnonzero(faces.found() & np.isfinite(landmarks).all((1, 2)))
    if allowed is not None:
        rows = np.intersect1d(rows, allowed)
    if len(rows) > limit:
        rows = rows[np.linspace(0, len(rows) - 1, limit).round().astype(int)]
    if not len(rows):
        return FaceTensors(torch.zeros(0, 5, 1, 1, dtype=torch.uint8))
    images = faces.images(rows)  # N x S x S x 3
    size = images.shape[1]
    layers = np.empty((len(rows), 5, size, size), np.uint8)
    layers[:, :3] = images.transpose(0, 3, 1, 2)
    for number, row in enumerate(rows):
        layers[number, 3] = np.round(255 * hull_mask(landmarks[row], size))
        layers[number, 4] = np.round(255 * eyes_mouth_mask(landmarks[row], size).clip(0, 1))
    return FaceTensors(torch.from_numpy(layers))


def draw(
    source: FaceTensors,
    target: FaceTensors,
    batch: int,
    config: AugmentConfig,
    warp: bool,
    generator: torch.Generator,
) -> tuple[Sides, Sides]:
    """Draw and augment `batch` faces of either person, with numbers from `generator` alone."""
    a, b = _pick(source, batch, generator), _pick(target, batch, generator)
    apply = uniform((batch,), 0, 1, generator) < config.colour_transfer
    a[:, :3] = transfer_colours(a[:, :3], (a[:, 3:4] + 1) / 2, b[:, :3], (b[:, 3:4] + 1) / 2, apply)
    return (
        _augment(a, config.flip_source, config, warp, generator),
        _augment(b, config.flip_target, config, warp, generator),
    )


def _pick(faces: FaceTensors, batch: int, generator: torch.Generator) -> torch.Tensor:
    rows = torch.randint(len(faces), (batch,), generator=generator, device=generator.device)
    return faces.layers[rows].float() / 127.5 - 1  # B x 5 x S x S in [-1, 1]


def _augment(layers: torch.Tensor, flip: float, config: AugmentConfig, warp: bool, generator: torch.Generator) -> Sides:
    count, size = len(layers), layers.shape[-1]
    matrices = similarity(count, config, flip, generator)
    moved = displacement(count, size, config.warp, generator)  # drawn in any case: the numbers after it stay the same
    target = sample(layers[:, :3], matrices)
    masks = sample((layers[:, 3:] + 1) / 2, matrices, padding="zeros")
    inputs = sample(layers[:, :3], matrices, moved) if warp else target
    inputs = jitter_colours(inputs, config.colour_jitter, generator)
    return Sides(inputs, target, masks[:, :1], masks[:, 1:])
