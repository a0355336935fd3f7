"""Where a swap may change the picture, and where it must not."""

import cv2
import numpy as np

from understudy.faces.masks import raise_brows
from understudy.faces.track import Tracked

AROUND = 1.0
"""Outside of the face begins this many widths of the detector's box away from its edges."""

MARGIN = 0.25
"""Right around the face begins this share of the box's width away from the hull of the landmarks."""


def face_area(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The hull of the face with its brows raised, from 68 landmarks in frame pixels: (H, W) bool."""
    area = np.zeros(shape, np.uint8)
    hull = cv2.convexHull(np.round(raise_brows(landmarks)).astype(np.int32))
    cv2.fillConvexPoly(area, hull, 1)
    return area.astype(bool)


def far_area(face: Tracked, shape: tuple[int, int], label_rows: int) -> np.ndarray:
    """All that is far from the face, without the label at the lower edge: (H, W) bool."""
    outside = np.ones(shape, bool)
    outside[_rows(face, shape), _columns(face, shape)] = False
    return _unlabelled(outside, label_rows)


def near_area(face: Tracked, shape: tuple[int, int], label_rows: int) -> np.ndarray:
    """What surrounds the face without being far from it, such as hair, ears and neck: (H, W) bool."""
    around = np.zeros(shape, bool)
    around[_rows(face, shape), _columns(face, shape)] = True
    outside = (~face_area(face.landmarks, shape)).astype(np.uint8)
    away = cv2.distanceTransform(outside, cv2.DIST_L2, 3)  # from the hull, in pixels
    return _unlabelled(around & (away > MARGIN * face.found.width), label_rows)


def change(before: np.ndarray, after: np.ndarray, area: np.ndarray) -> float:
    """Mean absolute difference of two pictures of one kind within an area, 0..255; NaN where the area is empty."""
    if not area.any():
        return float("nan")
    means = cv2.mean(cv2.absdiff(before, after), area.view(np.uint8))  # four numbers, zeros behind the last channel
    return float(np.mean(means[: before.shape[2] if before.ndim == 3 else 1]))


def _rows(face: Tracked, shape: tuple[int, int]) -> slice:
    reach = AROUND * face.found.width
    return slice(max(0, int(face.found.box[1] - reach)), max(0, min(shape[0], int(face.found.box[3] + reach))))


def _columns(face: Tracked, shape: tuple[int, int]) -> slice:
    reach = AROUND * face.found.width
    return slice(max(0, int(face.found.box[0] - reach)), max(0, min(shape[1], int(face.found.box[2] + reach))))


def _unlabelled(area: np.ndarray, label_rows: int) -> np.ndarray:
    if label_rows:
        area[-label_rows:] = False
    return area
