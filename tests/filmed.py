"""Clips of many kinds whose frames carry their number, so that a wrong or missing frame is seen."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 128, 96
BITS = 8


def numbered(count: int, width: int = WIDTH, height: int = HEIGHT) -> Iterator[np.ndarray]:
    """Pictures with a colour ramp and, in a row of squares, their number in binary."""
    ramp = np.zeros((height, width, 3), np.uint8)
    ramp[..., 0] = np.linspace(30, 220, width)
    ramp[..., 2] = np.linspace(200, 40, height)[:, None]
    for number in range(count):
        image = ramp.copy()
        for bit in range(BITS):
            image[8:24, 8 + bit * 14 : 20 + bit * 14] = 255 * ((number >> bit) & 1)
        yield image


def number_of(image: np.ndarray) -> int:
    """The number in a picture of `numbered`."""
    return sum(int(image[16, 14 + bit * 14].mean() > 128) << bit for bit in range(BITS))


def write_clip(
    path: Path,
    frames: int = 60,
    codec: str = "libx264",
    container: str = "mp4",
    sound: str | None = "aac",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    gaps: list[int] | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> Path:
    """Write a numbered clip at 25 a second, or with `gaps` in milliseconds from frame to frame."""
    time_base = Fraction(1, 1000) if gaps else Fraction(1, 25)
    times = np.cumsum([0, *gaps]) if gaps else np.arange(frames)
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.options = {"g": "12", **(options or {})}
        stream.codec_context.time_base = time_base
        track = file.add_stream(sound, rate=44_100, layout="mono", bit_rate=64_000) if sound else None
        for number, image in enumerate(numbered(frames, *size)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = int(times[number]), time_base
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if track is not None:
            _write_tone(file, track, float(times[-1] * time_base))
    return path


def packets_of(path: Path, kind: str) -> list[tuple[bytes, Fraction]]:
    """The bytes and the time of every packet of the first stream of a kind, `audio` or `video`."""
    with av.open(str(path)) as file:
        stream = getattr(file.streams, kind)[0]
        return [(bytes(packet), packet.pts * packet.time_base) for packet in file.demux(stream) if packet.size]


def _write_tone(file: av.container.OutputContainer, track: av.AudioStream, seconds: float) -> None:
    samples = (8000 * np.sin(np.arange(int(44_100 * seconds)) / 20)).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = 44_100
    context = track.codec_context
    resampler = av.AudioResampler(context.format.name, "mono", 44_100, frame_size=context.frame_size or 1024)
    for block in (*resampler.resample(frame), *resampler.resample(None)):
        file.mux(track.encode(block))
    file.mux(track.encode(None))
