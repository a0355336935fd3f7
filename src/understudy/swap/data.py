"""Facesets as tensors: faces with their masks, kept as bytes on the device that trains."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from understudy.errors import UserError
from understudy.faces.expression import EXPRESSION, Variety, choose, expression_features
from understudy.faces.faceset import Faceset
from understudy.faces.masks import eyes_mouth_mask, hull_mask
from understudy.swap.config import AugmentConfig, SwapConfig
from understudy.swap.occlude import occlude
from understudy.swap.turn import turned
from understudy.swap.warp import displacement, jitter_colours, sample, similarity, transfer_colours, uniform

FEWEST = 8
"""Fewer faces than this teach a decoder nothing but themselves."""

YAW, PITCH = EXPRESSION.index("yaw"), EXPRESSION.index("pitch")

FARTHEST = 5.0
"""Expressions beyond so many deviations are faults of the landmarks."""

LEAST_SPREAD = 0.1
"""An expression that changes less, in the units of `faces.expression`, is still."""

HELD_OUT = 10
"""One face in so many never teaches, so that there is something to judge by."""


@dataclass(frozen=True)
class FaceTensors:
    """Faces of one person, uint8 on one device.

    Args:
        layers: (N, 5, S, S): red, green, blue, mask of the face, mask of eyes and mouth.
        expression: (N, 5) float32, in the order of `faces.expression`, in the person's own deviations.
        pose: (N, 2) float32, yaw and pitch in degrees.
        landmarks: (N, 68, 2) float32, pixels.
    """

    layers: torch.Tensor
    expression: torch.Tensor
    pose: torch.Tensor
    landmarks: torch.Tensor

    def __len__(self) -> int:
        return len(self.layers)

    def to(self, device: torch.device) -> "FaceTensors":
        """The same faces on another device."""
        return FaceTensors(*(column.to(device) for column in vars(self).values()))


@dataclass(frozen=True)
class Sides:
    """What one iteration sees of both people, the source's B faces before the target's, float32."""

    inputs: torch.Tensor  # 2B x 3 x S x S: warped and jittered
    target: torch.Tensor  # 2B x 3 x S x S: what shall come out
    mask: torch.Tensor  # 2B x 1 x S x S
    eyes_mouth: torch.Tensor  # 2B x 1 x S x S
    expression: torch.Tensor  # 2B x 5


def source_tensors(
    synthetic: Faceset, real: Faceset, config: SwapConfig, real_rows: np.ndarray | None = None, seed: int = 0
) -> FaceTensors:
    """The faces that the source's decoder learns from, by `config.faces`, `config.count` and `config.variety`.

    Of the filmed faces `real_rows` are used, all when None.

    Args:
        synthetic: synthetic faces.
        real: filmed faces.
        config: all parameters.
        real_rows: rows of `real` that may teach.
        seed: of what `variety` draws.

    Raises:
        UserError: too few of them show a face.
    """
    limit = min(config.count or config.training.max_faces, config.training.max_faces)
    if config.faces == "mix":
        limits = {"synthetic": (limit + 1) // 2, "real": limit // 2}
    else:
        limits = {config.faces: limit}
    sets = {"synthetic": (synthetic, None), "real": (real, real_rows)}
    loaded = []
    for name, most in limits.items():
        faces, allowed = sets[name]
        loaded.append(tensors_of(faces, chosen_rows(faces, most, allowed, config.variety, seed)))
    filled = [part for part in loaded if len(part)] or loaded
    tensors = FaceTensors(
        *(torch.cat(column) for column in zip(*(vars(part).values() for part in filled), strict=True))
    )
    if len(tensors) >= FEWEST:
        return tensors
    if config.count is not None and config.count < FEWEST:
        raise UserError(f"Parameter 'deepfake.count' = {config.count} is too few faces: use {FEWEST} or more.")
    if config.faces == "synthetic":
        raise UserError(
            f"The swap needs {FEWEST} synthetic faces and only {len(tensors)} of {len(synthetic)} show a face: train "
            "the GAN longer (gan_training.training.kimg) or set deepfake.faces to real."
        )
    raise UserError(
        f"The swap needs {FEWEST} faces of the source and only {len(tensors)} are fit to teach it: add footage."
    )


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


def target_tensors(faces: Faceset, config: SwapConfig, rows: np.ndarray | None = None) -> FaceTensors:
    """The faces of the target, of `rows` alone unless None.

    Raises:
        UserError: there are too few.
    """
    found = tensors_of(faces, chosen_rows(faces, config.training.max_faces, rows))
    if len(found) < FEWEST:
        raise UserError(
            f"The swap needs {FEWEST} faces of the target and only {len(found)} were found in its footage: add footage."
        )
    return found


def turned_towards(source: FaceTensors, target: FaceTensors, config: AugmentConfig, seed: int) -> FaceTensors:
    """The source's faces, each turned to the pose of a face of the target, or of its mirror image if that is nearer.

    The few poses of a person who looked past the camera all their life are thus not all that the decoder knows. The
    poses are those of target faces drawn by `seed`; the mirrored ones only where `config.flip_source` will mirror
    them back. What a face's pose means in its person's own deviations is taken over with it.

    Args:
        source: N faces, on the CPU.
        target: M faces, on the CPU.
        config: `turn` degrees at most, either way.
        seed: of which pose each face gets.

    Returns:
        N faces with layers, expression and pose changed; `landmarks` stay those before the turn.
    """
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(target), size=len(source))
    poses, expression = target.pose[rows].numpy().astype(np.float64), source.expression.clone()
    own = source.pose.numpy()
    away = np.zeros(len(source), bool)
    if config.flip_source == "pose":
        away = np.abs(own[:, 0] + poses[:, 0]) < np.abs(own[:, 0] - poses[:, 0])
    sign = np.where(away, -1.0, 1.0)
    poses[:, 0] *= sign
    expression[:, YAW] = target.expression[rows, YAW] * torch.from_numpy(sign).float()
    expression[:, PITCH] = target.expression[rows, PITCH]
    layers, reached = turned(source.layers, source.landmarks.numpy(), poses, config.turn)
    _clear_border(layers)
    return replace(source, layers=layers, expression=expression, pose=torch.from_numpy(reached).float())


def chosen_rows(
    faces: Faceset, limit: int, allowed: np.ndarray | None = None, variety: Variety | None = None, seed: int = 0
) -> np.ndarray:
    """Up to `limit` rows of a set that show a face, of `allowed` alone unless None, in rising order.

    Args:
        faces: filmed or synthetic faces.
        limit: at most so many.
        allowed: rows to choose from.
        variety: None spreads them evenly; else how they are chosen in expression space.
        seed: of what `variety` draws.
    """
    rows = np.flatnonzero(faces.found() & np.isfinite(faces.landmarks()).all((1, 2)))
    if allowed is not None:
        rows = np.intersect1d(rows, allowed)
    if len(rows) <= limit:
        return rows
    if variety is None:
        return rows[np.linspace(0, len(rows) - 1, limit).round().astype(int)]
    features = expression_features(faces)[rows]
    known = int(np.isfinite(features).all(1).sum())
    return np.sort(rows[choose(features, min(limit, known), variety, seed)])


def tensors_of(faces: Faceset, rows: np.ndarray) -> FaceTensors:
    """The faces of `rows`, with their masks."""
    if not len(rows):
        return FaceTensors(
            torch.zeros(0, 5, 1, 1, dtype=torch.uint8),
            torch.zeros(0, len(EXPRESSION)),
            torch.zeros(0, 2),
            torch.zeros(0, 68, 2),
        )
    landmarks = faces.landmarks()
    images = faces.images(rows)  # N x S x S x 3
    size = images.shape[1]
    layers = np.empty((len(rows), 5, size, size), np.uint8)
    layers[:, :3] = images.transpose(0, 3, 1, 2)
    for number, row in enumerate(rows):
        layers[number, 3] = np.round(255 * hull_mask(landmarks[row], size))
        layers[number, 4] = np.round(255 * eyes_mouth_mask(landmarks[row], size).clip(0, 1))
    _clear_border(layers)
    pose = np.nan_to_num(np.stack([faces.column("yaw")[rows], faces.column("pitch")[rows]], 1)).astype(np.float32)
    columns = (layers, _expressions(faces)[rows], pose, landmarks[rows].astype(np.float32))
    return FaceTensors(*(torch.from_numpy(column) for column in columns))


def _clear_border(layers: np.ndarray | torch.Tensor) -> None:
    """Take the masks off the border: beyond the crop it repeats, and there is no mask."""
    layers[:, 3:, [0, -1]] = 0
    layers[:, 3:, :, [0, -1]] = 0


def _expressions(faces: Faceset) -> np.ndarray:
    """The expression of each face, (N, 5) float32, in the person's own deviations from the usual; 0 where unknown."""
    features = expression_features(faces)
    known = features[np.isfinite(features).all(1)]
    usual, spread = (np.median(known, 0), known.std(0)) if len(known) else (0, np.ones(len(EXPRESSION)))
    own = (features - usual) / np.maximum(spread, LEAST_SPREAD)
    return np.nan_to_num(own.clip(-FARTHEST, FARTHEST)).astype(np.float32)


def draw(
    source: FaceTensors,
    target: FaceTensors,
    batch: int,
    config: AugmentConfig,
    warp: bool,
    generator: torch.Generator,
) -> Sides:
    """Draw and augment `batch` faces of either person, the source's first, with numbers from `generator` alone.

    Of `config.nearest` faces of the source the one that is turned most like the target's is taken: people look past
    the camera to different sides, and what is usual for one must not stand for what is usual for the other.
    """
    rows_b = torch.randint(len(target), (batch,), generator=generator, device=generator.device)
    rows_a, mirrored = _turned_alike(source, target.pose[rows_b, 0], config, generator)
    (a, express_a), (b, express_b) = _take(source, rows_a), _take(target, rows_b)
    apply = uniform((batch,), 0, 1, generator) < config.colour_transfer
    a[:, :3] = transfer_colours(a[:, :3], a[:, 3:4], b[:, :3], b[:, 3:4], apply)
    layers = torch.cat([a, b])  # 2B x 5 x S x S
    occlude(layers, config.occlude, generator)
    size = layers.shape[-1]
    flip = torch.cat([mirrored, torch.full_like(mirrored, config.flip_target)])
    matrices = similarity(2 * batch, config, flip, generator)
    expression = torch.cat([express_a, express_b])
    mirrored = matrices[:, 0, 0] * matrices[:, 1, 1] < matrices[:, 0, 1] * matrices[:, 1, 0]
    expression[:, YAW] = torch.where(mirrored, -expression[:, YAW], expression[:, YAW])
    moved = displacement(2 * batch, size, config.warp, generator)  # drawn in any case: what is drawn after it stays
    straight = sample(layers, matrices)
    target_faces = straight[:, :3]
    inputs = sample(layers[:, :3], matrices, moved) if warp else target_faces
    inputs = jitter_colours(inputs, config.colour_jitter, generator)
    return Sides(inputs, target_faces, straight[:, 3:4], straight[:, 4:], expression)


def _turned_alike(
    source: FaceTensors, yaw: torch.Tensor, config: AugmentConfig, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of the source (B,) for target faces turned by `yaw` (B,), and how often each is mirrored (B,)."""
    drawn = torch.randint(len(source), (len(yaw), config.nearest), generator=generator, device=generator.device)
    yaws = source.pose[drawn, 0]  # B x n
    both = torch.stack([yaws, -yaws] if config.flip_source == "pose" else [yaws], 2)
    place = (both - yaw[:, None, None]).abs().flatten(1).argmin(1)
    rows = drawn.gather(1, place[:, None] // both.shape[2])[:, 0]
    if config.flip_source == "pose":
        return rows, (place % 2).float()
    return rows, torch.full_like(yaw, config.flip_source)


def _take(faces: FaceTensors, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Faces (B, 5, S, S): colours in [-1, 1], masks in [0, 1]; and their expressions (B, 5)."""
    layers = faces.layers[rows].float()
    layers[:, :3] = layers[:, :3] / 127.5 - 1
    layers[:, 3:] /= 255
    return layers, faces.expression[rows]
