"""Face detection with dlib's HOG detector."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from understudy.faces.models import frontal_detector

CROP_SIDE = 256
"""Crops smaller than this are enlarged to it before detection: the detector's window is 80 pixels."""

_SEARCHED = 240
"""The largest copy of a crop in which large faces are looked for has at least this side."""
_WINDOW = 73
"""Width of a box in the copy in which the detector finds it."""


@dataclass(frozen=True)
class Detection:
    """One face: its box (left, top, right, bottom) in pixels and the detector's score, above 0 for a clear face."""

    box: tuple[float, float, float, float]
    score: float

    @property
    def width(self) -> float:
        """Width of the box in pixels."""
        return self.box[2] - self.box[0]

    @property
    def centre(self) -> tuple[float, float]:
        """Centre of the box, x and y."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


def detect(image: np.ndarray, upsample: int = 0, threshold: float = 0.0) -> list[Detection]:
    """Find frontal faces, the surest first.

    Args:
        image: luma uint8 (H, W), or RGB uint8 (H, W, 3), which takes nearly twice as long.
        upsample: how often the image is doubled first; 0 finds faces from about 80 pixels, 1 from about 40.
        threshold: smallest score that counts; below 0 finds more faces and more things that are none.
    """
    boxes, scores, _ = frontal_detector().run(np.ascontiguousarray(image), upsample, threshold)
    found = [
        Detection((float(box.left()), float(box.top()), float(box.right()), float(box.bottom())), float(score))
        for box, score in zip(boxes, scores, strict=True)
    ]
    return sorted(found, key=lambda face: -face.score)


def largest_face(image: np.ndarray, upsample: int = 0) -> Detection | None:
    """The widest face of an image, or None."""
    return widest(detect(image, upsample))


def widest(faces: Sequence[Detection]) -> Detection | None:
    """The widest face, or None; findings with less than half the best score are most often none and do not count."""
    best = max((face.score for face in faces), default=0.0)
    return max((face for face in faces if face.score >= best / 2), key=lambda face: face.width, default=None)


def detect_crop(rgb: np.ndarray) -> Detection | None:
    """The face of an aligned crop, in crop pixels, or None.

    This is what `face_recognition.face_locations` does by default (RGB, one upsampling), on the crop enlarged to 256
    pixels when it is smaller. Of several findings the one with the best score counts, less what it lies off centre.

    Args:
        rgb: RGB uint8 (S, S, 3).
    """
    large, factor = enlarge(rgb)
    found = detect_enlarged(large)
    return None if found is None else shrink_detection(found, factor)


def enlarge(rgb: np.ndarray) -> tuple[np.ndarray, float]:
    """Enlarge a square crop to 256 pixels (cubic) when it is smaller; return it and the factor."""
    size = rgb.shape[0]
    if size >= CROP_SIDE:
        return np.ascontiguousarray(rgb), 1.0
    return cv2.resize(rgb, (CROP_SIDE, CROP_SIDE), interpolation=cv2.INTER_CUBIC), CROP_SIDE / size


def detect_enlarged(large: np.ndarray) -> Detection | None:
    """The face of an already enlarged crop, in its own pixels, or None.

    A crop's face is large, so it is looked for among large faces first, which takes a third of the time. Only a crop
    without any is searched for small faces too: "no face" means that face_recognition's default search finds none.
    """
    middle = (large.shape[1] - 1) / 2, (large.shape[0] - 1) / 2

    def merit(face: Detection) -> float:
        off = np.hypot(face.centre[0] - middle[0], face.centre[1] - middle[1])
        return face.score - 4 * float(off) / large.shape[0]

    return max(detect_large(large) or detect(large, upsample=1), key=merit, default=None)


def detect_large(image: np.ndarray) -> list[Detection]:
    """The findings of `detect(image, upsample=1)` on faces wider than about 0.3 of the image, in any order.

    dlib doubles the image, then searches it and ever smaller copies of it, each 5/6 of the one before, with one window.
    Here the same copies are made and the largest are not searched: boxes and scores of the others are the same, to the
    bit.

    Args:
        image: luma uint8 (H, W) or RGB uint8 (H, W, 3).
    """
    import dlib

    doubling, shrinking = dlib.pyramid_down(2), dlib.pyramid_down(6)
    whole = doubling.rect_up(dlib.rectangle(0, 0, image.shape[1] - 1, image.shape[0] - 1))
    copy = dlib.resize_image(np.ascontiguousarray(image), whole.bottom() + 1, whole.right() + 1)
    skipped = max(0, int(np.log(2 * min(image.shape[:2]) / _SEARCHED) / np.log(6 / 5)))
    for _ in range(skipped):
        copy = shrinking(copy)
    boxes, scores, _ = frontal_detector().run(copy, 0, 0.0)
    found = []
    for box, score in zip(boxes, scores, strict=True):
        # dlib rounds a box only once, from the copy in which it was found to the doubled image.
        level = min(range(16), key=lambda level: abs(shrinking.rect_down(box, level).width() - _WINDOW))
        inner = shrinking.rect_down(box, level)
        outer = doubling.rect_down(shrinking.rect_up(inner, level + skipped))
        sides = (outer.left(), outer.top(), outer.right(), outer.bottom())
        found.append(Detection(tuple(map(float, sides)), float(score)))  # type: ignore[arg-type]
    return found


def shrink_points(points: np.ndarray, factor: float) -> np.ndarray:
    """Bring points (..., 2) of the enlarged crop back to crop pixels; pixel centres are whole numbers in both."""
    return ((points + 0.5) / factor - 0.5).astype(np.float32)


def shrink_detection(face: Detection, factor: float) -> Detection:
    """Bring a detection in the enlarged crop back to crop pixels."""
    left, top, right, bottom = ((value + 0.5) / factor - 0.5 for value in face.box)
    return Detection((left, top, right, bottom), face.score)
