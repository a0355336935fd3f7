"""Clips of the swaying astronaut of many kinds, and a swap that has learnt nothing."""

from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av
import numpy as np
import torch

from understudy.swap.networks import Trainee, weights_of
from understudy.weights import Weights

ARGUMENTS = {"size": 64, "options": "ud", "encoder": 8, "inter": 32, "decoder": 8, "mask": 4}
GAPS = [20, 70, 33, 41, 90, 10, 60]
"""Milliseconds from frame to frame of a variable rate, again and again."""

KINDS: dict[str, dict] = {
    "constant": {},
    "29.97": {"rate": Fraction(30_000, 1001)},
    "variable": {"gaps": GAPS},
    "rotated": {"turned": True},
    "stereo": {"layout": "stereo"},
    "silent": {"layout": None},
    "out of order": {"options": {"bf": "3"}},
}


def untrained() -> Weights:
    """Random weights, the same each time; they paint something."""
    torch.manual_seed(0)
    return weights_of(Trainee(**ARGUMENTS), ARGUMENTS, {})


def write_kind(
    path: Path,
    pictures: list[np.ndarray],
    rate: Fraction = Fraction(25),
    gaps: list[int] | None = None,
    turned: bool = False,
    layout: str | None = "mono",
    options: dict[str, str] | None = None,
) -> Path:
    """Write pictures, which a player shows upright, with a tone."""
    time_base = Fraction(1, 1000) if gaps else 1 / rate
    steps = [gaps[number % len(gaps)] if gaps else 1 for number in range(len(pictures))]
    times = [0, *accumulate(steps)]
    stored = [np.ascontiguousarray(np.rot90(picture)) if turned else picture for picture in pictures]
    with av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "10", **(options or {})})
        stream.height, stream.width = stored[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = time_base
        track = file.add_stream("aac", rate=44_100, layout=layout) if layout else None
        for picture, pts in zip(stored, times, strict=False):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = pts, time_base
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if track is not None:
            _tone(file, track, float(times[-1] * time_base))
    if turned:
        _turn(path)
    return path


def _tone(file: av.container.OutputContainer, track: av.AudioStream, seconds: float) -> None:
    channels = track.codec_context.layout.nb_channels
    wave = 0.1 * np.sin(np.arange(int(44_100 * seconds)) / 20).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([wave] * channels), format="fltp", layout=track.codec_context.layout)
    frame.sample_rate = 44_100
    resampler = av.AudioResampler("fltp", track.codec_context.layout, 44_100, frame_size=1024)
    for block in (*resampler.resample(frame), *resampler.resample(None)):
        file.mux(track.encode(block))
    file.mux(track.encode(None))


def _turn(path: Path) -> None:
    """Have the file shown turned 90 degrees clockwise, by the matrix of its track's header, as phones do."""
    data = path.read_bytes()
    plain, turned = (
        bytes.fromhex(text.replace(" ", ""))
        for text in (
            "00010000 00000000 00000000 00000000 00010000",
            "00000000 00010000 00000000 FFFF0000 00000000",
        )
    )
    place = data.index(plain, data.index(b"tkhd"))
    path.write_bytes(data[:place] + turned + data[place + len(plain) :])
