"""Decoded frames are the right ones, upright and in the right colours."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filmed import number_of, numbered

from understudy.video.decode import decode
from understudy.video.probe import segments, timing

KINDS = {
    "open_gop.mp4": {"options": {"bf": "3", "x264-params": "open-gop=1"}},
    "variable.mkv": {"container": "matroska", "sound": None, "gaps": [20, 70, 33, 41, 90] * 12 + [40] * 39},
    "old.avi": {"codec": "mpeg4", "container": "avi", "sound": "pcm_s16le", "options": {"bf": "2"}},
    "camera.ts": {"container": "mpegts"},
    "disc.mpg": {"codec": "mpeg2video", "container": "mpeg", "sound": "mp2", "options": {"bf": "2"}},
    "web.webm": {"codec": "libvpx-vp9", "container": "webm", "sound": None, "options": {"deadline": "realtime"}},
}


@pytest.mark.parametrize("name", KINDS)
def test_segments_hold_every_frame_once(clip: Callable[..., Path], name: str) -> None:
    path = clip(name, frames=100, **KINDS[name])
    whole = [(frame.index, frame.pts, number_of(frame.rgb())) for frame in decode(path)]
    assert [number for _, _, number in whole] == list(range(100))
    assert tuple(pts for _, pts, _ in whole) == timing(path).pts
    pieces = segments(path, seconds=0.7)
    assert len(pieces) > 2
    cut = []
    for piece in pieces:
        frames = [(frame.index, frame.pts, number_of(frame.rgb())) for frame in decode(path, piece)]
        assert len(frames) == piece.frames
        cut += frames
    assert cut == whole


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le", "yuv444p", "yuvj420p"])
def test_colours_survive(clip: Callable[..., Path], pixels: str) -> None:
    path = clip("c.mp4", frames=2, sound=None, pixels=pixels, options={"crf": "4"})
    image = next(decode(path)).rgb()
    wanted = next(numbered(1))
    assert image.flags["C_CONTIGUOUS"]
    # Away from the squares, where chroma is smooth.
    assert np.abs(image[32:].astype(int) - wanted[32:]).mean() < 4


@pytest.mark.parametrize("pixels", ["yuv444p", "yuv444p10le"])
def test_luma_follows_the_picture_without_padding(clip: Callable[..., Path], pixels: str) -> None:
    path = clip("odd.mp4", frames=1, sound=None, pixels=pixels, size=(123, 95), options={"crf": "4"})
    frame = next(decode(path))
    luma, image = frame.luma(), frame.rgb()
    assert luma.shape == image.shape[:2] == (95, 123)
    assert luma.flags["C_CONTIGUOUS"]
    grey = 16 + 219 / 255 * (image @ (0.299, 0.587, 0.114))
    assert np.abs(luma - grey).mean() < 3


def test_a_turned_phone_gives_upright_frames(clip: Callable[..., Path]) -> None:
    path = clip("phone.mp4", frames=2, sound=None)
    # The matrix of the track's header, as a phone held upright writes it: shown turned 90 degrees clockwise.
    data = path.read_bytes()
    plain = bytes.fromhex("00010000 00000000 00000000 00000000 00010000".replace(" ", ""))
    turned = bytes.fromhex("00000000 00010000 00000000 FFFF0000 00000000".replace(" ", ""))
    header = data.index(b"tkhd")
    place = data.index(plain, header)
    path.write_bytes(data[:place] + turned + data[place + len(plain) :])
    frame = next(decode(path))
    assert np.abs(frame.rgb().astype(int) - np.rot90(next(numbered(1)), -1)).mean() < 12
    assert frame.luma().shape == (128, 96)


def test_damage_is_passed_over_and_told(clip: Callable[..., Path], caplog: pytest.LogCaptureFixture) -> None:
    path = clip("hurt.mkv", frames=60, container="matroska", sound=None)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    path.write_bytes(bytes(data))
    with caplog.at_level(logging.WARNING):
        frames = list(decode(path))
    assert 30 < len(frames) < 61


@pytest.mark.parametrize(
    ("pixels", "height"), [("yuv420p", 96), ("yuv420p", 720), ("yuvj420p", 96), ("yuv422p10le", 720)]
)
def test_exact_pictures_are_neither_darker_nor_lighter(clip: Callable[..., Path], pixels: str, height: int) -> None:
    path = clip("c.mp4", frames=1, sound=None, pixels=pixels, size=(128, height), options={"crf": "2"})
    frame = next(decode(path))
    image = frame.rgb(exact=True)
    assert image.flags["C_CONTIGUOUS"]
    # Brightness as the file holds it, against that of the picture.
    weights = (0.2126, 0.7152, 0.0722) if height == 720 else (0.299, 0.587, 0.114)
    scale, black = (1, 0) if pixels == "yuvj420p" else (219 / 255, 16)
    away = np.s_[32 : height - 2]
    wanted = (frame.luma()[away].astype(float) - black) / scale
    assert abs((image @ weights)[away].mean() - wanted.mean()) < (0.6 if "10" in pixels else 0.2)
    assert np.abs(image[away].astype(int) - frame.rgb()[away]).mean() < 3, "the quick way is a level off at most"
