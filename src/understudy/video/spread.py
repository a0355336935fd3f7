"""A few frames of a clip, spread over it, without decoding the rest."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from understudy.video.decode import Frame, decode
from understudy.video.probe import Segment, Timing, timing

REACH = 60
"""Frames that are decoded behind a keyframe at most, in clips that have few of them."""


def spread(path: Path, count: int) -> Iterator[Frame]:
    """Yield up to `count` frames spread evenly over a clip, most often keyframes, which alone cost one frame each.

    A clip with few keyframes is looked at near these, so that its cost is bounded.

    Raises:
        UserError: the file is missing or not a video.
    """
    shown = timing(path)
    for key, number in _places(shown, count):
        start = shown.pts[key] if key else None
        with closing(decode(path, Segment(path, start, None, key, len(shown.pts) - key))) as frames:
            frame = next((frame for frame in frames if frame.index >= number), None)
        if frame is not None:
            yield frame


def _places(shown: Timing, count: int) -> list[tuple[int, int]]:
    """Frames to show, each with the keyframe that decoding begins at, by number."""
    total = len(shown.pts)
    at = {pts: number for number, pts in enumerate(shown.pts)}
    keys = np.array([0, *(at[key] for key in shown.keyframes if at[key])])
    slot = total / count
    places = set()
    for middle in ((np.arange(min(count, total)) + 0.5) * total / min(count, total)).astype(int):
        nearest = int(keys[np.abs(keys - middle).argmin()])
        if abs(nearest - middle) <= slot / 2:
            places.add((nearest, nearest))
        else:
            before = int(keys[keys <= middle].max())
            places.add((before, min(int(middle), before + REACH)))
    return sorted(places, key=lambda place: place[1])
