"""Following the face through a clip, and the one that was put in its place through the swap.

Each video has a tracker of its own, which looks at nothing but its pictures: what the swap's renderer knew about the
place of the face is not used, so that errors of that show.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from understudy.faces.boxes import Box
from understudy.faces.config import FacesConfig
from understudy.faces.describe import eye_open, head_pose, mouth_open
from understudy.faces.landmarks import eye_distance
from understudy.faces.track import Tracked, Tracker
from understudy.video.decode import Frame

NEAR = 1.0
"""The swap's face is looked for up to this many widths of the original's box away from its edges."""

GREY = 128

LOOK = FacesConfig(verify_every=1)
"""Every face is confirmed by the detector in its own frame; the whole frame is searched now and then."""

POSE = ("yaw", "pitch", "roll")
HELD = (*POSE, "mouth", "eyes")
"""What is read off the landmarks of each frame: degrees, then ratios as in the faceset's columns."""


@dataclass(frozen=True)
class Seen:
    """A frame of one video, and the face in it.

    Args:
        rgb: uint8 (H, W, 3).
        luma: uint8 (H, W).
        face: None when none was found.
    """

    rgb: np.ndarray
    luma: np.ndarray
    face: Tracked | None


class Follower:
    """The face of one video, frame by frame.

    Args:
        wanted: embedding of the person to follow, (128,); None follows the widest face.
    """

    def __init__(self, wanted: np.ndarray | None = None) -> None:
        self._tracker = Tracker(LOOK, wanted)
        self._points: deque[np.ndarray | None] = deque(maxlen=3)

    def see(self, frame: Frame, near: Box | None = None) -> Seen:
        """Look at the next frame; with `near`, only around that box."""
        rgb, luma = frame.rgb(), frame.luma()
        searched = luma if near is None else only_near(luma, near)
        face = self._tracker.follow(searched, lambda: rgb)
        self._points.append(None if face is None else face.landmarks)
        return Seen(rgb, luma, face)

    def skip(self) -> None:
        """Say that frames were left out: what follows is no movement."""
        self._points.clear()

    def tremble(self) -> float:
        """Mean second difference of the 68 landmarks over the latest three frames, in distances of the eyes.

        NaN until three frames in a row have shown the face. A steady movement has none, jitter much of it.
        """
        if len(self._points) < 3:
            return float("nan")
        first, middle, last = self._points
        if first is None or middle is None or last is None:
            return float("nan")
        second = np.linalg.norm(first - 2 * middle + last, axis=1)  # (68,)
        return float(second.mean()) / eye_distance(middle)


def held(face: Tracked | None) -> dict[str, float]:
    """How the head, the mouth and the eyes are held, `HELD`; NaN without a face."""
    if face is None:
        return dict.fromkeys(HELD, float("nan"))
    points = face.landmarks
    return dict(zip(HELD, (*head_pose(points), mouth_open(points), eye_open(points)), strict=True))


def apart(before: Tracked | None, after: Tracked | None) -> float:
    """Mean distance of 68 landmarks of two faces, in distances of the first one's eyes; NaN without a face."""
    if before is None or after is None:
        return float("nan")
    return float(np.linalg.norm(before.landmarks - after.landmarks, axis=1).mean()) / eye_distance(before.landmarks)


def only_near(luma: np.ndarray, box: Box) -> np.ndarray:
    """The frame with everything grey that is far from the box, so that nobody else is taken for the swap."""
    reach = NEAR * (box[2] - box[0])
    rows = slice(max(0, int(box[1] - reach)), max(0, int(box[3] + reach)))
    columns = slice(max(0, int(box[0] - reach)), max(0, int(box[2] + reach)))
    kept = np.full_like(luma, GREY)
    kept[rows, columns] = luma[rows, columns]
    return kept
