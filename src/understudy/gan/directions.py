"""Directions in W: found without labels, then labelled by what they measurably move.

Two ways to find them, both in closed form:

- SeFa (Shen and Zhou, CVPR 2021, equation 5): the eigenvectors of A^T A, where A stacks the weights that map w to the
  styles of all 3x3 convolutions. A step along the first changes the styles most.
- PCA (Härkönen et al., GANSpace, NeurIPS 2020): the principal components of many w.

Each vector is a quarter of the typical distance of w from its mean long, so that steps of different directions compare
and three of them stay among the w that the generator knows. (One standard deviation along a direction would be too
short: w spreads over hundreds of directions, and even its first principal component holds a few percent.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from understudy.faces.describe import describe_crops
from understudy.faces.expression import EXPRESSION, SCALES
from understudy.faces.identity import TOLERANCE
from understudy.gan.generator import Generator, ModulatedConv
from understudy.gan.grid import to_uint8
from understudy.gan.synthesis import Recipe, styles
from understudy.gan.variety_config import DirectionsConfig
from understudy.progress import track

SAMPLES = 4096
"""Latents behind the principal components and the typical distance."""

STEP = 0.25
"""Length of a vector, as a share of the root mean square distance of w from its mean."""

CLEAR = 0.5
"""A direction is said to move a measure when the mean change is at least so many units of expression space, …"""

SURE = 1.0
"""… and at least so many standard deviations of the change over faces: it then moves about five faces in six so."""

STRIP = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class Direction:
    """One direction.

    Args:
        method: how it was found.
        number: its place among those of its method, the strongest is 0.
        vector: (latent,), one step.
        share: of the sum of all eigenvalues of its method.
    """

    method: Literal["sefa", "pca"]
    number: int
    vector: Tensor
    share: float

    @property
    def name(self) -> str:
        """Such as `sefa 0`."""
        return f"{self.method} {self.number}"


@torch.no_grad()
def find_directions(generator: Generator, count: int, seed: int) -> list[Direction]:
    """The strongest `count` directions of either method.

    Args:
        generator: any.
        count: of each method; fewer when w is shorter.
        seed: of the latents behind the principal components.
    """
    random = torch.Generator().manual_seed(seed)
    z = torch.randn(SAMPLES, generator.latent, generator=random).to(generator.w_avg.device)
    w = generator.mapping(z)
    w = (w - w.mean(0)).double()  # SAMPLES x latent
    length = STEP * w.square().sum(1).mean().sqrt()
    gates = [part.affine for part in generator.modules() if isinstance(part, ModulatedConv)]
    affine = torch.cat([gate.weight.double() * gate.weight_gain for gate in gates])  # styles x latent
    matrices: dict[Literal["sefa", "pca"], Tensor] = {"sefa": affine.t() @ affine, "pca": w.t() @ w / (len(w) - 1)}
    found = []
    for method, matrix in matrices.items():
        values, vectors = torch.linalg.eigh(matrix)  # rising
        for number in range(min(count, len(values))):
            vector = vectors[:, -1 - number]
            vector = vector * vector[vector.abs().argmax()].sign()  # an eigenvector has no sign of its own
            share = float(values[-1 - number] / values.sum())
            found.append(Direction(method, number, (vector * length).float(), share))
    return found


@torch.no_grad()
def move(generator: Generator, ws: Tensor, direction: Direction, steps: Sequence[float], batch: int = 25) -> np.ndarray:
    """Draw faces moved along a direction in all layers.

    Args:
        generator: in evaluation mode.
        ws: (N, num_ws, latent), such as those of `styles`.
        direction: where to.
        steps: how far.
        batch: faces drawn at a time.

    Returns:
        RGB uint8 (N, steps, S, S, 3).
    """
    far = torch.tensor(steps, device=ws.device, dtype=ws.dtype)[:, None, None]
    moved = (ws[:, None] + far * direction.vector.to(ws.device)).flatten(0, 1)  # N steps x num_ws x latent
    parts = [to_uint8(generator.synthesis(part, "const")) for part in moved.split(batch)]
    return np.concatenate(parts).reshape(len(ws), len(steps), generator.size, generator.size, 3)


def direction_scores(generator: Generator, config: DirectionsConfig, seed: int) -> dict[str, Any]:
    """What each direction moves, measured on faces moved `config.step` either way.

    Returns:
        By name of the direction, as `measure_direction`; `labels` by name, as words; `missing` None.
    """
    ws = styles(generator, [Recipe(number, config.psi) for number in range(config.seeds)])
    directions = find_directions(generator, config.count, seed)
    scores = {
        direction.name: measure_direction(generator, ws, direction, config.step)
        for direction in track(directions, "Measuring directions")
    }
    labels = {name: figures["label"] for name, figures in scores.items()}
    return {"directions": scores, "labels": labels, "step": config.step, "faces": config.seeds, "missing": None}


def measure_direction(generator: Generator, ws: Tensor, direction: Direction, step: float) -> dict[str, Any]:
    """What changes in faces `ws` between -`step` and +`step` along a direction.

    Returns:
        `share` (`Direction`); `effects` by measure, the mean change in units of expression space; `surety`, that over
        its standard deviation over faces; `label`, the measures it clearly moves, the strongest first, with their
        signs; `identity_distance`, the median 128-d distance of both ends, `same_person` the share of faces whose ends
        lie within 0.6; `faceless`, ends without a face.
    """
    ends = move(generator, ws, direction, [-step, step])  # N x 2 x S x S x 3
    table = describe_crops(ends.reshape(-1, *ends.shape[2:]))
    features = np.stack([table.column(name).to_numpy() for name in EXPRESSION], 1).astype(np.float64) / SCALES
    vectors = _vectors(table)
    change = features[1::2] - features[::2]  # N x 5
    change = change[np.isfinite(change).all(1)]
    away = np.linalg.norm(vectors[1::2] - vectors[::2], axis=1)
    away = away[np.isfinite(away)]
    enough = len(change) >= 2
    mean = change.mean(0) if enough else np.zeros(len(EXPRESSION))
    surety = mean / np.maximum(change.std(0, ddof=1), 1e-6) if enough else np.zeros(len(EXPRESSION))
    return {
        "share": direction.share,
        "effects": dict(zip(EXPRESSION, mean.tolist(), strict=True)) if enough else dict.fromkeys(EXPRESSION),
        "surety": dict(zip(EXPRESSION, surety.tolist(), strict=True)) if enough else dict.fromkeys(EXPRESSION),
        "label": _label(mean, surety),
        "identity_distance": float(np.median(away)) if len(away) else None,
        "same_person": float((away <= TOLERANCE).mean()) if len(away) else None,
        "faceless": int(np.isnan(features).any(1).sum()),
    }


def draw_directions(generator: Generator, config: DirectionsConfig, seed: int, scores: dict[str, Any]) -> np.ndarray:
    """A strip of the mean face from -3 to +3 steps along each direction, with what it moves.

    Args:
        generator: the one that was measured.
        config: the same as there.
        seed: the same as there.
        scores: as `direction_scores`.

    Returns:
        RGB uint8 (H, W, 3).
    """
    mean = generator.w_avg.expand(1, generator.num_ws, -1)
    rows = []
    for direction in find_directions(generator, config.count, seed):
        strip = move(generator, mean, direction, STRIP)[0]  # steps x S x S x 3
        figures = scores["directions"][direction.name]
        rows.append(_row(strip, f"{direction.name}: {figures['label']}", _words(figures)))
    return np.concatenate(rows)


def _label(mean: np.ndarray, surety: np.ndarray) -> str:
    order = np.argsort(-np.abs(mean), kind="stable")
    clear = [number for number in order if abs(mean[number]) >= CLEAR and abs(surety[number]) >= SURE]
    return ", ".join(f"{EXPRESSION[number]} {'+' if mean[number] > 0 else '-'}" for number in clear) or "nothing clear"


def _words(figures: dict[str, Any]) -> str:
    away = figures["identity_distance"]
    effects = ", ".join(f"{name} {value:+.1f}" for name, value in figures["effects"].items() if value is not None)
    return f"{effects or 'no face'}; ends {away:.2f} apart" if away is not None else effects or "no face"


def _row(strip: np.ndarray, title: str, words: str, side: int = 128) -> np.ndarray:
    """A strip of faces below two lines of words."""
    side = max(side, strip.shape[1])
    faces = [cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC) for face in strip]
    head = np.full((44, side * len(faces), 3), 255, np.uint8)
    cv2.putText(head, title, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 24, 30), 1, cv2.LINE_AA)
    cv2.putText(head, words, (6, 36), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (110, 116, 124), 1, cv2.LINE_AA)
    return np.concatenate([head, np.concatenate(faces, axis=1)])


def _vectors(table: pa.Table) -> np.ndarray:
    """The embeddings of a table, (N, 128)."""
    column = table.column("embedding").combine_chunks()
    flat: np.ndarray = column.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(-1, 128)
