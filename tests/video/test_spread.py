"""Frames for a look are spread over a clip, and cost little."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from filmed import number_of

from understudy.video.probe import Timing
from understudy.video.spread import REACH, _places, spread

KINDS = {
    "a.mp4": {},
    "b.mpg": {"codec": "mpeg2video", "container": "mpeg", "sound": "mp2"},
    "c.webm": {"codec": "libvpx-vp9", "container": "webm", "sound": None, "options": {"deadline": "realtime"}},
}


@pytest.mark.parametrize("name", KINDS)
def test_frames_are_spread_over_the_clip(clip: Callable[..., Path], name: str) -> None:
    path = clip(name, frames=100, **KINDS[name])
    frames = list(spread(path, 5))
    assert [number_of(frame.rgb()) for frame in frames] == [frame.index for frame in frames]
    wanted = np.array([10, 30, 50, 70, 90])
    assert np.abs(np.array([frame.index for frame in frames]) - wanted).max() <= 10


def test_a_short_clip_gives_what_it_has(clip: Callable[..., Path]) -> None:
    assert [frame.index for frame in spread(clip("a.mp4", frames=2, sound=None), 6)] == [0, 1]


def test_few_keyframes_bound_the_cost() -> None:
    shown = Timing(Fraction(1, 25), Fraction(25), tuple(range(10_000)), (1,) * 10_000, (0, 5_000))
    places = _places(shown, 10)
    assert all(number - key <= REACH for key, number in places)
    assert {key for key, _ in places} == {0, 5_000}
