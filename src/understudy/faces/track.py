"""Following one face from frame to frame.

Detection is what costs most, so it is done seldom: the landmarks of a frame say where the face is in the next. dlib's
detector looks at the region around the face every few frames, and at the whole frame now and then, after a cut, and
when the face was lost.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from understudy.faces.config import FacesConfig
from understudy.faces.detect import Detection, detect, widest
from understudy.faces.landmarks import LEFT_EYE, RIGHT_EYE, eye_distance, predict

Box = tuple[float, float, float, float]

WINDOW = 80
"""Narrowest face in pixels that dlib's detector finds."""

COMFORT = 100
"""A known face is scaled to this width before it is looked for again."""

COARSE = 640
"""Longest side in pixels of the quick search over a frame."""

LENIENT = -0.4
"""Score that is enough where a face was a moment ago."""

CUT = 30.0
"""Mean change of luma around the face from which a frame counts as a new shot."""

LEARN = 0.3
"""Share of a new finding in the average box: the detector knows only widths that differ by a fifth."""

FINE_BOX = 240
"""Smaller faces are enlarged to this width for the landmarks, since dlib rounds these to whole pixels."""


@dataclass(frozen=True)
class Tracked:
    """A face in a frame: the detector's box and its latest score, and 68 landmarks in frame pixels (68, 2)."""

    found: Detection
    landmarks: np.ndarray


@dataclass(frozen=True)
class Anchor:
    """How the detector's box lies to the eyes of the face that is followed, averaged over its latest findings.

    The box for the next frame takes its place from the landmarks but its size from the detector alone. A box sized by
    the landmarks that it led to would run away: too large a box makes for landmarks that are too far apart.
    """

    width: float
    offset: np.ndarray  # from the middle of the eyes to the box's centre, in widths

    def box(self, landmarks: np.ndarray) -> Box:
        """The box around landmarks (68, 2)."""
        x, y = _eyes(landmarks) + self.offset * self.width
        half = self.width / 2
        return float(x - half), float(y - half), float(x + half), float(y + half)

    def learn(self, found: Detection, landmarks: np.ndarray) -> "Anchor":
        """Take a new finding into the average."""
        width = self.width + LEARN * (found.width - self.width)
        offset = (np.array(found.centre) - _eyes(landmarks)) / width
        return Anchor(width, self.offset + LEARN * (offset - self.offset))


class Tracker:
    """Follows one face through the frames of a clip; at first the largest, then the one that overlaps best.

    Args:
        config: how often to search.
    """

    def __init__(self, config: FacesConfig) -> None:
        self.config = config
        self._last: Tracked | None = None
        self._anchor = Anchor(0.0, np.zeros(2))
        self._patch: np.ndarray | None = None
        self._since_search = 0
        self._since_verify = 0
        self._lost = 0

    def follow(self, luma: np.ndarray) -> Tracked | None:
        """The face in the next frame, or None.

        Args:
            luma: uint8 (H, W).
        """
        carried = self._carry(luma)
        face = self._search(luma) if carried is None else carried
        if face is None:
            self._last, self._patch = None, None
            return None
        self._lost = 0
        self._last, self._patch = face, _patch(luma, self._anchor.box(face.landmarks))
        return face

    def _carry(self, luma: np.ndarray) -> Tracked | None:
        """The face found from where it was in the last frame, or None when the whole frame must be searched."""
        last = self._last
        self._since_search += 1
        self._since_verify += 1
        if last is None or self._patch is None or self._since_search >= self.config.redetect_every:
            return None
        box = self._anchor.box(last.landmarks)
        if np.abs(_patch(luma, box).astype(np.int16) - self._patch).mean() > CUT:
            self._last = None
            return None
        landmarks = predict_fine(luma, box)
        if not _plausible(last.landmarks, landmarks, self._anchor):
            return None
        if self._since_verify < self.config.verify_every:
            return Tracked(Detection(self._anchor.box(landmarks), last.found.score), landmarks)
        found = _look_around(luma, self._anchor.box(landmarks))
        if found is None:
            return None
        self._since_verify = 0
        self._anchor = self._anchor.learn(found, landmarks)
        return Tracked(found, landmarks)

    def _search(self, luma: np.ndarray) -> Tracked | None:
        """Search the whole frame, and stay with the face that was followed when it is still there."""
        faces = _search_frame(luma, self._scales(luma))
        if self._last is not None:
            here = self._anchor.box(self._last.landmarks)
            near = [face for face in faces if overlap(face.box, here) > 0.3]
            found = max(near, key=lambda face: overlap(face.box, here), default=None) or _look_around(luma, here)
            landmarks = predict_fine(luma, here)
            if found is not None and _plausible(self._last.landmarks, landmarks, self._anchor):
                self._since_search = self._since_verify = 0
                self._anchor = self._anchor.learn(found, landmarks)
                return Tracked(found, landmarks)
            faces = near or faces
        found = widest(faces)
        if found is None:
            self._lost += 1
            return None
        self._since_search = self._since_verify = 0
        landmarks = predict_fine(luma, found.box)
        self._anchor = Anchor(found.width, (np.array(found.centre) - _eyes(landmarks)) / found.width)
        return Tracked(found, landmarks)

    def _scales(self, luma: np.ndarray) -> list[float]:
        """Scales at which to search: quick first, then fine enough for the smallest face."""
        finest = WINDOW / self.config.min_face
        coarse = min(finest, COARSE / max(luma.shape))
        if self._last is not None:
            known = COMFORT / max(self._last.found.width, 1.0)
            return [min(finest, max(coarse, known))]
        # Where no face is, the fine search is what costs: do it in the first frame, then in every fifth.
        return [coarse, finest] if coarse < finest and self._lost % 5 == 0 else [coarse]


def predict_fine(luma: np.ndarray, box: Box) -> np.ndarray:
    """68 landmarks (68, 2) in frame pixels with fractions: a small face is enlarged first."""
    region, origin, scale = _region(luma, box, 1.6, max(1.0, FINE_BOX / max(box[2] - box[0], 1.0)))
    inside = [(value - offset + 0.5) * scale - 0.5 for value, offset in zip(box, (*origin, *origin), strict=True)]
    return ((predict(region, inside) + 0.5) / scale - 0.5 + origin).astype(np.float32)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def _search_frame(luma: np.ndarray, scales: list[float]) -> list[Detection]:
    for scale in scales:
        if found := [_rescale(face, scale, (0, 0)) for face in detect(_resize(luma, scale))]:
            return found
    return []


def _look_around(luma: np.ndarray, box: Box) -> Detection | None:
    """The detector's finding in a region of twice the box, scaled so that the face has a comfortable size."""
    region, origin, scale = _region(luma, box, 2.0, COMFORT / max(box[2] - box[0], 1.0))
    found = [_rescale(face, scale, origin) for face in detect(region, threshold=LENIENT)]
    near = [face for face in found if overlap(face.box, box) > 0.3]
    return max(near, key=lambda face: face.score, default=None)


def _region(luma: np.ndarray, box: Box, times: float, scale: float) -> tuple[np.ndarray, tuple[int, int], float]:
    """The part of a frame around a box, `times` as wide, scaled; with its origin in the frame and the scale."""
    height, width = luma.shape
    half = times * (box[2] - box[0]) / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, right = (int(np.clip(value, 0, width)) for value in (x - half, x + half + 1))
    top, bottom = (int(np.clip(value, 0, height)) for value in (y - half, y + half + 1))
    if right - left < 8 or bottom - top < 8:  # the face has left the frame: a region without a face
        return np.zeros((8, 8), np.uint8), (left, top), scale
    return _resize(luma[top:bottom, left:right], scale), (left, top), scale


def _resize(luma: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0:
        return np.ascontiguousarray(luma)
    size = max(1, round(luma.shape[1] * scale)), max(1, round(luma.shape[0] * scale))
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _rescale(face: Detection, scale: float, origin: tuple[int, int]) -> Detection:
    left, top, right, bottom = (
        (value + 0.5) / scale - 0.5 + offset for value, offset in zip(face.box, (*origin, *origin), strict=True)
    )
    return Detection((left, top, right, bottom), face.score)


def _plausible(before: np.ndarray, after: np.ndarray, anchor: Anchor) -> bool:
    """Whether a face can have moved so between two frames, and its landmarks fit the detector's box.

    The distance of the eyes was 0.33 to 0.47 of the box's width on 135 frames of five people.
    """
    growth = eye_distance(after) / max(eye_distance(before), 1e-6)
    shift = float(np.linalg.norm(_eyes(after) - _eyes(before))) / anchor.width
    return 0.8 < growth < 1.25 and shift < 0.25 and 0.22 < eye_distance(after) / anchor.width < 0.6


def _eyes(landmarks: np.ndarray) -> np.ndarray:
    """The middle between the eyes, (2,)."""
    return (landmarks[LEFT_EYE].mean(0) + landmarks[RIGHT_EYE].mean(0)) / 2


def _patch(luma: np.ndarray, box: Box) -> np.ndarray:
    return cv2.resize(_region(luma, box, 1.5, 1.0)[0], (16, 16), interpolation=cv2.INTER_AREA)
