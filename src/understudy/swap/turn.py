"""Faces turned a little: what is seen of a head moves by its depth when the head turns.

A generator that has seen few poses paints few, and a decoder never shows a pose it was not taught. Turning faces with
a model of the head is known from face alignment (Zhu et al., arXiv 1511.07212); here the model is a dome with a nose,
which does for the few degrees between two people who both look past a camera.
"""

import numpy as np
import torch
from torch.nn import functional as F

from understudy.faces.align import MEAN_FACE, POINTS, transform_points, umeyama
from understudy.faces.describe import head_pose

# The head in the mean face's unit square (about 12 cm), seen from the front: an ellipsoid around the middle of the
# face, and on it a nose, such that eyes, bridge, tip and base of the nose lie as in `faces.describe`.
_MIDDLE, _HALF_WIDTH, _HALF_HEIGHT, _DOME = (0.49, 0.35), 0.68, 0.95, 0.62
_RIDGE = [0.0, 0.203, 0.307, 0.41, 0.515, 0.628, 0.74], [0.0, 0.06, 0.11, 0.18, 0.26, 0.16, 0.0]
_NOSE_WIDTH = 0.155

_AT_ONCE = 64


def depth(points: np.ndarray) -> np.ndarray:
    """How far a head reaches towards the camera at points (..., 2) of the mean face's square, in sides of it: (...).

    Nought is the plane of the ears, and what lies beside the head.
    """
    x, y = points[..., 0] - _MIDDLE[0], points[..., 1]
    inside = 1 - (x / _HALF_WIDTH) ** 2 - ((y - _MIDDLE[1]) / _HALF_HEIGHT) ** 2
    dome = _DOME * np.sqrt(np.clip(inside, 0, 1))
    return dome + np.interp(y, *_RIDGE) * np.exp(-((x / _NOSE_WIDTH) ** 2))


def turned(
    layers: torch.Tensor, landmarks: np.ndarray, poses: np.ndarray, most: float
) -> tuple[torch.Tensor, np.ndarray]:
    """Turn aligned faces to poses, as far as is allowed, and align them again.

    Args:
        layers: pictures and masks, uint8 (N, C, S, S).
        landmarks: 68 points of each face in pixels, (N, 68, 2).
        poses: wanted yaw and pitch in degrees, as `faces.describe.head_pose` reads them, (N, 2).
        most: degrees by which a head turns either way at most; above 20 the model of the head is seen.

    Returns:
        The turned layers, and the poses that were reached, (N, 2).
    """
    size = layers.shape[-1]
    place = umeyama(np.median(landmarks[:, POINTS], axis=0), MEAN_FACE)  # pixels to the mean face's square
    pixels = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).astype(np.float64)
    out, reached = torch.empty_like(layers), np.empty((len(layers), 2))
    for start in range(0, len(layers), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        points = transform_points(landmarks[part], place)
        angles = [_angle(*face, most) for face in zip(points, poses[part], strict=True)]
        reached[part] = [_read(*face) for face in zip(points, angles, strict=True)]
        grid = np.stack([_seen_from(pixels, place, angle) for angle in angles])  # B x S x S x 2, pixels
        where = torch.from_numpy((2 * grid + 1) / size - 1).float()
        moved = F.grid_sample(layers[part].float(), where, mode="bicubic", padding_mode="border", align_corners=False)
        out[part] = moved.round().clamp(0, 255).to(torch.uint8)
    return out, reached


def _shift(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """How far points (..., 2) of the mean face's square move when the head turns by yaw and pitch `angle`."""
    return depth(points)[..., None] * np.sin(np.radians(angle)) * (1, -1)


def _angle(points: np.ndarray, pose: np.ndarray, most: float) -> np.ndarray:
    """By how much to turn a head with the landmarks `points` until its pose reads `pose`: yaw and pitch, (2,)."""
    angle = np.zeros(2)
    for _ in range(4):
        angle = np.clip(angle + np.nan_to_num(pose - _read(points, angle)), -most, most)
    return angle


def _read(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """The pose of a head with the landmarks `points` after it has turned by `angle`: yaw and pitch, (2,)."""
    return np.array(head_pose(points + _shift(points, angle))[:2])


def _seen_from(pixels: np.ndarray, place: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Where in the picture lies what is seen at `pixels` (S, S, 2) once the head has turned by `angle`, in pixels."""
    again = umeyama(MEAN_FACE, MEAN_FACE + _shift(MEAN_FACE, angle))  # from the crop after the turn to that before it
    wanted = transform_points(transform_points(pixels, place), again)
    points = wanted
    for _ in range(3):  # what lies at p is seen at p + shift(p)
        points = wanted - _shift(points, angle)
    return (points - place[:, 2]) @ np.linalg.inv(place[:, :2]).T
