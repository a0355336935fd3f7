"""From trained weights to videos that keep the original's frames, timing and sound."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from understudy.errors import UserError
from understudy.swap.render import choose_clip, draw_stills, render, render_side_by_side
from understudy.swap.training import Teachers, train
from understudy.video.decode import decode
from understudy.video.footage import Footage
from understudy.video.probe import probe, timing


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@pytest.fixture(scope="module")
def swap(tiny, source_set, target_set, target_clip, tmp_path_factory) -> Path:
    """The clip with its face replaced, undecorated."""
    folder = tmp_path_factory.mktemp("swap")
    weights = train(Teachers(source_set, source_set, target_set), tiny, 64, 7, folder).weights
    path = folder / "swap.mp4"
    render(path, target_clip, weights, target_set, tiny)
    return path


def test_frames_timing_and_sound_are_the_originals(swap: Path, target_clip: Path) -> None:
    before, after = probe(target_clip), probe(swap)
    assert (after.frames, after.rate, after.width, after.height) == (24, before.rate, 512, 512)
    assert after.duration == pytest.approx(before.duration, abs=1e-3)
    assert [pts * timing(swap).time_base for pts in timing(swap).pts] == [
        pts * timing(target_clip).time_base for pts in timing(target_clip).pts
    ]
    assert packets(swap) == packets(target_clip) != []


def test_the_face_changes_and_frames_without_one_do_not(swap: Path, target_clip: Path) -> None:
    for before, after in zip(decode(target_clip), decode(swap), strict=True):
        change = np.abs(before.rgb().astype(int) - after.rgb())
        assert change[300:].mean() < 2, "the body stays"
        face = change[70:170, 180:260].mean()
        if before.index < 22:
            assert face > 6, f"frame {before.index} shows the new face"
        else:
            assert face < 4, f"frame {before.index} has no face to replace"


def test_side_by_side_and_stills(swap: Path, target_clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "both.mp4"
    render_side_by_side(out, target_clip, swap, 18)
    made = probe(out)
    assert (made.width, made.height, made.frames) == (1024, 512, 24)
    assert packets(out) == packets(target_clip)
    first = next(iter(decode(out))).rgb()
    assert np.abs(first[:, :512].astype(int) - next(iter(decode(target_clip))).rgb()).mean() < 3
    stills = draw_stills(target_clip, swap, 3)
    assert stills.shape[1] <= 1600 and stills.shape[0] == pytest.approx(stills.shape[1] * 1024 / 1536, abs=1)


def test_choose_clip(tmp_path: Path) -> None:
    footage = Footage("anna", tmp_path, (tmp_path / "a.mp4", tmp_path / "b.mp4"))
    assert choose_clip(footage, None).name == "a.mp4"
    assert choose_clip(footage, "b.mp4").name == "b.mp4"
    with pytest.raises(UserError, match=r"'deepfake.render.clip' = 'c.mp4' is no clip .* use one of a.mp4, b.mp4"):
        choose_clip(footage, "c.mp4")


def test_a_clip_that_the_faceset_does_not_know(tiny, source_set, target_clip, tmp_path: Path, target_set) -> None:
    weights = train(Teachers(source_set, source_set, target_set), replace(tiny), 64, 7, tmp_path).weights
    with pytest.raises(UserError, match=r"No face of the target was found in astronaut\.mp4"):
        render(tmp_path / "out.mp4", target_clip, weights, source_set, tiny)
