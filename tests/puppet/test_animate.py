"""What is asked of a puppet is what a landmark detector finds in its pictures."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from understudy.faces.detect import largest_face
from understudy.faces.landmarks import predict
from understudy.puppet.animate import Pose, Puppet, animate_puppet, draw
from understudy.puppet.motion import make_motion

NAMES = ("astronaut", "grace_hopper")
MakePuppet = Callable[[str], Puppet]
MakePose = Callable[..., Pose]


def _marks(image: np.ndarray) -> np.ndarray:
    face = largest_face(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    assert face is not None
    marks = predict(image, face.box).astype(float)
    return marks / np.linalg.norm(marks[16] - marks[0])  # in widths of the jaw


def _height(marks: np.ndarray, upper: list[int], lower: list[int]) -> float:
    return float((marks[lower, 1] - marks[upper, 1]).mean())


@pytest.mark.parametrize("name", NAMES)
def test_the_mouth_opens_and_shuts(puppet: MakePuppet, pose: MakePose, name: str) -> None:
    shut, opened = (_marks(draw(puppet(name), pose(jaw=jaw))) for jaw in (0.0, 1.0))
    assert _height(shut, [61, 62, 63], [67, 66, 65]) < 0.04
    assert _height(opened, [61, 62, 63], [67, 66, 65]) > 0.08


@pytest.mark.parametrize("name", NAMES)
def test_the_inside_of_the_mouth_is_dark_below_the_teeth(puppet: MakePuppet, pose: MakePose, name: str) -> None:
    image = draw(puppet(name), pose(jaw=1.0))
    lip = puppet(name).shapes.lip
    middle = lip[len(lip) // 2]
    drop = puppet(name).head.frame.jaw * 0.08
    x, y = np.round(middle + np.array([0, drop])).astype(int)
    assert image[y - 2 : y + 3, x - 3 : x + 4].mean() < 90


@pytest.mark.parametrize("name", NAMES)
def test_lips_are_drawn_wide_and_pursed(puppet: MakePuppet, pose: MakePose, name: str) -> None:
    wide, pursed = (_marks(draw(puppet(name), pose(lips=lips, jaw=0.3))) for lips in (1.0, -1.0))
    assert np.linalg.norm(wide[54] - wide[48]) > 1.1 * np.linalg.norm(pursed[54] - pursed[48])


def test_eyes_blink(puppet: MakePuppet, pose: MakePose) -> None:
    opened, shut = (_marks(draw(puppet("astronaut"), pose(blink=blink))) for blink in (0.0, 1.0))
    upper, lower = [37, 38, 43, 44], [41, 40, 47, 46]
    assert _height(shut, upper, lower) < 0.75 * _height(opened, upper, lower)


@pytest.mark.parametrize("name", NAMES)
def test_brows_rise(puppet: MakePuppet, pose: MakePose, name: str) -> None:
    low, high = (_marks(draw(puppet(name), pose(brows=brows))) for brows in (-1.0, 1.0))
    brows, eyes = [18, 19, 20, 23, 24, 25], [36, 37, 38, 43, 44, 45]
    assert _height(high, brows, eyes) > _height(low, brows, eyes) + 0.03


@pytest.mark.parametrize("name", NAMES)
def test_the_head_turns_and_tilts(puppet: MakePuppet, pose: MakePose, name: str) -> None:
    left, right = (_marks(draw(puppet(name), pose(yaw=yaw))) for yaw in (-10.0, 10.0))
    aside = [marks[30, 0] - marks[[0, 16], 0].mean() for marks in (left, right)]
    assert aside[1] - aside[0] > 0.06
    tilts = []
    for roll in (-4.5, 4.5):
        marks = _marks(draw(puppet(name), pose(roll=roll)))
        along = marks[42:48].mean(axis=0) - marks[36:42].mean(axis=0)
        tilts.append(np.degrees(np.arctan2(along[1], along[0])))
    assert tilts[1] - tilts[0] == pytest.approx(9.0, abs=2.5)


@pytest.mark.parametrize("name", NAMES)
def test_the_background_stays_still_bit_by_bit_and_the_face_is_found(puppet: MakePuppet, name: str) -> None:
    made = puppet(name)
    away = made.head.zone == 0
    assert away.mean() > 0.25
    motion = make_motion(20.0, seed=3)
    found, moved = 0, np.zeros(away.shape, bool)
    for image in animate_puppet(made, motion, 16, 0.8):
        assert np.array_equal(image[away], made.canvas.image[away])
        moved |= (image != made.canvas.image).any(axis=-1)
        found += largest_face(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)) is not None
    assert found == 16
    assert moved.mean() > 0.15


def test_movement_is_smooth(puppet: MakePuppet) -> None:
    """No frame jumps: neighbours differ less than frames half a second apart."""
    frames = [image.astype(np.int16) for image in animate_puppet(puppet("astronaut"), make_motion(1.2, 4), 26, 25)]
    near = [np.abs(after - before).mean() for before, after in pairwise(frames)]
    far = [np.abs(after - before).mean() for before, after in zip(frames, frames[12:], strict=False)]
    assert max(near) < 0.7 * max(far)
    assert np.median(near) < 0.5 * np.median(far)
