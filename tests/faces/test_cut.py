"""Crops are what an exact, slow cut gives."""

import cv2
import numpy as np
import pytest

from understudy.faces.align import crop_matrix, warp_crop
from understudy.faces.cut import cut_crop
from understudy.faces.detect import largest_face
from understudy.faces.landmarks import predict


def exact(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Every pixel the mean of 64 samples by a cubic filter."""
    fine = matrix * 8
    fine[:, 2] += 3.5
    large = cv2.warpAffine(image, fine, (size * 8,) * 2, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("size", [64, 160, 256])
def test_a_crop_is_at_least_as_exact_as_a_cubic_warp(astronaut, size):
    matrix = crop_matrix(predict(astronaut, largest_face(astronaut).box), size)
    wanted = exact(astronaut, matrix, size).astype(int)
    error = np.abs(cut_crop(astronaut, matrix, size) - wanted).mean()
    assert error < 0.35
    assert error < 1.25 * np.abs(warp_crop(astronaut, matrix, size) - wanted).mean()


@pytest.mark.parametrize("shift", [(-150, -60), (330, 0), (0, 420), (900, 900), (-900, 40)])
def test_the_border_repeats_where_the_crop_leaves_the_frame(astronaut, shift):
    matrix = np.array([[0.9, 0.1, -150.0 - shift[0]], [-0.1, 0.9, -60.0 - shift[1]]])
    error = np.abs(cut_crop(astronaut, matrix, 96).astype(int) - exact(astronaut, matrix, 96))
    assert error.mean() < 1.5


def test_a_tiny_frame_will_do():
    image = np.full((3, 2, 3), 77, np.uint8)
    assert (cut_crop(image, np.eye(2, 3) * 10, 32) == 77).all()
