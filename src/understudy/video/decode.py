"""Frames of a clip, one after another, in constant memory."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from understudy.video.probe import Segment, open_video, timing

logger = logging.getLogger(__name__)

HD_HEIGHT = 720
"""From here on a file that does not name its colour matrix is taken for BT.709, as browsers do, else for BT.601."""

# ITU-T H.273 numbers of colour matrices; PyAV's enum does not name them all.
_BT709, _UNSPECIFIED, _BT601 = 1, 2, (5, 6)
_LUMA_FIRST = {"yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p", "nv12", "gray"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded frame. `index` counts from the clip's first frame; `time` is in seconds of the file's own clock."""

    index: int
    pts: int
    time: float
    picture: av.VideoFrame

    def rgb(self) -> np.ndarray:
        """The upright picture, (H, W, 3) uint8, contiguous. It is made anew at each call."""
        picture = self.picture
        matrix = int(picture.colorspace)
        if matrix == _UNSPECIFIED:
            matrix = _BT709 if picture.height >= HD_HEIGHT else _BT601[0]
        limited = picture.color_range != ColorRange.JPEG
        even = picture.width % 2 == 0 and picture.height % 2 == 0
        if picture.format.name == "yuv420p" and limited and even and matrix in _BT601:
            # OpenCV knows this one kind only, and is a third faster than swscale at it.
            image = cv2.cvtColor(picture.to_ndarray(), cv2.COLOR_YUV2RGB_I420)
        elif picture.format.is_rgb:
            image = picture.to_ndarray(format="rgb24")
        else:
            image = picture.to_ndarray(format="rgb24", src_colorspace=matrix, dst_colorspace=matrix)
        return _upright(image, picture.rotation)

    def luma(self) -> np.ndarray:
        """The upright brightness, (H, W) uint8, contiguous; as stored, so mostly between 16 and 235."""
        picture = self.picture
        if picture.format.name not in _LUMA_FIRST:
            return cv2.cvtColor(self.rgb(), cv2.COLOR_RGB2GRAY)
        plane = picture.planes[0]
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # PyAV pads rows
        return _upright(rows[: picture.height, : picture.width], picture.rotation)


def decode(path: Path, segment: Segment | None = None) -> Iterator[Frame]:
    """Yield the frames of a clip, or of one of its segments, in the order of showing.

    Packets that are damaged are left out with a warning, as players do.

    Raises:
        UserError: the file is missing or not a video.
    """
    if segment is None:
        yield from _decode(path, None, None, 0, seek=False)
        return
    yield from _decode(path, segment.start_pts, segment.end_pts, segment.first_frame, seek=True)


def _decode(path: Path, start: int | None, end: int | None, index: int, seek: bool) -> Iterator[Frame]:
    """Yield frames with `start <= pts < end`, numbered from `index`."""
    with open_video(path) as (container, stream):
        stream.thread_type = "SLICE"  # parallel work is done by processes, a segment each
        time_base = stream.time_base
        unstamped: Iterator[int] | None = None
        if seek and start is not None:
            container.seek(start, stream=stream, backward=True)
        late = False
        for picture in _pictures(container.demux(stream), path):
            pts = picture.pts
            if pts is None or unstamped is not None:
                unstamped = unstamped if unstamped is not None else iter(timing(path).pts[index:])
                pts = next(unstamped)
            if start is not None and pts < start:
                seek = False  # the seek landed at or before the start, as it should
                continue
            if seek and start is not None and pts > start:
                late = True
                break
            seek = False
            if end is not None and pts >= end:
                return
            yield Frame(index, pts, float(pts * time_base) if time_base else 0.0, picture)
            index += 1
    if late:  # some containers (MPEG-PS, damaged indexes) seek inexactly: read from the beginning instead
        yield from _decode(path, start, end, index, seek=False)


def _pictures(packets: Iterator[av.Packet], path: Path) -> Iterator[av.VideoFrame]:
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


def _upright(image: np.ndarray, rotation: float) -> np.ndarray:
    """Turn by the display matrix's angle (degrees anticlockwise), which phones write instead of turning pixels."""
    return np.ascontiguousarray(np.rot90(image, round(rotation / 90) % 4))
