"""Laying a face into a frame."""

import numpy as np
import pytest

from understudy.faces.align import crop_matrix, transform_points, warp_crop
from understudy.faces.detect import largest_face
from understudy.faces.landmarks import predict
from understudy.swap.blend import blend, face_mask, match_colours, sharpen
from understudy.swap.config import BlendConfig

SIZE = 64


@pytest.fixture(scope="module")
def place(astronaut: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matrix, landmarks in crop pixels, and the crop of the astronaut's face."""
    face = largest_face(astronaut)
    assert face is not None
    points = predict(astronaut, face.box)
    matrix = crop_matrix(points, SIZE)
    return matrix, transform_points(points, matrix), warp_crop(astronaut, matrix, SIZE)


def test_outside_the_mask_not_a_pixel_changes(astronaut: np.ndarray, place) -> None:
    matrix, landmarks, crop = place
    before = astronaut.copy()
    green = np.zeros_like(crop)
    green[..., 1] = 255
    out = blend(astronaut, green, np.ones((SIZE, SIZE)), landmarks, matrix, BlendConfig(colour_transfer="none"))
    changed = (out != astronaut).any(2)
    points = transform_points(landmarks, np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2])
    rows, columns = np.nonzero(changed)
    eyes, chin = points[36:48, 1].mean(), points[8, 1]
    height = chin - eyes
    assert rows.min() > eyes - height and rows.max() <= chin + 0.05 * height
    jaw = points[:17, 0]
    assert columns.min() > jaw.min() - 0.1 * height and columns.max() < jaw.max() + 0.1 * height
    nose = points[30].round().astype(int)
    assert tuple(out[nose[1], nose[0]]) == (0, 255, 0), "the face itself is wholly new"
    assert np.array_equal(astronaut, before), "the frame that was given stays as it is"


def test_own_face_laid_in_again_is_hardly_seen(astronaut: np.ndarray, place) -> None:
    matrix, landmarks, crop = place
    out = blend(astronaut, crop, np.ones((SIZE, SIZE)), landmarks, matrix, BlendConfig())
    changed = (out != astronaut).any(2)
    assert changed.any()
    assert np.abs(out[changed].astype(int) - astronaut[changed]).mean() < 12


def test_empty_mask_and_face_beyond_the_frame(astronaut: np.ndarray, place) -> None:
    matrix, landmarks, crop = place
    out = blend(astronaut, crop, np.zeros((SIZE, SIZE)), landmarks, matrix, BlendConfig())
    assert np.array_equal(out, astronaut)
    away = matrix.copy()
    away[:, 2] += 10 * SIZE
    assert np.array_equal(blend(astronaut, crop, np.ones((SIZE, SIZE)), landmarks, away, BlendConfig()), astronaut)


def test_mask_is_soft_and_shrinks_with_erosion(place) -> None:
    _, landmarks, _ = place
    whole = np.ones((SIZE, SIZE))
    hard = face_mask(whole, landmarks, BlendConfig(erode=0, feather=0))
    soft = face_mask(whole, landmarks, BlendConfig())
    small = face_mask(whole, landmarks, BlendConfig(erode=0.1))
    assert hard.sum() > soft.sum() > small.sum() > 0
    assert np.abs(np.diff(soft, axis=1)).max() < 0.15 < np.abs(np.diff(hard, axis=1)).max()
    assert (soft[hard == 0] < 0.2).all()


def test_colours_are_matched_inside_the_mask(place) -> None:
    *_, crop = place
    dull = (crop * 0.5 + 20).astype(np.uint8)
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[16:48, 16:48] = 1
    out = match_colours(dull, crop, mask)
    inside = mask > 0
    assert np.abs(out[inside].mean(0) * 255 - crop[inside].mean(0)).max() < 3


def test_sharpening_sharpens_and_may_be_off(place) -> None:
    face = place[2].astype(np.float32) / 255
    assert sharpen(face, 0) is face
    assert np.abs(np.diff(sharpen(face, 0.5), axis=0)).mean() > np.abs(np.diff(face, axis=0)).mean()
