"""Frames of a clip, one after another, in constant memory."""

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Interpolation

from understudy.video.probe import Segment, open_video, timing

logger = logging.getLogger(__name__)

HD_HEIGHT = 720
"""From here on a file that does not name its colour matrix is taken for BT.709, as browsers do, else for BT.601."""

# ITU-T H.273 numbers of colour matrices; PyAV's enum does not name them all.
_BT709, _UNSPECIFIED, _BT601 = 1, 2, (5, 6)
SEEK_MARGIN = 10.0
"""Seconds that a second try begins earlier when a seek has landed too late."""

_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_709 = (0.2126, 0.0722)  # weights of red and blue in BT.709's luma

_LUMA_FIRST = {"yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p", "nv12", "gray"}
_DEEP_LUMA_FIRST = {f"yuv{kind}p{bits}le": bits for kind in (420, 422, 444) for bits in (10, 12)}


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame. `index` counts from the clip's first frame; `time` is in seconds of the file's own clock."""

    index: int
    pts: int
    time: float
    picture: av.VideoFrame

    def rgb(self, exact: bool = False) -> np.ndarray:
        """The upright picture, (H, W, 3) uint8, contiguous. It is made anew at each call.

        The quick way that swscale goes with BT.709 darkens every picture by about one level: nothing where faces are
        only searched, but seen beside the original. At 1280x720 it takes 1.2 ms; the exact way 3.5 ms for yuv420p,
        which returns the very same pixels when it is encoded again, and 9 ms for other formats.

        Args:
            exact: rounding is right to half a level: for pictures that are shown again.
        """
        picture = self.picture
        matrix = int(picture.colorspace)
        if matrix == _UNSPECIFIED:
            matrix = _BT709 if picture.height >= HD_HEIGHT else _BT601[0]
        limited = picture.color_range != ColorRange.JPEG
        even = picture.width % 2 == 0 and picture.height % 2 == 0
        if picture.format.name == "yuv420p" and limited and even and matrix in _BT601:
            # OpenCV knows this one kind only, and is a third faster than swscale at it.
            image = cv2.cvtColor(picture.to_ndarray(), cv2.COLOR_YUV2RGB_I420)
        elif exact and picture.format.name == "yuv420p" and limited and even and matrix == _BT709:
            image = _exact_709(picture.to_ndarray())
        elif picture.format.is_rgb:
            image = picture.to_ndarray(format="rgb24")
        else:
            way = _EXACT if exact else None
            image = picture.to_ndarray(format="rgb24", src_colorspace=matrix, dst_colorspace=matrix, interpolation=way)
        return _upright(image, picture.rotation)

    def luma(self) -> np.ndarray:
        """The upright brightness, (H, W) uint8, contiguous; as stored, so mostly between 16 and 235."""
        picture = self.picture
        name, plane = picture.format.name, picture.planes[0]
        if bits := _DEEP_LUMA_FIRST.get(name):
            deep = np.frombuffer(memoryview(plane), "<u2").reshape(-1, plane.line_size // 2)
            return _upright((deep[: picture.height, : picture.width] >> (bits - 8)).astype(np.uint8), picture.rotation)
        if name not in _LUMA_FIRST:
            return cv2.cvtColor(self.rgb(), cv2.COLOR_RGB2GRAY)
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)  # PyAV pads rows
        return _upright(rows[: picture.height, : picture.width], picture.rotation)


def decode(path: Path, segment: Segment | None = None) -> Generator[Frame, None, None]:
    """Yield the frames of a clip, or of one of its segments, in the order of showing.

    Packets that are damaged are left out with a warning, as players do.

    Raises:
        UserError: the file is missing or not a video.
    """
    index = segment.first_frame if segment else 0
    counted: tuple[int, ...] | None = None
    for time_base, picture in _pictures(path, segment):
        pts = picture.pts
        if pts is None:
            counted = counted or timing(path).pts
            pts = counted[index]
        yield Frame(index, pts, float(pts * time_base), picture)
        index += 1


def _pictures(path: Path, segment: Segment | None) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Yield a segment's pictures, with the time base of their pts.

    Some containers (MPEG-TS near its end, MPEG-PS, damaged indexes) seek to a place behind the one asked for: then
    begin earlier, at last from the file's start.
    """
    start = segment.start_pts if segment else None
    end = segment.end_pts if segment else None
    for margin in (0.0, SEEK_MARGIN, None):
        with open_video(path) as (container, stream):
            stream.thread_type = "SLICE"  # parallel work is done by processes, a segment each
            time_base = stream.time_base or Fraction(1, 90_000)
            if start is not None and margin is not None:
                container.seek(max(0, start - round(margin / time_base)), stream=stream, backward=True)
            found = start is None
            for picture in _decoded(container.demux(stream), path):
                if end is not None and picture.pts is not None and picture.pts >= end:
                    break
                if not found and start is not None:
                    if picture.pts is None or picture.pts < start:
                        continue
                    if picture.pts > start and margin is not None:
                        break
                    found = True
                yield time_base, picture
        if found:
            return


def _decoded(packets: Iterator[av.Packet], path: Path) -> Iterator[av.VideoFrame]:
    damaged = 0
    for packet in packets:
        try:
            pictures = packet.decode()
        except av.InvalidDataError:
            damaged += 1
            continue
        for picture in pictures:
            if isinstance(picture, av.VideoFrame):
                yield picture
    if damaged:
        logger.warning("%s: %d damaged packets were left out.", path, damaged)


def _exact_709(planes: np.ndarray) -> np.ndarray:
    """Limited-range I420 planes of BT.709, (H * 3/2, W), to RGB (H, W, 3), each chroma value for its four pixels."""
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    blue, red = (cv2.resize(plane, (width, height), interpolation=cv2.INTER_NEAREST) for plane in chroma)
    r, b = _709
    g = 1 - r - b
    step = 255 / 112 * np.array([[0, 1 - r], [-b * (1 - b) / g, -r * (1 - r) / g], [1 - b, 0]])  # of chroma
    luma = np.full((3, 1), 255 / 219)
    offset = -luma * 16 - step.sum(1, keepdims=True) * 128
    return cv2.transform(cv2.merge([planes[:height], blue, red]), np.hstack([luma, step, offset]))


def _upright(image: np.ndarray, rotation: float) -> np.ndarray:
    """Turn by the display matrix's angle (degrees anticlockwise), which phones write instead of turning pixels."""
    return np.ascontiguousarray(np.rot90(image, round(rotation / 90) % 4))
