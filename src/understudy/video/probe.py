"""What a clip is, and where it can be cut without decoding it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from understudy.errors import UserError
from understudy.files import sha256


@dataclass(frozen=True)
class Clip:
    """One video file. `width` and `height` are the upright picture's; `rotation` is in degrees, anticlockwise."""

    path: Path
    sha256: str
    container: str
    codec: str
    width: int
    height: int
    rate: Fraction  # average, frames a second
    frames: int
    duration: float  # seconds
    rotation: int
    has_audio: bool
    audio_codec: str | None

    def record(self) -> dict[str, Any]:
        """The clip as plain values for JSON; the rate as text such as `30000/1001`."""
        return asdict(self) | {"path": str(self.path), "rate": str(self.rate)}


@dataclass(frozen=True)
class Segment:
    """A run of frames with `start_pts <= pts < end_pts`, which begins at a keyframe.

    `start_pts` None means from the first frame, `end_pts` None to the last. `first_frame` counts from the clip's start.
    """

    path: Path
    start_pts: int | None
    end_pts: int | None
    first_frame: int
    frames: int


@dataclass(frozen=True)
class Timing:
    """When the frames of a clip are shown, read from its packets without decoding.

    `pts` and `durations` are in units of `time_base`, in the order of showing. `keyframes` are the pts at which
    decoding can begin. Where the file holds no timestamps they are counted from the rate.
    """

    time_base: Fraction
    rate: Fraction
    pts: tuple[int, ...]
    durations: tuple[int, ...]
    keyframes: tuple[int, ...]

    @property
    def seconds(self) -> float:
        """From the showing of the first frame to the end of the last."""
        return float((self.pts[-1] + self.durations[-1] - self.pts[0]) * self.time_base)


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a clip and its first video stream (cover pictures are not one).

    Raises:
        UserError: the file is missing, is not a video, or holds sound only.
    """
    try:
        container = av.open(str(path))
    except FileNotFoundError:
        raise UserError(f"The clip {path} does not exist: put it back or start again without it.") from None
    except av.FFmpegError as error:
        cause = "is empty" if path.stat().st_size == 0 else f"is not a video ({error.strerror})"
        raise UserError(f"The clip {path} {cause}: remove it or replace it by a playable file.") from None
    with container:
        pictured = [
            stream for stream in container.streams.video if not stream.disposition & av.stream.Disposition.attached_pic
        ]
        if not pictured:
            raise UserError(f"The clip {path} holds no video stream: remove it or replace it by a playable video.")
        if pictured[0].codec_context is None:
            raise UserError(f"The clip {path} uses a codec that cannot be read: convert it to H.264.")
        yield container, pictured[0]


def timing(path: Path) -> Timing:
    """Read the timestamps of a clip's frames. It costs about 10 ms a clip, since nothing is decoded.

    Raises:
        UserError: as `open_video`, or when no packet of video is in the file.
    """
    with open_video(path) as (container, stream):
        time_base, rate = _time_base(stream), _rate(stream)
        packets = [
            (packet.pts, packet.duration or 0, packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.size and not packet.is_discard
        ]
    if not packets:
        raise UserError(f"The clip {path} holds no frame that can be decoded: remove it or replace it.")
    usual = max(1, round(1 / (rate * time_base)))
    if any(pts is None for pts, _, _ in packets):
        # Such a file (raw streams, old AVI) is played at its rate from nought, and cannot be cut.
        counted = tuple(round(number / (rate * time_base)) for number in range(len(packets)))
        return Timing(time_base, rate, counted, (usual,) * len(packets), ())
    shown = sorted((pts, duration) for pts, duration, _ in packets if pts is not None)
    pts = tuple(at for at, _ in shown)
    # A frame lasts until the next; only the last needs what its packet says.
    durations = (*(after - at for at, after in pairwise(pts)), shown[-1][1] or usual)
    keyframes = tuple(sorted(at for at, _, key in packets if key and at is not None))
    return Timing(time_base, rate, pts, durations, keyframes)


def probe(path: Path) -> Clip:
    """Describe a clip, having decoded its first frame.

    Raises:
        UserError: the file is missing, empty, no video, or nothing in it can be decoded.
    """
    shown = timing(path)
    with open_video(path) as (container, stream):
        frame = _first_frame(container, stream)
        if frame is None:
            raise UserError(f"The clip {path} holds no frame that can be decoded: remove it or replace it.")
        rotation = round(frame.rotation)
        size = (frame.height, frame.width) if rotation % 180 else (frame.width, frame.height)
        sound = container.streams.audio[0] if container.streams.audio else None
        return Clip(
            path=path,
            sha256=sha256(path),
            container=container.format.name,
            codec=stream.codec_context.name,
            width=size[0],
            height=size[1],
            rate=shown.rate,
            frames=len(shown.pts),
            duration=shown.seconds,
            rotation=rotation,
            has_audio=sound is not None,
            audio_codec=sound.codec_context.name if sound is not None and sound.codec_context else None,
        )


def segments(path: Path, seconds: float = 20.0) -> list[Segment]:
    """Cut a clip at keyframes into pieces of at least `seconds` (the last may be shorter).

    The pieces hold every frame exactly once, whatever the rate, the order of the packets and the kind of GOP.
    """
    shown = timing(path)
    starts = [0]
    places = {pts: number for number, pts in enumerate(shown.pts)}
    for key in shown.keyframes:
        if (key - shown.pts[starts[-1]]) * shown.time_base >= seconds:
            starts.append(places[key])
    ends = [*starts[1:], len(shown.pts)]
    return [
        Segment(
            path,
            shown.pts[start] if start else None,
            shown.pts[end] if end < len(shown.pts) else None,
            start,
            end - start,
        )
        for start, end in zip(starts, ends, strict=True)
    ]


def _first_frame(container: InputContainer, stream: VideoStream) -> av.VideoFrame | None:
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:  # a clip may begin in the middle of a GOP
            continue
        for frame in frames:
            if isinstance(frame, av.VideoFrame):
                return frame
    return None


def _time_base(stream: VideoStream) -> Fraction:
    return stream.time_base or Fraction(1, 90_000)


def _rate(stream: VideoStream) -> Fraction:
    return Fraction(stream.average_rate or stream.guessed_rate or 25)
