"""Finding the watermark in a file that may have been encoded and resized since.

The blocks lie on a grid of the picture's size when it was marked. That is not known of a file without credentials, so
likely sizes are tried: its own, those of usual resizes, those of usual heights.

False alarms: a file counts as marked when 15 of the 16 marker bits are right and the votes agree with the marker by
0.12. In 2,155 readings of 32 foreign clips and 15 foreign pictures at all these sizes, 99 of 100 agreed by less than
0.056 and none by more than 0.080; 14 bits were right at most (15 in one reading of fewer frames). Drawn ramps of grey
agree by up to 0.43 at single sizes, with 13 bits right.

After H.264 at CRF 23 and a 0.75 resize, four filmed clips of 360x288 and a portrait of 512x512 agreed by 0.29 to 0.46,
a portrait shaken by a pixel a frame by 0.14 to 0.16.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from understudy.progress import track
from understudy.provenance.watermark import MARKER, MARKER_BITS, can_mark, from_bits, to_bits, votes
from understudy.video.decode import decode
from understudy.video.probe import Segment, segments

FRAMES = 36
"""Frames of a video that are looked at."""

PLACES, STRIDE = 6, 3
"""They are taken at this many places, spread over it: every third one, or closer together in a short video."""

SCALES = (*(Fraction(part, 100) for part in range(25, 100, 5)), Fraction(1, 3), Fraction(2, 3))
"""Usual resizes, whose inverses are tried; and the enlargements that they are the inverse of, from a half."""

HEIGHTS = (240, 288, 360, 480, 512, 540, 576, 720, 768, 1024, 1080, 1440, 2160)
LARGEST, MOST_ENLARGED = 4096, 4
FIRST_LOOK = 4
"""Pictures with which all sizes are tried; the `FINALISTS` best are then read from all pictures."""

FINALISTS = 5
CERTAIN = 0.4
"""At this agreement, and with all marker bits right, no further size is tried."""

LEAST_BITS, LEAST_AGREEMENT = 15, 0.12
_WRITTEN = 2 * to_bits(MARKER << MARKER_BITS)[:MARKER_BITS] - 1  # -1 and 1


@dataclass(frozen=True)
class Mark:
    """The best reading of a watermark.

    Args:
        found: whether it is this project's.
        payload: the 32 bits as read.
        marker_bits: how many of the 16 marker bits are right.
        agreement: of the votes with the marker, about 0 in a foreign file, at most 1.
        width: of the picture when it was marked.
        height: of the picture when it was marked.
        frames: pictures looked at.
        sizes: how many sizes were tried.
    """

    found: bool
    payload: int
    marker_bits: int
    agreement: float
    width: int
    height: int
    frames: int
    sizes: int


def search(pictures: Sequence[np.ndarray]) -> Mark | None:
    """Read the watermark out of pictures of one size, RGB uint8 (H, W, 3); None when they are too small for one."""
    height, width = pictures[0].shape[:2]
    sizes = list(candidates(height, width))
    if not sizes:
        return None
    few = pictures[:: -(-len(pictures) // FIRST_LOOK)]
    tried = []
    for size in track(sizes, "Looking for the watermark (sizes)"):
        agreement, bits = read(few, size)
        tried.append((agreement, size))
        if agreement >= CERTAIN and _right(bits) == MARKER_BITS:
            break
    finalists = [size for _, size in sorted(tried, reverse=True)[:FINALISTS]]
    readings = [(*read(pictures, size), size) for size in finalists]
    agreement, bits, size = max(readings, key=lambda reading: reading[0])
    right = _right(bits)
    return Mark(
        found=right >= LEAST_BITS and agreement >= LEAST_AGREEMENT,
        payload=from_bits(bits),
        marker_bits=right,
        agreement=agreement,
        width=size[1],
        height=size[0],
        frames=len(pictures),
        sizes=len(tried),
    )


def read(pictures: Sequence[np.ndarray], size: tuple[int, int]) -> tuple[float, np.ndarray]:
    """Read pictures, each brought to `size` (height, width) first.

    Returns:
        The agreement of their votes with the marker, and the 32 bits (32,) bool.
    """
    mean = np.mean([votes(_resized(picture, size)) for picture in pictures], 0)  # 32, complex
    turn = (mean[:MARKER_BITS] * _WRITTEN).mean()  # its angle is common to all bits, see `votes`
    return float(abs(turn)), (mean * np.conj(turn)).real > 0


def _right(bits: np.ndarray) -> int:
    """How many of the marker's bits are right."""
    return int((bits[:MARKER_BITS] == (_WRITTEN > 0)).sum())


def candidates(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Sizes (height, width) that a picture of this size may have had when it was marked, its own first."""
    factors = [Fraction(1), *(1 / scale for scale in SCALES), *(scale for scale in SCALES if scale >= Fraction(1, 2))]
    factors += [Fraction(high, height) for high in HEIGHTS]
    seen = set()
    for factor in factors:
        high, wide = round(height * factor), round(width * factor)
        # The number of columns of blocks must be right: an encoder may have added or taken a pixel.
        for near in (wide, wide - 1, wide + 1):
            key = (high // 2, near // 8)
            if key not in seen and can_mark(high, near) and max(high, near) <= LARGEST and factor <= MOST_ENLARGED:
                seen.add(key)
                yield high, near


def sample_video(path: Path) -> list[np.ndarray]:
    """A few frames from places spread over a video, RGB uint8 (H, W, 3).

    Raises:
        UserError: it is not a video.
    """
    pieces = segments(path, seconds=0)
    chosen = np.unique(np.linspace(0, len(pieces) - 1, min(PLACES, len(pieces))).round().astype(int))
    each = -(-FRAMES // len(chosen))
    return [picture for number in chosen for picture in _frames(path, pieces[number], each)]


def _frames(path: Path, piece: Segment, count: int) -> Iterator[np.ndarray]:
    stride = min(STRIDE, max(1, piece.frames // count))
    for frame in islice(decode(path, piece), 0, stride * count, stride):
        yield frame.rgb()


def _resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if picture.shape[:2] == size:
        return picture
    shrinks = size[0] < picture.shape[0]
    return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
