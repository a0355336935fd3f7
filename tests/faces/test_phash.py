import cv2
import imagehash
import numpy as np
from PIL import Image

from understudy.faces.describe import describe_crops
from understudy.faces.phash import hash_distance, perceptual_hash


def test_a_hash_is_that_of_imagehash(astronaut):
    small = cv2.resize(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    theirs = int(str(imagehash.phash(Image.fromarray(small))), 16)
    assert perceptual_hash(astronaut) % 2**64 == theirs
    assert -(2**63) <= perceptual_hash(astronaut) < 2**63


def test_the_same_picture_hashes_alike_and_another_does_not(astronaut, hopper):
    first, other = perceptual_hash(astronaut), perceptual_hash(hopper)
    shrunk = cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", astronaut, [cv2.IMWRITE_JPEG_QUALITY, 60])
    brighter = np.clip(astronaut.astype(int) + 20, 0, 255).astype(np.uint8)
    again = np.array([perceptual_hash(image) for image in (shrunk, cv2.imdecode(data, 1), brighter)])
    assert hash_distance(again, np.int64(first)).max() <= 4
    assert hash_distance(np.int64(first), np.int64(other)) > 16


def test_distance_counts_bits_of_negative_numbers_too():
    assert hash_distance(np.array([0, -1, 1, -(2**63)]), np.array([0, 0, 3, 1])).tolist() == [0, 64, 1, 2]


def test_rows_carry_the_hash_of_their_crop_and_zero_without_a_face(hopper_crops):
    blank = np.full((1, 64, 64, 3), 90, np.uint8)
    hashes = describe_crops(np.concatenate([hopper_crops[:2], blank])).column("phash").to_pylist()
    assert hashes == [perceptual_hash(hopper_crops[0]), perceptual_hash(hopper_crops[1]), 0]
