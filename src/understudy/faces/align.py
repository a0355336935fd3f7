"""Alignment: from landmarks to an upright square crop of fixed geometry, and back.

Pixel centres have whole coordinates, in frames and in crops, as in OpenCV. A matrix is 2x3 float64 and maps points
(x, y) of the frame to points of the crop.
"""

from typing import Literal

import cv2
import numpy as np

FaceType = Literal["full", "whole"]

# Side of the crop in sides of the mean face's unit square, and how far its centre moves up, in the same unit.
GEOMETRY: dict[str, tuple[float, float]] = {"full": (1.597, 0.0), "whole": (2.131, 0.07)}

POINTS = np.r_[27:55, 60:65]
"""Landmarks used: nose, eyes, upper lip. Jaw, brows and lower lip move too much when a person talks."""

MEAN_FACE = np.array(
    [
        *[(0.490127, 0.203352), (0.490127, 0.307009), (0.490127, 0.409805), (0.490127, 0.515625)],  # 27-30
        *[(0.36688, 0.587326), (0.426036, 0.609345), (0.490127, 0.628106), (0.554217, 0.609345)],
        *[(0.613373, 0.587326)],  # 35
        *[(0.121737, 0.216423), (0.187122, 0.178758), (0.265825, 0.179852), (0.334606, 0.231733)],  # 36-39
        *[(0.260918, 0.245099), (0.182743, 0.244077)],
        *[(0.645647, 0.231733), (0.714428, 0.179852), (0.793132, 0.178758), (0.858516, 0.216423)],  # 42-45
        *[(0.79751, 0.244077), (0.719335, 0.245099)],
        *[(0.254149, 0.780233), (0.340985, 0.745405), (0.428858, 0.727388), (0.490127, 0.742578)],  # 48-51
        *[(0.551395, 0.727388), (0.639268, 0.745405), (0.726104, 0.780233)],  # 54
        *[(0.290379, 0.784792), (0.428096, 0.778746), (0.490127, 0.785343), (0.552157, 0.778746)],  # 60-63
        *[(0.689874, 0.784792)],
    ]
)
"""dlib's mean face in the unit square, the points `POINTS`, (33, 2)."""


def umeyama(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The similarity without reflection that maps `source` (N, 2) onto `target` (N, 2) with least squares.

    In two dimensions Umeyama's solution (IEEE TPAMI 13(4), 1991) has the closed form used here: with points as complex
    numbers, rotation and scale are one complex factor, the regression of the centred targets on the centred sources.

    Returns:
        (2, 3) float64.
    """
    a = source.astype(np.float64) @ (1, 1j)  # (N,)
    b = target.astype(np.float64) @ (1, 1j)
    centred = a - a.mean()
    factor = np.vdot(centred, b - b.mean()) / np.vdot(centred, centred).real
    shift = b.mean() - factor * a.mean()
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def mean_face(size: int, face_type: FaceType) -> np.ndarray:
    """The mean face's points `POINTS` in a crop of `size` pixels, (33, 2)."""
    side, up = GEOMETRY[face_type]
    return ((MEAN_FACE - (0.5, 0.5 - up)) / side + 0.5) * size - 0.5


def crop_matrix(landmarks: np.ndarray, size: int, face_type: FaceType = "whole") -> np.ndarray:
    """The matrix from frame pixels to the pixels of an aligned crop.

    Args:
        landmarks: 68 points in frame pixels, (68, 2).
        size: side of the crop in pixels.
        face_type: `whole` shows the head from forehead to chin with room around, `full` the face alone.

    Returns:
        (2, 3) float64.
    """
    return umeyama(landmarks[POINTS], mean_face(size, face_type))


def invert(matrix: np.ndarray) -> np.ndarray:
    """The inverse of a 2x3 matrix: crop pixels to frame pixels."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.hstack([linear, -linear @ matrix[:, 2:]])


def transform_points(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Apply a 2x3 matrix to points (..., 2); float32."""
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def scale_of(matrix: np.ndarray) -> float:
    """Crop pixels per frame pixel of a similarity."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def warp_crop(rgb: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Cut the crop of `size` pixels that `matrix` describes out of an image; outside the image its border repeats.

    When the crop is coarser than the image, it is first cut finer by a whole factor and then averaged, so that no
    pixel of the image is skipped.

    Args:
        rgb: uint8 (H, W, 3) or (H, W).
        matrix: image pixels to crop pixels, 2x3.
        size: side of the crop in pixels.
    """
    factor = int(np.clip(np.ceil(0.99 / scale_of(matrix)), 1, 16))
    fine = matrix * factor
    fine[:, 2] += (factor - 1) / 2  # pixel centre x of the crop is factor * (x + 1/2) - 1/2 of the finer one
    side = size * factor
    crop = cv2.warpAffine(rgb, fine, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return crop if factor == 1 else cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
