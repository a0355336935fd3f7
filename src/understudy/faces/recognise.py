"""Telling the person wanted from everybody else in a frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from understudy.faces.boxes import Box, changed, overlap, thumbnail
from understudy.faces.detect import Detection, widest
from understudy.faces.embedding import chip, load_embedder
from understudy.faces.landmarks import predict5

CUT = 30.0
"""Mean change of luma around a face from which a frame counts as a new shot."""

SURE = 0.3
"""Findings with a lower score are most often no face: they are looked at, but not counted as somebody."""

Picture = Callable[[], np.ndarray]
"""Makes the frame as RGB uint8 (H, W, 3); called only when colours are needed."""


@dataclass(frozen=True)
class _Stranger:
    """Somebody else: where, what it looked like there, and how many searches ago it was embedded."""

    box: Box
    patch: np.ndarray
    age: int


class Recogniser:
    """Picks the person wanted out of the findings of a search.

    An embedding costs as much as half a search, so somebody who was found to be somebody else is not embedded again at
    once where nothing has changed.

    Args:
        wanted: embedding of the person, (128,); None takes the widest face instead.
        tolerance: largest distance of the same person.
        every: searches after which a stranger is looked at again.
    """

    def __init__(self, wanted: np.ndarray | None, tolerance: float, every: int) -> None:
        self.wanted = None if wanted is None else np.asarray(wanted, np.float64)
        self.tolerance = tolerance
        self.every = every
        self._strangers: list[_Stranger] = []

    def pick(self, faces: Sequence[Detection], luma: np.ndarray, picture: Picture | None) -> Detection | None:
        """The finding that shows the person, or None.

        Args:
            faces: what was found in the frame.
            luma: uint8 (H, W).
            picture: makes the frame in colour.
        """
        if self.wanted is None or picture is None:
            return widest(faces)
        known = [self._known(face, luma) for face in faces]
        fresh = [face for face, stranger in zip(faces, known, strict=True) if stranger is None]
        away = self.distances(embed_boxes(picture(), [face.box for face in fresh])) if fresh else np.empty(0)
        self._strangers = [stranger for stranger in known if stranger is not None]
        self._strangers += [
            _Stranger(face.box, thumbnail(luma, face.box), 0)
            for face, distance in zip(fresh, away, strict=True)
            if distance > self.tolerance
        ]
        if not len(away) or away.min() > self.tolerance:
            return None
        return fresh[int(away.argmin())]

    def distances(self, vectors: np.ndarray) -> np.ndarray:
        """Distances of embeddings (N, 128) to the person's; noughts when nobody in particular is wanted."""
        if self.wanted is None:
            return np.zeros(len(vectors))
        return np.linalg.norm(vectors.astype(np.float64) - self.wanted, axis=1)

    def _known(self, face: Detection, luma: np.ndarray) -> _Stranger | None:
        """The stranger that a finding is likely to be, one search older."""
        for stranger in self._strangers:
            if overlap(face.box, stranger.box) > 0.5 and stranger.age + 1 < self.every:
                patch = thumbnail(luma, face.box)
                if changed(stranger.patch, patch) < CUT:
                    return replace(stranger, box=face.box, patch=patch, age=stranger.age + 1)
        return None


def cut_chips(rgb: np.ndarray, boxes: Sequence[Box]) -> list[np.ndarray]:
    """Chips for the embedder of the faces in boxes of a frame, as face_recognition cuts them."""
    return [chip(rgb, predict5(rgb, box)) for box in boxes]


def embed_boxes(rgb: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """Embed the faces in boxes of a frame, (N, 128) float32: what face_recognition does at the same boxes."""
    return load_embedder().embed_chips(np.stack(cut_chips(rgb, boxes)))
