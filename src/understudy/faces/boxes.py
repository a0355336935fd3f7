"""Boxes in a frame, and the parts of a frame around them."""

import cv2
import numpy as np

from understudy.faces.detect import Detection

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def region(luma: np.ndarray, box: Box, times: float, scale: float) -> tuple[np.ndarray, tuple[int, int], float]:
    """The part of a frame around a box, `times` as wide, scaled; with its origin in the frame and the scale."""
    height, width = luma.shape
    half = times * (box[2] - box[0]) / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, right = (min(max(int(value), 0), width) for value in (x - half, x + half + 1))
    top, bottom = (min(max(int(value), 0), height) for value in (y - half, y + half + 1))
    if right - left < 8 or bottom - top < 8:  # the face has left the frame: a region without a face
        return np.zeros((8, 8), np.uint8), (left, top), scale
    return resize(luma[top:bottom, left:right], scale), (left, top), scale


def resize(luma: np.ndarray, scale: float) -> np.ndarray:
    """Scale a picture; averaged when it gets smaller."""
    if scale == 1.0:
        return np.ascontiguousarray(luma)
    size = max(1, round(luma.shape[1] * scale)), max(1, round(luma.shape[0] * scale))
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def rescale(face: Detection, scale: float, origin: tuple[int, int]) -> Detection:
    """Bring a finding in a scaled region back to the frame."""
    left, top, right, bottom = (
        (value + 0.5) / scale - 0.5 + offset for value, offset in zip(face.box, (*origin, *origin), strict=True)
    )
    return Detection((left, top, right, bottom), face.score)


def thumbnail(luma: np.ndarray, box: Box) -> np.ndarray:
    """What is in and around a box, in 16x16 pixels: enough to see that another shot has begun."""
    return cv2.resize(region(luma, box, 1.5, 1.0)[0], (16, 16), interpolation=cv2.INTER_AREA)


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """Mean absolute difference of two thumbnails, in steps of luma."""
    return float(np.abs(after.astype(np.int16) - before).mean())
