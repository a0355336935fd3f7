"""Masks drawn from landmarks: the face up to the raised brows, and eyes and mouth."""

import cv2
import numpy as np

FINE = 512
"""Masks are drawn on at least this many pixels and averaged down, so that their edges are smooth and sub-pixel."""

# The face as a union of convex pieces, so that the outline may be concave between jaw and brows.
_PIECES = (
    [*range(9), 17],
    [*range(8, 17), 26],
    [17, 18, 19, 8],
    [24, 25, 26, 8],
    [19, 20, 21, 22, 23, 24, 8],
    [17, 18, 19, 20, 21, 27, 31, 32, 33, 34, 35, 8],
    [22, 23, 24, 25, 26, 27, 31, 32, 33, 34, 35, 8],
    [27, 28, 29, 30, 31, 32, 33, 34, 35],
)
_FEATURES = (range(36, 42), range(42, 48), range(60, 68))


def hull_mask(landmarks: np.ndarray, size: int) -> np.ndarray:
    """The face's mask: jaw to brows, the brows raised by half their distance to the eyes.

    Args:
        landmarks: 68 points in crop pixels, (68, 2).
        size: side of the crop.

    Returns:
        (size, size) float32 in 0..1.
    """
    raised = raise_brows(landmarks)
    return _draw([raised[piece] for piece in _PIECES], size)


def eyes_mouth_mask(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Eyes and inner mouth, widened and softened, (size, size) float32 in 0..1."""
    mask = _draw([landmarks[list(feature)] for feature in _FEATURES], size)
    wide = max(3, size // 32 | 1)
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide)))
    soft = max(3, size // 16 | 1)
    return cv2.GaussianBlur(mask, (soft, soft), 0)


def raise_brows(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (68, 2) with the brows moved up by half their distance to the line of the eyes."""
    points = landmarks.astype(np.float32).copy()
    left_end = (points[36] + (points[36] + points[0]) / 2) / 2
    right_end = (points[45] + (points[45] + points[16]) / 2) / 2
    left_line = np.stack([left_end, *points[36:40]])  # 5 x 2
    right_line = np.stack([*points[42:46], right_end])
    points[17:22] += 0.5 * (points[17:22] - left_line)
    points[22:27] += 0.5 * (points[22:27] - right_line)
    return points


def _draw(pieces: list[np.ndarray], size: int) -> np.ndarray:
    factor = max(1, FINE // size)
    canvas = np.zeros((size * factor, size * factor), np.uint8)
    for piece in pieces:
        # Sixteenths of a pixel: OpenCV takes whole numbers and a shift of 4 bits.
        fine = np.round((((piece + 0.5) * factor) - 0.5) * 16).astype(np.int32)
        cv2.fillConvexPoly(canvas, cv2.convexHull(fine), 255, shift=4)
    mask = canvas.astype(np.float32) / 255
    return mask if factor == 1 else cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)
