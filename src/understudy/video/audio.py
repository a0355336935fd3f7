"""Sound: copied from a clip packet by packet, or encoded from samples."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer

logger = logging.getLogger(__name__)

_BLOCK = 1024  # samples an AAC packet holds


class PacketTrack:
    """Packets of sound that are written as far as the picture has come, so that a player finds both side by side."""

    def __init__(self, container: OutputContainer, packets: Iterator[tuple[Fraction, av.Packet]]) -> None:
        self._container = container
        self._packets = packets
        self._next = next(packets, None)

    def mux_until(self, seconds: Fraction | None) -> None:
        """Write all packets that begin before `seconds`; all that are left if None."""
        while self._next is not None and (seconds is None or self._next[0] <= seconds):
            self._container.mux(self._next[1])
            self._next = next(self._packets, None)


class AudioCopy:
    """The first sound track of `original` in another container, unchanged where MP4 can hold its codec."""

    def __init__(self, original: Path, container: OutputContainer, shift: Fraction) -> None:
        self._input = av.open(str(original))
        self._tracks: list[PacketTrack] = []
        if not self._input.streams.audio:
            return
        stream = self._input.streams.audio[0]
        if stream.codec_context is not None and stream.codec_context.name in container.supported_codecs:
            copy = container.add_stream_from_template(stream)
            self._tracks.append(PacketTrack(container, _copied(self._input, stream, copy, shift)))
        elif stream.codec_context is not None:
            logger.warning("%s: MP4 cannot hold %s sound; it is encoded as AAC.", original, stream.codec_context.name)
            encoder = container.add_stream("aac", rate=stream.codec_context.sample_rate)
            self._tracks.append(PacketTrack(container, _reencoded(self._input, stream, encoder, shift)))
        else:
            logger.warning("%s: the sound's codec is unknown; the result is silent.", original)

    def mux_until(self, seconds: Fraction | None) -> None:
        """Write the sound that belongs before `seconds` of the original's clock; all of it if None."""
        for track in self._tracks:
            track.mux_until(seconds)

    def __enter__(self) -> "AudioCopy":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._input.close()


def encode_audio(container: OutputContainer, samples: np.ndarray, sample_rate: int) -> PacketTrack:
    """Add an AAC track of mono `samples` (N,), float in [-1, 1]."""
    stream = container.add_stream("aac", rate=sample_rate)
    stream.codec_context.layout = "mono"
    stream.codec_context.format = "fltp"
    return PacketTrack(container, _encoded(stream, samples.astype(np.float32), sample_rate))


def _copied(
    source: av.container.InputContainer, stream: AudioStream, copy: AudioStream, shift: Fraction
) -> Iterator[tuple[Fraction, av.Packet]]:
    time_base = stream.time_base or Fraction(1, 90_000)
    moved = round(shift / time_base)
    for packet in source.demux(stream):
        if packet.size == 0 or packet.dts is None:
            continue
        at = packet.dts * time_base
        packet.pts, packet.dts = (packet.pts if packet.pts is not None else packet.dts) - moved, packet.dts - moved
        packet.stream = copy
        yield at, packet


def _reencoded(
    source: av.container.InputContainer, stream: AudioStream, encoder: AudioStream, shift: Fraction
) -> Iterator[tuple[Fraction, av.Packet]]:
    context = encoder.codec_context
    resampler = AudioResampler(format="fltp", layout=context.layout, rate=context.sample_rate, frame_size=_BLOCK)
    for frame in source.decode(stream):
        if frame.pts is not None and frame.time_base:
            frame.pts -= round(shift / frame.time_base)
        for block in resampler.resample(frame):
            yield from _timed(context.encode(block), encoder, shift)
    for block in resampler.resample(None):
        yield from _timed(context.encode(block), encoder, shift)
    yield from _timed(context.encode(None), encoder, shift)


def _encoded(stream: AudioStream, samples: np.ndarray, sample_rate: int) -> Iterator[tuple[Fraction, av.Packet]]:
    for start in range(0, len(samples), _BLOCK):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + _BLOCK], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, start, Fraction(1, sample_rate)
        yield from _timed(stream.encode(frame), stream, Fraction(0))
    yield from _timed(stream.encode(None), stream, Fraction(0))


def _timed(packets: list[av.Packet], stream: AudioStream, shift: Fraction) -> Iterator[tuple[Fraction, av.Packet]]:
    for packet in packets:
        packet.stream = stream
        yield (packet.pts or 0) * (packet.time_base or Fraction(0)) + shift, packet
