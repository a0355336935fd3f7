import cv2
import numpy as np
import pytest
import skimage.transform

from understudy.faces import align
from understudy.faces.detect import largest_face
from understudy.faces.landmarks import predict
from understudy.faces.masks import eyes_mouth_mask, hull_mask, raise_brows


@pytest.fixture(scope="module")
def landmarks(astronaut):
    return predict(astronaut, largest_face(astronaut).box)


def test_umeyama_finds_a_known_similarity_and_never_mirrors():
    points = np.random.default_rng(0).normal(size=(33, 2))
    turn = np.array([[0.8, -1.1, 5.0], [1.1, 0.8, -3.0]])
    found = align.umeyama(points, points @ turn[:, :2].T + turn[:, 2])
    assert np.allclose(found, turn, atol=1e-12)
    mirrored = align.umeyama(points, points * (-1, 1))
    assert np.linalg.det(mirrored[:, :2]) > 0


def test_umeyama_agrees_with_scikit_image_on_noisy_points():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(33, 2)) * 40 + 100
    noisy = points @ np.array([[0.6, 0.2], [-0.2, 0.6]]) + (7, -4) + rng.normal(size=(33, 2))
    theirs = skimage.transform.SimilarityTransform.from_estimate(points, noisy)
    assert np.allclose(align.umeyama(points, noisy), theirs.params[:2], atol=1e-9)


def test_crop_is_the_stated_square_around_the_mean_face():
    for face_type, side, up in (("full", 1.597, 0), ("whole", 2.131, 0.07)):
        span = align.mean_face(200, face_type)
        width = span[:, 0].max() - span[:, 0].min()
        assert np.isclose(width, (0.858516 - 0.121737) / side * 200)
        middle = np.array([0.5, 0.5 - up])
        eye = (align.MEAN_FACE[9] - middle) / side * 200 + 99.5
        assert np.allclose(span[9], eye)


def test_mean_face_maps_onto_itself_and_back(landmarks):
    matrix = align.crop_matrix(landmarks, 128)
    there = align.transform_points(landmarks, matrix)
    assert np.abs(there[align.POINTS] - align.mean_face(128, "whole")).max() < 8
    back = align.transform_points(there, align.invert(matrix))
    assert np.abs(back - landmarks).max() < 1e-3
    assert np.isclose(align.scale_of(matrix) * align.scale_of(align.invert(matrix)), 1)


def test_a_crop_put_back_by_the_inverse_is_the_frame_again(astronaut, landmarks):
    height, width = astronaut.shape[:2]
    for face_type in ("full", "whole"):
        matrix = align.crop_matrix(landmarks, 512, face_type)
        crop = align.warp_crop(astronaut, matrix, 512)
        back = cv2.warpAffine(crop, align.invert(matrix), (width, height), flags=cv2.INTER_CUBIC)
        mask = hull_mask(align.transform_points(landmarks, matrix), 512)
        inside = cv2.warpAffine(mask, align.invert(matrix), (width, height))
        difference = np.abs(back.astype(int) - astronaut)[inside > 0.99]
        assert len(difference) > 5000 and difference.mean() < 1 and np.percentile(difference, 99) <= 6


def test_whole_shows_more_than_full_by_the_stated_sides(landmarks):
    full, whole = (align.scale_of(align.crop_matrix(landmarks, 256, face_type)) for face_type in ("full", "whole"))
    assert np.isclose(full / whole, 2.131 / 1.597)
    points = align.transform_points(landmarks, align.crop_matrix(landmarks, 256, "whole"))
    assert points.min() > 0 and points.max() < 255  # jaw and brows as well


def test_sizes_agree_when_crops_are_averaged_down(astronaut, landmarks):
    large = align.warp_crop(astronaut, align.crop_matrix(landmarks, 256), 256)
    small = align.warp_crop(astronaut, align.crop_matrix(landmarks, 64), 64)
    shrunk = cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - small).mean() < 1.5


def test_shrinking_averages_every_pixel_of_the_frame():
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 200  # as fine as can be: any pixel left out would show as moire
    matrix = np.array([[0.1, 0, 0], [0, 0.1, 0]])
    crop = align.warp_crop(stripes, matrix, 40)[2:-2, 2:-2]
    assert np.abs(crop.astype(int) - 100).max() <= 3


def test_outside_the_frame_its_border_repeats():
    image = np.full((50, 50, 3), 90, np.uint8)
    assert (align.warp_crop(image, np.array([[1.0, 0, 40], [0, 1.0, 40]]), 64) == 90).all()


def test_hull_holds_the_face_and_nothing_else(landmarks):
    points = align.transform_points(landmarks, align.crop_matrix(landmarks, 128))
    mask = hull_mask(points, 128)
    assert mask.dtype == np.float32 and mask.min() == 0 and mask.max() == 1
    inside = np.round(points[27:68]).astype(int)
    assert (mask[inside[:, 1], inside[:, 0]] == 1).all()
    assert mask[0].max() == mask[-1].max() == mask[:, 0].max() == mask[:, -1].max() == 0
    assert raise_brows(points)[17:27, 1].max() < points[17:27, 1].max()
    top = np.flatnonzero(mask.max(1) > 0.5)[0]
    assert top < points[17:27, 1].min()


def test_brows_rise_by_half_their_distance_to_the_eyes():
    points = np.zeros((68, 2), np.float32)
    points[:, 0] = np.arange(68)
    points[36:48, 1] = 50  # the eyes in a line; so are the ends of the jaw
    points[[0, 16], 1] = 50
    points[17:27, 1] = 30
    raised = raise_brows(points)
    assert np.allclose(raised[17:27, 1], 20)
    assert (raised[:17] == points[:17]).all() and (raised[27:] == points[27:]).all()


def test_masks_agree_over_sizes(landmarks):
    def share(size):
        return hull_mask(align.transform_points(landmarks, align.crop_matrix(landmarks, size)), size).mean()

    assert np.allclose([share(32), share(64), share(600)], share(256), atol=0.004)


def test_eyes_and_mouth_are_inside_the_face(landmarks):
    points = align.transform_points(landmarks, align.crop_matrix(landmarks, 128))
    soft = eyes_mouth_mask(points, 128)
    for feature in (slice(36, 42), slice(42, 48), slice(60, 68)):
        x, y = np.round(points[feature].mean(0)).astype(int)
        assert soft[y, x] > 0.5
    assert 0.005 < soft.mean() < hull_mask(points, 128).mean() / 3
