"""Written videos keep the original's timing and sound, and play in a browser."""

import logging
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from filmed import number_of, numbered, packets_of

from understudy.video.decode import decode
from understudy.video.encode import write_like, write_video
from understudy.video.probe import probe, timing

GAPS = [20, 70, 33, 41, 90] * 11 + [10, 80, 25, 60]


def _copy(original: Path, out: Path) -> None:
    write_like(original, out, (frame.rgb() for frame in decode(original)))


def _times(path: Path) -> list[Fraction]:
    shown = timing(path)
    return [(pts - shown.pts[0]) * shown.time_base for pts in shown.pts]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("plain.mp4", {"options": {"bf": "3"}}),
        ("variable.mp4", {"gaps": GAPS}),
        ("disc.mpg", {"codec": "mpeg1video", "container": "mpeg", "sound": "mp2", "options": {"bf": "2"}}),
        ("old.avi", {"codec": "mpeg4", "container": "avi", "sound": "pcm_s16le"}),
    ],
)
def test_timing_and_sound_are_the_original_s(clip: Callable[..., Path], name: str, settings: dict) -> None:
    original = clip(name, **settings)
    out = original.with_name("out.mp4")
    _copy(original, out)
    assert _times(out) == _times(original)
    assert timing(out).seconds == pytest.approx(timing(original).seconds, abs=1e-4)
    assert [number_of(frame.rgb()) for frame in decode(out)] == list(range(60))
    heard, wanted = packets_of(out, "audio"), packets_of(original, "audio")
    assert [data for data, _ in heard] == [data for data, _ in wanted]
    # Sound and picture have moved alike, if at all (an MP4 begins at nought).
    moved = timing(original).pts[0] * timing(original).time_base - timing(out).pts[0] * timing(out).time_base
    assert max(abs(before - moved - after) for (_, before), (_, after) in zip(wanted, heard, strict=True)) < 1e-4


def test_a_browser_can_play_it_while_it_loads(clip: Callable[..., Path]) -> None:
    original = clip("a.mp4")
    out = original.with_name("out.mp4")
    _copy(original, out)
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(out)) as file:
        assert (file.streams.video[0].codec_context.name, file.streams.video[0].codec_context.pix_fmt) == (
            "h264",
            "yuv420p",
        )


def test_sound_that_mp4_cannot_hold_is_encoded_and_told(
    clip: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    original = clip("old.wmv", codec="wmv2", container="asf", sound="wmav2", frames=50)
    out = original.with_name("out.mp4")
    with caplog.at_level(logging.WARNING):
        _copy(original, out)
    assert "wmav2" in caplog.text
    found = probe(out)
    assert found.audio_codec == "aac" and found.frames == 50
    assert float(packets_of(out, "audio")[-1][1]) == pytest.approx(2.0, abs=0.15)


def test_odd_sizes_are_padded_and_told(clip: Callable[..., Path], caplog: pytest.LogCaptureFixture) -> None:
    original = clip("odd.mp4", frames=3, sound=None, pixels="yuv444p", size=(127, 95))
    out = original.with_name("out.mp4")
    with caplog.at_level(logging.INFO):
        _copy(original, out)
    assert (probe(out).width, probe(out).height) == (128, 96)
    assert "127 x 95" in caplog.text


@pytest.mark.parametrize("count", [0, 9, 11])
def test_a_picture_too_many_or_too_few_is_refused(clip: Callable[..., Path], count: int) -> None:
    original = clip("a.mp4", frames=10)
    with pytest.raises(ValueError, match=r"pictures? w"):
        write_like(original, original.with_name("out.mp4"), numbered(count))


def test_colours_survive_at_both_matrices(tmp_path: Path) -> None:
    for height in (96, 720):  # BT.601 below 720 lines, BT.709 from there
        image = next(numbered(1, 128, height))
        write_video(tmp_path / "c.mp4", [image], Fraction(25), (128, height), crf=4)
        again = next(decode(tmp_path / "c.mp4")).rgb()
        assert np.abs(again[32:].astype(int) - image[32:]).mean() < 3


def test_a_new_clip_has_its_sound_beside_its_pictures(tmp_path: Path) -> None:
    path = tmp_path / "new.mp4"
    tone = np.sin(np.arange(2 * 44_100) / 10).astype(np.float32)
    write_video(path, numbered(50), Fraction(25), (128, 96), tone)
    found = probe(path)
    assert (found.frames, found.duration, found.audio_codec) == (50, pytest.approx(2.0), "aac")
    assert float(packets_of(path, "audio")[-1][1]) == pytest.approx(2.0, abs=0.06)


def test_pictures_are_read_one_at_a_time(clip: Callable[..., Path]) -> None:
    original = clip("a.mp4", frames=60)
    alive: list[int] = []

    def watched() -> Iterator[np.ndarray]:
        for number, frame in enumerate(decode(original)):
            alive.append(number)
            yield frame.rgb()

    with pytest.raises(RuntimeError, match="stopped"):
        write_like(original, original.with_name("out.mp4"), _stop_after(watched(), 5))
    assert len(alive) <= 6


def _stop_after(pictures: Iterator[np.ndarray], count: int) -> Iterator[np.ndarray]:
    for number, picture in enumerate(pictures):
        if number == count:
            raise RuntimeError("stopped")
        yield picture


def test_a_copy_is_neither_darker_nor_lighter(tmp_path: Path) -> None:
    for height in (96, 720):  # BT.601 and BT.709
        original, out = tmp_path / f"{height}.mp4", tmp_path / f"{height}_out.mp4"
        write_video(original, numbered(3, 128, height), Fraction(25), (128, height), crf=10)
        write_like(original, out, (frame.rgb(exact=True) for frame in decode(original)), crf=4)
        pairs = zip(decode(original), decode(out), strict=True)
        change = [after.luma().astype(float) - before.luma() for before, after in pairs]
        assert abs(np.mean(change)) < 0.1
