"""A clip of a portrait that moves a little and has a camera's noise."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from understudy.video.encode import write_video

SIZE = (360, 288)
FRAMES = 12


def frames(image: np.ndarray) -> list[np.ndarray]:
    """A portrait in a frame of `SIZE`, moving a little, with a camera's noise."""
    noise = np.random.default_rng(0)
    shown = []
    for number in range(FRAMES):
        matrix = np.array([[0.75, 0, 0.3 * np.sin(number / 3) - 12], [0, 0.75, 0.3 * np.cos(number / 4)]])
        frame = cv2.warpAffine(image, matrix, SIZE, borderMode=cv2.BORDER_REFLECT)
        shown.append(np.clip(frame + noise.normal(0, 1, frame.shape), 0, 255).astype(np.uint8))
    return shown


def write(path: Path, pictures: list[np.ndarray], crf: int = 18) -> None:
    write_video(path, pictures, Fraction(25), (pictures[0].shape[1], pictures[0].shape[0]), crf=crf)
