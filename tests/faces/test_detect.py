import cv2
import numpy as np
import pytest

from understudy.faces.align import crop_matrix, warp_crop
from understudy.faces.detect import detect, detect_crop, detect_enlarged, detect_large, enlarge, largest_face
from understudy.faces.landmarks import eye_distance, predict, predict5


def test_face_of_a_portrait_is_found_on_luma(astronaut):
    face = largest_face(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY))
    assert face is not None and face.score > 1
    assert np.allclose(face.centre, (223, 127), atol=8)


def test_nothing_is_found_where_nothing_is():
    assert detect(np.full((200, 200), 128, np.uint8)) == []
    assert largest_face(np.zeros((200, 200), np.uint8)) is None
    assert detect_crop(np.zeros((64, 64, 3), np.uint8)) is None


@pytest.mark.parametrize("size", [64, 256])
def test_crop_detection_is_in_crop_pixels(astronaut, size):
    landmarks = predict(astronaut, largest_face(astronaut).box)
    crop = warp_crop(astronaut, crop_matrix(landmarks, size), size)
    face = detect_crop(crop)
    assert face is not None and face.score > 0.5
    assert np.allclose(np.divide(face.centre, size), 0.5, atol=0.08)
    assert 0.4 < face.width / size < 0.8


def test_of_two_faces_in_a_crop_the_central_one_counts(astronaut):
    landmarks = predict(astronaut, largest_face(astronaut).box)
    crop = warp_crop(astronaut, crop_matrix(landmarks, 256), 256)
    beside = np.hstack([crop[:, 64:192], crop])[:, :256]  # the second face is cut off by the border
    assert abs(detect_crop(np.hstack([crop[:, 192:], crop, crop[:, :64]])).centre[0] - 192) < 16
    assert detect_crop(beside).centre[0] < 100


@pytest.mark.parametrize("side", [256, 400])
def test_large_faces_are_found_exactly_as_the_full_search_finds_them(hopper_crops, astronaut_crops, side):
    for crop in (*hopper_crops[:4], *astronaut_crops[:2]):
        large = cv2.resize(enlarge(crop)[0], (side, side), interpolation=cv2.INTER_CUBIC)
        found = detect_large(large)
        assert found and sorted(found, key=lambda face: -face.score) == detect(large, upsample=1)


def test_a_small_face_is_still_found_and_noise_is_none(astronaut_crops):
    small = np.full((256, 256, 3), 128, np.uint8)
    small[80:170, 80:170] = cv2.resize(astronaut_crops[0], (90, 90), interpolation=cv2.INTER_AREA)
    assert detect_large(small) == [] and detect_enlarged(small) == max(detect(small, 1), key=lambda face: face.score)
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    assert detect_enlarged(noise) is None


def test_landmarks_lie_on_the_features(astronaut):
    box = largest_face(astronaut).box
    points = predict(astronaut, box)
    assert points.shape == (68, 2) and points.dtype == np.float32
    assert points[36:48, 1].max() < points[30, 1] < points[48:, 1].min()
    five = predict5(astronaut, box)
    assert np.abs(five[[1, 3]] - points[[42, 39]]).max() < 4
    assert 30 < eye_distance(points) < 45
