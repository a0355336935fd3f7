"""Videos that every browser plays: H.264, yuv420p, index first, the original's timing and sound."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from understudy.video.audio import AudioCopy, encode_audio
from understudy.video.decode import HD_HEIGHT
from understudy.video.probe import Timing, open_video, timing

logger = logging.getLogger(__name__)

_LUMA_WEIGHTS = {601: (0.299, 0.587, 0.114), 709: (0.2126, 0.7152, 0.0722)}
_TAG = {601: 6, 709: 1}  # ITU-T H.273 numbers of matrix, primaries and transfer


class VideoWriter:
    """Encodes RGB pictures of one size into an open container; use `open_writer`."""

    def __init__(self, container: OutputContainer, stream: VideoStream, size: tuple[int, int]) -> None:
        self.container = container
        self.stream = stream
        self._size = size
        self._matrix = 709 if size[1] >= HD_HEIGHT else 601
        self._durations: dict[int, int] = {}  # of the frames that the encoder still holds

    def write(self, image: np.ndarray, pts: int, duration: int) -> None:
        """Encode one picture (H, W, 3) uint8, shown at `pts` for `duration`, in units of the stream's time base."""
        if image.shape != (self._size[1], self._size[0], 3) or image.dtype != np.uint8:
            raise ValueError(f"A picture is {image.shape} {image.dtype}; the video's are {self._size} (width, height).")
        frame = av.VideoFrame.from_ndarray(_yuv420(image, self._matrix), format="yuv420p")
        frame.pts, frame.time_base = pts, self.stream.codec_context.time_base
        self._durations[pts] = duration
        frame.colorspace, frame.color_range = _TAG[self._matrix], ColorRange.MPEG
        self._encode(frame)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self._encode(None)

    def _encode(self, frame: av.VideoFrame | None) -> None:
        for packet in self.stream.encode(frame):
            # x264 drops durations, and the last one cannot be known from the next timestamp.
            if packet.pts is not None:
                packet.duration = self._durations.pop(packet.pts)
            self.container.mux(packet)


@contextmanager
def open_container(out: Path) -> Iterator[OutputContainer]:
    """Open an MP4 for writing, its index in front so that it plays while it loads."""
    with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        yield container


def add_video(
    container: OutputContainer,
    size: tuple[int, int],
    rate: Fraction,
    time_base: Fraction,
    crf: int = 18,
    pixel_shape: Fraction | None = None,
) -> VideoWriter:
    """Add an H.264 stream of pictures `size` (width, height), padded to even sizes by `_yuv420`.

    `pixel_shape` is the width of a pixel over its height when they differ, as in some DV and DVD footage.
    """
    width, height = size
    if width % 2 or height % 2:
        logger.info("H.264 needs even sizes: %d x %d is padded by repeating the last row or column.", width, height)
    stream = container.add_stream("libx264", rate=rate)
    context = stream.codec_context
    context.width, context.height, context.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
    context.time_base = time_base
    # No B-frames: then the order of decoding is that of showing, and MP4 keeps each timestamp and duration exactly.
    context.options = {"crf": str(crf), "preset": "veryfast", "bf": "0"}
    tag = _TAG[709 if height >= HD_HEIGHT else 601]
    context.colorspace, context.color_primaries, context.color_trc = tag, tag, tag
    context.color_range = ColorRange.MPEG
    if pixel_shape is not None:
        context.sample_aspect_ratio = pixel_shape
    return VideoWriter(container, stream, size)


def write_like(
    original: Path, out: Path, frames: Iterable[np.ndarray], size: tuple[int, int] | None = None, crf: int = 18
) -> None:
    """Write `frames` with the timestamps, duration and sound of `original`, a picture for each of its frames.

    Sound is copied packet by packet; where MP4 cannot hold it, it is encoded as AAC and that is logged. Pictures are
    taken to be upright, so the result has no rotation.

    Args:
        original: the clip whose timing and sound are kept.
        out: the MP4 to write; give a temporary path, such as that of `understudy.files.atomic_path`.
        frames: RGB pictures (H, W, 3) uint8, read one at a time.
        size: (width, height) of the pictures; by default that of the first.
        crf: quality of x264, 18 is visually lossless.

    Raises:
        UserError: `original` is missing or not a video.
        ValueError: there are more or fewer pictures than frames, or they change their size.
    """
    shown = timing(original)
    pictures = iter(frames)
    first = next(pictures, None)
    if first is None:
        raise ValueError(f"No picture was given for {original}.")
    size = size or (first.shape[1], first.shape[0])
    with ExitStack() as stack:
        container = stack.enter_context(open_container(out))
        writer = add_video(container, size, shown.rate, shown.time_base, crf, _pixel_shape(original, size))
        # Files such as MPEG-TS begin at any hour; an MP4 begins at nought, sound and picture moved alike.
        shift = _start(original, shown)
        sound = stack.enter_context(AudioCopy(original, container, shift * shown.time_base))
        written = 0
        for image in _chain(first, pictures):
            if written == len(shown.pts):
                raise ValueError(f"More pictures were given than {original} has frames ({written}).")
            pts = shown.pts[written]
            sound.mux_until(pts * shown.time_base)
            writer.write(image, pts - shift, shown.durations[written])
            written += 1
        if written < len(shown.pts):
            raise ValueError(f"{written} pictures were given for the {len(shown.pts)} frames of {original}.")
        sound.mux_until(None)
        writer.finish()


def write_video(
    out: Path,
    frames: Iterable[np.ndarray],
    rate: Fraction,
    size: tuple[int, int],
    audio: np.ndarray | None = None,
    sample_rate: int = 44_100,
    crf: int = 18,
) -> None:
    """Write a new MP4 of constant rate, with an AAC track when `audio` is given.

    Args:
        out: the MP4 to write.
        frames: RGB pictures (H, W, 3) uint8.
        rate: frames a second.
        size: (width, height).
        audio: mono samples in [-1, 1], float.
        sample_rate: samples a second.
        crf: quality of x264.
    """
    with open_container(out) as container:
        writer = add_video(container, size, Fraction(rate), 1 / Fraction(rate), crf)
        track = encode_audio(container, audio, sample_rate) if audio is not None else None
        for number, image in enumerate(frames):
            if track is not None:
                track.mux_until(number / Fraction(rate))
            writer.write(image, number, 1)
        if track is not None:
            track.mux_until(None)
        writer.finish()


def _yuv420(image: np.ndarray, matrix: int) -> np.ndarray:
    """RGB to limited-range I420 planes, (H * 3/2, W); odd sizes are padded. Chroma is the mean of four pixels.

    Equations of BT.601 and BT.709: Y = 16 + 219 (r R + g G + b B); Cb = 128 + 112 (B - Y) / (1 - b); Cr alike.
    """
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        height, width = image.shape[:2]
    weights = np.array(_LUMA_WEIGHTS[matrix])
    blue = 112 / 255 * (np.array((0, 0, 1)) - weights) / (1 - weights[2])
    red = 112 / 255 * (np.array((1, 0, 0)) - weights) / (1 - weights[0])
    luma = cv2.transform(image, np.array([[*(219 / 255 * weights), 16]]))
    half = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    chroma = cv2.transform(half, np.array([[*blue, 128], [*red, 128]]))
    planes = np.concatenate((luma.ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel()))
    return planes.reshape(height * 3 // 2, width)


def _pixel_shape(original: Path, size: tuple[int, int]) -> Fraction | None:
    """The original's pixel shape, if the new pictures are its own size and upright."""
    with open_video(original) as (_, stream):
        context = stream.codec_context
        if size != (context.width, context.height):
            return None
        return context.sample_aspect_ratio or None


def _start(original: Path, shown: Timing) -> int:
    """What to take off all timestamps: nothing for a file that starts at nought, whatever its picture does."""
    with open_video(original) as (container, _):
        begins = Fraction(container.start_time or 0, 1_000_000)
    return shown.pts[0] if begins > 0 or shown.pts[0] < 0 else 0


def _chain(first: np.ndarray, rest: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from rest
