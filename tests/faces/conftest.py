"""Fixtures of the faces tests: short clips made from a portrait."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from judged import astronaut_crops, filmed, hopper_crops, store

from understudy.video.encode import write_video

__all__ = ["astronaut_crops", "filmed", "hopper_crops", "store"]


def moved(portrait: np.ndarray, number: int) -> np.ndarray:
    """The portrait shifted and turned a little, as frame `number` of a clip: 320x320 around the face."""
    turn = cv2.getRotationMatrix2D((224, 128), 4 * np.sin(number / 4), 1.0)
    turn[:, 2] += (160 - 224 + 1.5 * number, 160 - 128)
    return cv2.warpAffine(portrait, turn, (320, 320), borderMode=cv2.BORDER_REPLICATE)


@pytest.fixture(scope="session")
def walking(astronaut: np.ndarray) -> list[np.ndarray]:
    """Twenty frames of a face that moves and turns."""
    return [moved(astronaut, number) for number in range(20)]


@pytest.fixture(scope="session")
def walking_clip(walking: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a clip."""
    path = tmp_path_factory.mktemp("clips") / "walking.mp4"
    write_video(path, walking, Fraction(25), (320, 320))
    return path
