"""What is found out about a clip before it is decoded."""

import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from understudy.errors import UserError
from understudy.video.encode import write_video
from understudy.video.probe import probe, segments, timing


def test_a_clip_is_described(clip: Callable[..., Path]) -> None:
    path = clip("a.mp4", frames=50)
    found = probe(path)
    assert (found.codec, found.width, found.height, found.frames) == ("h264", 128, 96, 50)
    assert found.rate == 25
    assert found.duration == pytest.approx(2.0)
    assert found.has_audio and found.audio_codec == "aac"
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.record()["rate"] == "25"


def test_a_variable_rate_keeps_its_times(clip: Callable[..., Path]) -> None:
    gaps = [20, 70, 33, 41, 90, 12, 55, 40, 40]
    shown = timing(clip("v.mkv", frames=10, container="matroska", sound=None, gaps=gaps))
    assert [round(1000 * pts * shown.time_base) for pts in shown.pts] == [0, *np.cumsum(gaps)]


@pytest.mark.parametrize(
    ("content", "cause"), [(b"", "is empty"), (b"This is a letter, not a film.\n" * 50, "is not a video")]
)
def test_what_is_no_video_is_named(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "letter.mp4"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"letter\.mp4 {cause}"):
        probe(path)


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    write_video(path, [], Fraction(25), (64, 64), np.zeros(44_100, np.float32))
    with pytest.raises(UserError, match=r"sound\.mp4 holds no"):
        probe(path)


def test_a_missing_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.mp4 does not exist"):
        probe(tmp_path / "gone.mp4")


def test_one_frame_is_a_clip(clip: Callable[..., Path]) -> None:
    path = clip("one.mp4", frames=1, sound=None)
    assert probe(path).frames == 1
    assert [(piece.first_frame, piece.frames) for piece in segments(path)] == [(0, 1)]


def test_segments_are_no_shorter_than_asked(clip: Callable[..., Path]) -> None:
    pieces = segments(clip("a.mp4", frames=100, options={"sc_threshold": "0"}), seconds=1.0)
    assert [piece.frames for piece in pieces[:-1]] == [36, 36]  # keyframes come every 12 frames
    assert sum(piece.frames for piece in pieces) == 100
    assert pieces[0].start_pts is None and pieces[-1].end_pts is None
