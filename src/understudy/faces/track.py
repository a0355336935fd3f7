"""Following one face from frame to frame.

Detection is what costs most, so it is done seldom: the landmarks of a frame say where the face is in the next. dlib's
detector looks at the region around the face every few frames, and at the whole frame now and then, after a cut, and
when the face was lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from understudy.faces.boxes import Box, changed, overlap, region, rescale, resize, thumbnail
from understudy.faces.config import FacesConfig
from understudy.faces.detect import Detection, detect
from understudy.faces.landmarks import eye_centres, eye_distance, predict
from understudy.faces.recognise import CUT, SURE, Picture, Recogniser

WINDOW = 80
"""Narrowest face in pixels that dlib's detector finds."""

COMFORT = 100
"""A known face is scaled to this width before it is looked for again."""

COARSE = 640
"""Longest side in pixels of the quick search over a frame."""

LENIENT = -0.4
"""Score that is enough where a face was a moment ago."""

MOVES = 0.01
"""Share of the face's width from which a change of place counts as a movement."""

LEARN = 0.3
"""Share of a new finding in the average box: the detector knows only widths that differ by a fifth."""

FINE_BOX = 400
"""A face is scaled to this width for the landmarks, since dlib rounds these to whole pixels."""

GRAIN = 0.008
"""Sigma, in widths of the face, of the blur that takes the noise out before landmarks are predicted. With it a still
face in noise of 2 steps of luma trembles by a quarter less, and the landmarks shift by 1 % of the eyes' distance."""


@dataclass(frozen=True)
class Tracked:
    """A face in a frame: the detector's box and its latest score, and 68 landmarks in frame pixels (68, 2).

    `recognised` says that this very frame's face was compared with the person wanted.
    """

    found: Detection
    landmarks: np.ndarray
    recognised: bool = False


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
    """Follows one face through the frames of a clip.

    Where a track begins (in the first frame, after a cut, when the face was lost), the person wanted is picked by
    embedding, or the widest face when nobody in particular is wanted; from then on the face that overlaps best.

    Args:
        config: how often to search.
        wanted: embedding of the person, (128,), or None.

    Attributes:
        others: whether the search of the latest frame, if there was one, saw somebody who is not followed.
        crowded: whether the latest search did, in whatever frame that was.
    """

    def __init__(self, config: FacesConfig, wanted: np.ndarray | None = None) -> None:
        self.config = config
        self.others = self.crowded = False
        self._recogniser = Recogniser(wanted, config.identity_tolerance, config.embed_every)
        self._last: Tracked | None = None
        self._anchor = Anchor(0.0, np.zeros(2))
        self._patch: np.ndarray | None = None
        self._motion = np.zeros(2)
        self._since_search = 0
        self._since_verify = 0
        self._lost = 0

    def follow(self, luma: np.ndarray, picture: Picture | None = None) -> Tracked | None:
        """The face in the next frame, or None.

        Args:
            luma: uint8 (H, W).
            picture: makes the same frame in colour, for embeddings; without it the widest face is followed.
        """
        self.others = False
        carried = self._carry(luma)
        face = self._search(luma, picture) if carried is None else carried
        if face is None:
            self.drop()
            return None
        self._lost = 0
        self._motion = self._moved(face)
        self._last, self._patch = face, thumbnail(luma, self._anchor.box(face.landmarks))
        return face

    def drop(self) -> None:
        """Give up the face that is followed: the next frame is searched anew."""
        self._last, self._patch = None, None
        self._motion = np.zeros(2)

    def judge(self, embeddings: np.ndarray) -> np.ndarray:
        """Whether each of the embeddings (N, 128) is of the person wanted, (N,) bool."""
        return self._recogniser.distances(embeddings) <= self.config.identity_tolerance

    def _moved(self, face: Tracked) -> np.ndarray:
        """How far the face has moved since the last frame, (2,): where it is looked for in the next, and not behind.

        Landmarks are drawn towards the box. What a still face trembles is no movement.
        """
        moved = np.zeros(2) if self._last is None else _eyes(face.landmarks) - _eyes(self._last.landmarks)
        return moved if np.linalg.norm(moved) > MOVES * self._anchor.width else np.zeros(2)

    def _carry(self, luma: np.ndarray) -> Tracked | None:
        """The face found from where it was in the last frame, or None when the whole frame must be searched."""
        last = self._last
        self._since_search += 1
        self._since_verify += 1
        if last is None or self._patch is None or self._since_search >= self.config.redetect_every:
            return None
        box = self._anchor.box(last.landmarks + self._motion)
        if changed(self._patch, thumbnail(luma, box)) > CUT:
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

    def _search(self, luma: np.ndarray, picture: Picture | None) -> Tracked | None:
        """Search the whole frame; stay with the face that was followed when it is still there, or begin a track."""
        self._since_search = self._since_verify = 0
        if self._last is not None:
            here = self._anchor.box(self._last.landmarks + self._motion)
            faces = search_frame(luma, self._scales(luma))
            near = [face for face in faces if overlap(face.box, here) > 0.3]
            found = max(near, key=lambda face: overlap(face.box, here), default=None) or _look_around(luma, here)
            landmarks = predict_fine(luma, here)
            if found is not None and _plausible(self._last.landmarks, landmarks, self._anchor):
                self._count_others(faces, found)
                self._anchor = self._anchor.learn(found, landmarks)
                return Tracked(found, landmarks)
            self._last = None
            found = self._begin(luma, picture, near or faces) or self._begin(luma, picture, faces)
        else:
            found = None
            for scale in self._scales(luma):
                found = found or self._begin(luma, picture, search_frame(luma, [scale]))
        if found is None:
            self._lost += 1
            return None
        landmarks = predict_fine(luma, found.box)
        self._anchor = Anchor(found.width, (np.array(found.centre) - _eyes(landmarks)) / found.width)
        return Tracked(found, landmarks, recognised=True)

    def _begin(self, luma: np.ndarray, picture: Picture | None, faces: Sequence[Detection]) -> Detection | None:
        found = self._recogniser.pick(faces, luma, picture)
        self._count_others(faces, found)
        return found

    def _count_others(self, faces: Sequence[Detection], followed: Detection | None) -> None:
        self.crowded = any(
            face.score >= SURE and (followed is None or overlap(face.box, followed.box) < 0.3) for face in faces
        )
        self.others = self.others or self.crowded

    def _scales(self, luma: np.ndarray) -> list[float]:
        """Scales at which to search: quick first, then fine enough for the smallest face."""
        coarse, finest = search_scales(luma, self.config.min_face)
        if self._last is not None:
            known = COMFORT / max(self._last.found.width, 1.0)
            return [min(finest, max(coarse, known))]
        # Where no face is, the fine search is what costs: do it in the first frame, then in every fifth.
        return [coarse, finest] if coarse < finest and self._lost % 5 == 0 else [coarse]


def search_scales(luma: np.ndarray, min_face: int) -> tuple[float, float]:
    """The scales of a quick search over a frame, and of one that is fine enough for the smallest face."""
    finest = WINDOW / min_face
    return min(finest, COARSE / max(luma.shape)), finest


def predict_fine(luma: np.ndarray, box: Box) -> np.ndarray:
    """68 landmarks (68, 2) in frame pixels with fractions: the face is brought to `FINE_BOX` and rid of noise first."""
    width = max(box[2] - box[0], 1.0)
    part, origin, _ = region(luma, box, 1.6, 1.0)
    scale = FINE_BOX / width
    if scale > 1:  # the trees compare single pixels; making a picture smaller averages them anyway
        part = cv2.GaussianBlur(part, (0, 0), min(GRAIN * width, 1.6))
    inside = [(value - offset + 0.5) * scale - 0.5 for value, offset in zip(box, (*origin, *origin), strict=True)]
    return ((predict(resize(part, scale), inside) + 0.5) / scale - 0.5 + origin).astype(np.float32)


def search_frame(luma: np.ndarray, scales: Sequence[float]) -> list[Detection]:
    """All faces at the first of the scales at which there are any, in frame pixels."""
    for scale in scales:
        if found := [rescale(face, scale, (0, 0)) for face in detect(resize(luma, scale))]:
            return found
    return []


def _look_around(luma: np.ndarray, box: Box) -> Detection | None:
    """The detector's finding in a region of twice the box, scaled so that the face has a comfortable size."""
    part, origin, scale = region(luma, box, 2.0, COMFORT / max(box[2] - box[0], 1.0))
    found = [rescale(face, scale, origin) for face in detect(part, threshold=LENIENT)]
    near = [face for face in found if overlap(face.box, box) > 0.3]
    return max(near, key=lambda face: face.score, default=None)


def _plausible(before: np.ndarray, after: np.ndarray, anchor: Anchor) -> bool:
    """Whether a face can have moved so between two frames, and its landmarks fit the detector's box.

    The distance of the eyes was 0.33 to 0.47 of the box's width on 135 frames of five people.
    """
    growth = eye_distance(after) / max(eye_distance(before), 1e-6)
    shift = float(np.linalg.norm(_eyes(after) - _eyes(before))) / anchor.width
    return 0.8 < growth < 1.25 and shift < 0.25 and 0.22 < eye_distance(after) / anchor.width < 0.6


def _eyes(landmarks: np.ndarray) -> np.ndarray:
    """The middle between the eyes, (2,)."""
    left, right = eye_centres(landmarks)
    return (left + right) / 2
