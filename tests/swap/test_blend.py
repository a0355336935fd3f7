"""Laying a face into a frame."""

import cv2
import numpy as np
import pytest

from understudy.faces.align import crop_matrix, invert, transform_points
from understudy.faces.cut import cut_crop
from understudy.faces.detect import largest_face
from understudy.faces.landmarks import predict
from understudy.swap.blend import Blender, crop_side, finer, lay_in, resized
from understudy.swap.config import BlendConfig
from understudy.swap.mask import face_mask

SIZE = 64
WHOLE = np.ones((SIZE, SIZE), np.float32)
Place = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def place(astronaut: np.ndarray) -> Place:
    """Matrix, landmarks in crop pixels, and the crop of the astronaut's face as it is compared."""
    face = largest_face(astronaut)
    assert face is not None
    points = predict(astronaut, face.box)
    matrix = crop_matrix(points, SIZE)
    side = crop_side(SIZE)
    return matrix, transform_points(points, matrix), cut_crop(astronaut, finer(matrix, side / SIZE), side)


def green() -> np.ndarray:
    face = np.zeros((SIZE, SIZE, 3), np.uint8)
    face[..., 1] = 255
    return face


@pytest.mark.parametrize("mode", ["paste", "seamless"])
def test_outside_the_mask_not_a_pixel_changes(astronaut: np.ndarray, place: Place, mode: str) -> None:
    matrix, landmarks, crop = place
    before = astronaut.copy()
    blend = Blender(BlendConfig(mode=mode, colour_transfer="none", sharpen=0))
    out = blend(astronaut, crop, green(), WHOLE, landmarks, matrix)
    points = transform_points(landmarks, invert(matrix))
    rows, columns = np.nonzero((out != astronaut).any(2))
    eyes, chin = points[36:48, 1].mean(), points[8, 1]
    height = chin - eyes
    assert rows.min() > eyes - height and rows.max() <= chin + 0.05 * height
    jaw = points[:17, 0]
    assert columns.min() > jaw.min() - 0.1 * height and columns.max() < jaw.max() + 0.1 * height
    nose = points[30].round().astype(int)
    if mode == "paste":
        assert tuple(out[nose[1], nose[0]]) == (0, 255, 0), "the face itself is wholly new"
    assert np.array_equal(astronaut, before), "the frame that was given stays as it is"


@pytest.mark.parametrize("mode", ["paste", "seamless"])
def test_own_face_laid_in_again_is_hardly_seen(astronaut: np.ndarray, place: Place, mode: str) -> None:
    matrix, landmarks, crop = place
    out = Blender(BlendConfig(mode=mode))(astronaut, crop, resized(crop, SIZE), WHOLE, landmarks, matrix)
    changed = (out != astronaut).any(2)
    assert changed.any()
    assert np.abs(out[changed].astype(int) - astronaut[changed]).mean() < 8


@pytest.mark.parametrize("mode", ["paste", "seamless"])
def test_nothing_moves_on_its_way_back(astronaut: np.ndarray, place: Place, mode: str) -> None:
    """A fine copy of the frame's own face comes to lie on itself: the best shift is none."""
    matrix, landmarks, _ = place
    fine = finer(matrix, 4)
    crop = cut_crop(astronaut, fine, 4 * SIZE)
    mask = face_mask(np.ones((4 * SIZE,) * 2, np.float32), (landmarks + 0.5) * 4 - 0.5, BlendConfig())
    out = lay_in(astronaut, crop, mask, fine, mode)
    rows, columns = np.nonzero((out != astronaut).any(2))
    box = np.s_[rows.min() : rows.max(), columns.min() : columns.max()]
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[box].astype(np.float32) for image in (out, astronaut)]
    (dx, dy), _ = cv2.phaseCorrelate(*grey)
    assert abs(dx) < 0.05 and abs(dy) < 0.05
    assert np.abs(grey[0] - grey[1]).mean() < 2


def test_what_is_in_front_of_the_face_stays(astronaut: np.ndarray, place: Place) -> None:
    """The network's mask leaves out a hand over the mouth: there the frame is kept."""
    matrix, landmarks, crop = place
    mask = WHOLE.copy()
    mouth = landmarks[48:68].mean(0).round().astype(int)
    mask[mouth[1] - 4 : mouth[1] + 5] = 0
    out = Blender(BlendConfig(colour_transfer="none"))(astronaut, crop, green(), mask, landmarks, matrix)
    points = transform_points(landmarks, invert(matrix)).round().astype(int)
    lips, nose = points[48:68].mean(0).round().astype(int), points[30]
    assert np.array_equal(out[lips[1], lips[0]], astronaut[lips[1], lips[0]])
    assert not np.array_equal(out[nose[1], nose[0]], astronaut[nose[1], nose[0]])


def test_empty_mask_and_face_beyond_the_frame(astronaut: np.ndarray, place: Place) -> None:
    matrix, landmarks, crop = place
    blend = Blender(BlendConfig())
    assert np.array_equal(blend(astronaut, crop, green(), 0 * WHOLE, landmarks, matrix), astronaut)
    away = matrix.copy()
    away[:, 2] += 10 * SIZE
    assert np.array_equal(blend(astronaut, crop, green(), WHOLE, landmarks, away), astronaut)


@pytest.mark.parametrize("mode", ["paste", "seamless"])
@pytest.mark.parametrize("narrow", [0.3, 0.05, 0.0])
def test_a_profile_has_a_narrow_mask_or_none(astronaut: np.ndarray, place: Place, mode: str, narrow: float) -> None:
    """Landmarks of a head that turns away close up to a line."""
    matrix, landmarks, crop = place
    turned = landmarks.copy()
    turned[:, 0] = landmarks[30, 0] + narrow * (landmarks[:, 0] - landmarks[30, 0])
    out = Blender(BlendConfig(mode=mode))(astronaut, crop, green(), WHOLE, turned, matrix)
    points = transform_points(turned, invert(matrix))
    columns = np.nonzero((out != astronaut).any((0, 2)))[0]
    assert not len(columns) or (columns.min() > points[:, 0].min() - 6 and columns.max() < points[:, 0].max() + 6)


def test_mask_is_soft_and_shrinks_with_erosion(place: Place) -> None:
    _, landmarks, _ = place
    hard = face_mask(WHOLE, landmarks, BlendConfig(erode=0, feather=0))
    soft = face_mask(WHOLE, landmarks, BlendConfig())
    small = face_mask(WHOLE, landmarks, BlendConfig(erode=0.1))
    assert hard.sum() > soft.sum() > small.sum() > 0
    assert np.abs(np.diff(soft, axis=1)).max() < 0.25 < np.abs(np.diff(hard, axis=1)).max()
    outside = hard == 0
    below = outside.copy()
    below[: int(landmarks[36:48, 1].mean() * len(hard) / SIZE)] = False
    assert below.any() and (soft[below] < 0.2).all() and (soft[outside] < 0.6).all()


def test_the_brows_are_covered_whole(place: Place) -> None:
    _, landmarks, _ = place
    mask = face_mask(WHOLE, landmarks, BlendConfig())
    brows = ((landmarks[17:27] + 0.5) * len(mask) / SIZE - 0.5).round().astype(int)
    seen = mask[brows[:, 1], brows[:, 0]]
    assert (seen[2:8] > 0.9).all() and (seen[1:9] > 0.5).all()


def inside_mean(blend: Blender, frame: np.ndarray, crop: np.ndarray, face: np.ndarray, place: Place, **more) -> float:
    matrix, landmarks, _ = place
    out = blend(frame, crop, face, WHOLE, landmarks, matrix, **more)
    points = transform_points(landmarks, invert(matrix))[27:36]
    (left, top), (right, bottom) = points.min(0).astype(int), points.max(0).astype(int)
    return float(out[top:bottom, left:right].mean())


def test_colours_do_not_flicker_but_light_comes_at_once(astronaut: np.ndarray, place: Place) -> None:
    """A network whose face is lighter and darker by turns; then the lamp goes out."""
    crop = place[2]
    faces = [np.clip(resized(crop, SIZE).astype(int) + shift, 0, 255).astype(np.uint8) for shift in [0, 4] * 8]
    frames = [np.clip(crop.astype(int) + shift, 0, 255).astype(np.uint8) for shift in [4, 0] * 8]
    heights = {}
    for steady in (0, 8):
        blend = Blender(BlendConfig(colour_steady=steady))
        means = [inside_mean(blend, astronaut, f, x, place) for f, x in zip(frames, faces, strict=True)]
        heights[steady] = np.ptp(means[8:])
    assert heights[0] > 3 and heights[8] < 0.4 * 4 + 4, "an averaged change follows the network alone"
    dark = (crop * 0.5).astype(np.uint8)
    blend = Blender(BlendConfig(colour_steady=8))
    for face in faces[:6]:
        inside_mean(blend, astronaut, crop, face, place)
    late = inside_mean(blend, astronaut, dark, faces[0], place)
    alone = inside_mean(Blender(BlendConfig()), astronaut, dark, faces[0], place)
    assert late == pytest.approx(alone, abs=0.5)


def test_colours_are_not_averaged_over_a_cut(astronaut: np.ndarray, place: Place) -> None:
    crop = place[2]
    face = resized(crop, SIZE)
    other = np.clip(crop.astype(int) - 10, 0, 255).astype(np.uint8)
    means = []
    for shot in (0, 1):
        blend = Blender(BlendConfig(colour_steady=20))
        inside_mean(blend, astronaut, crop, face, place, shot=0)
        means.append(inside_mean(blend, astronaut, other, face, place, shot=shot))
    assert means[0] - means[1] > 7
