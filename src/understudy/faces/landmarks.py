"""Facial landmarks with dlib's regression trees: 68 points for geometry, 5 for embeddings.

Point numbers are those of the 68-point scheme: 0-16 jaw, 17-26 brows, 27-35 nose, 36-47 eyes, 48-59 outer lips,
60-67 inner lips; each side from the left of the image to the right.
"""

from collections.abc import Sequence

import numpy as np

from understudy.faces.models import shape_predictor

LEFT_EYE = slice(36, 42)
RIGHT_EYE = slice(42, 48)
LEFT_BROW = slice(17, 22)
RIGHT_BROW = slice(22, 27)
INNER_LIPS = slice(60, 68)

_EYES = np.zeros((2, 68), np.float32)
_EYES[0, LEFT_EYE] = _EYES[1, RIGHT_EYE] = 1 / 6


def predict(image: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Predict 68 landmarks, (68, 2) float32 in pixels (whole numbers, as dlib gives them).

    Args:
        image: luma uint8 (H, W) or RGB uint8 (H, W, 3).
        box: the detector's box: left, top, right, bottom.
    """
    return _points(shape_predictor("68"), image, box)


def predict5(image: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Predict 5 landmarks, (5, 2) float32 in pixels: outer and inner corners of both eyes and the nose base."""
    return _points(shape_predictor("5"), image, box)


def eye_distance(landmarks: np.ndarray) -> float:
    """Distance between the centres of the eyes, in the unit of `landmarks` (68, 2)."""
    left, right = eye_centres(landmarks)
    return float(np.hypot(*(left - right)))


def eye_centres(landmarks: np.ndarray) -> np.ndarray:
    """The centres of the left and of the right eye, (2, 2), in the unit of `landmarks` (68, 2)."""
    return _EYES @ landmarks  # asked for many times a frame: one product is several times faster than two means


def _points(predictor: object, image: np.ndarray, box: Sequence[float]) -> np.ndarray:
    import dlib

    rectangle = dlib.rectangle(*(round(value) for value in box))
    shape = predictor(np.ascontiguousarray(image), rectangle)  # type: ignore[operator]
    return np.array([(point.x, point.y) for point in shape.parts()], np.float32)
