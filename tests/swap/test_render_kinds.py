"""Whatever the clip: frames, times and sound of the original; and what happens when rendering cannot go on."""

import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from filmed import packets_of
from kinds import KINDS, untrained, write_kind

from understudy.datasets.picture import MadeFileDataset
from understudy.errors import UserError
from understudy.faces.config import FacesConfig
from understudy.faces.detect import largest_face
from understudy.faces.embedding import embed_faces
from understudy.faces.extract import extract_segment
from understudy.faces.faceset import Faceset, finish, write_shard
from understudy.faces.landmarks import predict
from understudy.files import atomic_path
from understudy.puppet.animate import Pose, draw, make_puppet
from understudy.puppet.portraits import find_portrait, make_canvas
from understudy.swap.config import SwapConfig
from understudy.swap.render import count_frames, render, swapped_frames
from understudy.video.decode import decode
from understudy.video.probe import probe, segments, timing
from understudy.weights import save_weights

CONFIG = SwapConfig()


@pytest.fixture(scope="module")
def pictures(target_clip: Path) -> list[np.ndarray]:
    return [frame.rgb(exact=True) for frame in decode(target_clip)]


@pytest.mark.parametrize("kind", KINDS)
def test_frames_times_and_sound_are_the_originals(
    kind: str, pictures: list[np.ndarray], target_set: Faceset, tmp_path: Path
) -> None:
    clip = write_kind(tmp_path / "astronaut.mp4", pictures, **KINDS[kind])
    out = tmp_path / "swap.mp4"
    render(out, clip, untrained(), target_set, CONFIG)
    before, after, was, now = probe(clip), probe(out), timing(clip), timing(out)
    assert (after.frames, after.width, after.height, after.rotation) == (24, 512, 512, 0)
    if kind != "variable":  # its rate is an average, which counts the last frame's duration or does not
        assert after.rate == before.rate
    times = [[(pts - shown.pts[0]) * shown.time_base for pts in shown.pts] for shown in (was, now)]
    assert times[0] == times[1]
    lasting = [[length * shown.time_base for length in shown.durations] for shown in (was, now)]
    assert lasting[0][:-1] == lasting[1][:-1] and now.seconds == pytest.approx(was.seconds, abs=1e-3)
    if KINDS[kind].get("layout", "mono") is None:
        assert not after.has_audio
    else:
        heard, wanted = packets_of(out, "audio"), packets_of(clip, "audio")
        assert [data for data, _ in heard] == [data for data, _ in wanted] != []
        moved = was.pts[0] * was.time_base - now.pts[0] * now.time_base
        assert max(abs(a - moved - b) for (_, a), (_, b) in zip(wanted, heard, strict=True)) < 1e-4
    last = list(decode(out))[-1].rgb()
    assert np.abs(last.astype(int) - pictures[-1]).mean() < 3, "upright, and a frame without a face is as it was"
    swapped = next(decode(out)).rgb()
    assert np.abs(swapped[70:170, 180:260].astype(int) - pictures[0][70:170, 180:260]).mean() > 6


def test_frames_are_counted(target_set: Faceset, target_clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert count_frames(target_clip, target_set, CONFIG, 64) == {
        "frames": 24,
        "swapped": 22,
        "bridged": 2,
        "left_as_they_are": 2,
        "runs": 1,
    }
    with caplog.at_level("WARNING"):
        assert len(list(swapped_frames(target_clip, untrained(), target_set, CONFIG))) == 24
    assert "not found in 2 of 24 frames, which stay as they are" in caplog.text


@pytest.fixture(scope="module")
def crowd(astronaut: np.ndarray, hopper: np.ndarray) -> list[np.ndarray]:
    """Eight frames of both people; after a cut four of the other one at the astronaut's place; four of nobody."""
    left = astronaut[:300, 70:370]
    right = cv2.resize(hopper[40:440, 80:480], (300, 300), interpolation=cv2.INTER_AREA)
    both, other = np.concatenate([left, right], 1), np.concatenate([right, 255 - left], 1)
    shifts = np.round(3 * np.sin(np.arange(8))).astype(int)
    wall = np.full_like(both, 120)
    return [np.roll(both, shift, 1) for shift in shifts] + [other] * 4 + [wall] * 4


def test_of_two_people_the_chosen_one_alone_is_swapped(
    crowd: list[np.ndarray], astronaut: np.ndarray, tmp_path: Path
) -> None:
    clip = write_kind(tmp_path / "crowd.mp4", crowd)
    face = largest_face(astronaut)
    assert face is not None
    wanted = embed_faces([astronaut], [predict(astronaut, face.box)])[0]
    (whole,) = segments(clip)
    folder = tmp_path / "faces"
    folder.mkdir()
    write_shard(folder, 0, "crowd-0", extract_segment(whole, 64, FacesConfig(embed_every=1), wanted))
    finish(folder, ["crowd-0"])
    counts = count_frames(clip, Faceset(folder), CONFIG, 64)
    assert counts == {"frames": 16, "swapped": 8, "bridged": 0, "left_as_they_are": 8, "runs": 1}
    new = list(swapped_frames(clip, untrained(), Faceset(folder), CONFIG))
    for frame, after in zip(decode(clip), new, strict=True):
        before = frame.rgb(exact=True)
        assert np.array_equal(after[:, 310:], before[:, 310:]), "the other person is untouched"
        assert np.array_equal(after, before) == (frame.index >= 8)


def test_a_head_that_turns_into_profile_and_back(tmp_path: Path) -> None:
    puppet = make_puppet(make_canvas(find_portrait("astronaut"), 256))
    yaws = [0, 10, 20, 30, 40, 50, 60, 75, 90] + [90] * 12 + [0] * 4
    clip = write_kind(tmp_path / "turn.mp4", [draw(puppet, Pose(yaw, *[0.0] * 8)) for yaw in yaws])
    (whole,) = segments(clip)
    folder = tmp_path / "faces"
    folder.mkdir()
    write_shard(folder, 0, "turn-0", extract_segment(whole, 64, FacesConfig(min_face=70)))
    finish(folder, ["turn-0"])
    counts = count_frames(clip, Faceset(folder), CONFIG, 64)
    assert counts["frames"] == len(yaws) and counts["runs"] == 2
    new = list(swapped_frames(clip, untrained(), Faceset(folder), CONFIG))
    pairs = zip(decode(clip), new, strict=True)
    changed = [not np.array_equal(frame.rgb(exact=True), after) for frame, after in pairs]
    assert all(changed[:4]) and all(changed[-4:]), "seen from the front it is swapped"
    assert sum(changed[13:-4]) == 0, "in profile no face is made up"
    assert sum(changed) == counts["swapped"]


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file may become larger; the system says so as it does of a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_one_sentence_and_leaves_neither_file_nor_thread(
    target_set: Faceset, target_clip: Path, tmp_path: Path
) -> None:
    threads = threading.active_count()
    out = tmp_path / "swap.mp4"
    with (
        pytest.raises(UserError, match=r"No space was left while .*swap\.mp4 was written: free some .*\.$"),
        small_disk(50_000),
        atomic_path(out) as temporary,
    ):
        render(temporary, target_clip, untrained(), target_set, CONFIG)
    assert not list(tmp_path.iterdir())
    assert threading.active_count() == threads


@pytest.mark.parametrize("step", ["decorate", "network", "blend"])
def test_an_error_in_any_step_comes_out_as_itself(
    step: str, target_set: Faceset, target_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> np.ndarray:
        raise ZeroDivisionError(step)

    if step == "network":
        monkeypatch.setattr("understudy.swap.render.predict", fail)
    elif step == "blend":
        monkeypatch.setattr("understudy.swap.blend.face_mask", fail)
    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError, match=step):
        render(
            tmp_path / "x.mp4",
            target_clip,
            untrained(),
            target_set,
            CONFIG,
            fail if step == "decorate" else None,
        )
    assert threading.active_count() == threads


CHILD = """
import sys, time
from pathlib import Path
from understudy.datasets.picture import MadeFileDataset
from understudy.faces.faceset import Faceset
from understudy.swap.config import SwapConfig
from understudy.swap.render import render
from understudy.weights import load_weights
out, clip, weights, faces = sys.argv[1:]
def slow(frame):
    time.sleep(1)
    return frame
make = lambda path: render(path, Path(clip), load_weights(Path(weights)), Faceset(Path(faces)), SwapConfig(), slow)
MadeFileDataset(filepath=out).save(make)
"""


def test_a_killed_run_leaves_no_video_and_the_next_makes_it(
    target_set: Faceset, target_clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / "result/swap.mp4"
    save_weights(tmp_path / "swap", untrained())
    words = [str(value) for value in (out, target_clip, tmp_path / "swap", target_set.path)]
    child = subprocess.Popen([sys.executable, "-c", CHILD, *words])
    deadline = time.monotonic() + 120
    while not any(path.stat().st_size for path in out.parent.glob(".swap.tmp*.mp4")):
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not out.exists() and list(out.parent.iterdir()), "killed in the middle"
    MadeFileDataset(filepath=str(out)).save(
        lambda path: render(path, target_clip, untrained(), target_set, CONFIG)  # the next run
    )
    assert [path.name for path in out.parent.iterdir()] == ["swap.mp4"]
    assert probe(out).frames == 24
