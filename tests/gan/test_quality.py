import cv2
import numpy as np
import pytest
import scipy.linalg

from understudy.faces.align import POINTS, mean_face
from understudy.gan.data import read_faces
from understudy.gan.leak import leak_figures
from understudy.gan.quality import FaceDistance, frechet, usual_landmarks


def test_frechet_distance_equals_its_formula() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(300, 6)), random.normal(size=(200, 6)) @ random.normal(size=(6, 6)) + 1
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(cov_a @ cov_b).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(cov_a + cov_b - 2 * root)
    assert frechet(a, b) == pytest.approx(expected, rel=1e-8)
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)


def test_faces_of_the_same_person_are_nearer_than_another_or_none(make_faceset, hopper) -> None:
    faces = make_faceset(count=60, size=64)
    images = faces.images(range(60))
    landmarks = usual_landmarks([faces])
    np.testing.assert_allclose(landmarks[POINTS], mean_face(64, "full"), atol=1e-3)
    distance = FaceDistance(read_faces([faces], 64, 100), landmarks, 30)
    distance._features = distance._embed(images[:30])
    other = cv2.resize(hopper[20:320, 120:420], (64, 64), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(0).integers(0, 256, (30, 64, 64, 3), dtype=np.uint8)
    near, far, nothing = (
        frechet(distance._features, distance._embed(drawn)) for drawn in (images[30:], np.stack([other] * 30), noise)
    )
    assert near < 0.5 * far
    assert near < 0.5 * nothing


def changed(images: np.ndarray, how: str) -> np.ndarray:
    random = np.random.default_rng(1)
    if how == "brightness":
        return np.clip(images * random.uniform(0.3, 1.7, (len(images), 1, 1, 1)), 0, 255).astype(np.uint8)
    if how == "saturation":
        return np.repeat(images.mean(axis=3, keepdims=True), 3, axis=3).astype(np.uint8)
    if how == "turned":
        return np.stack([np.rot90(image, number % 4) for number, image in enumerate(images)])
    matrices = [cv2.getRotationMatrix2D((32, 32), random.uniform(-40, 40), 1.0) for _ in images]
    return np.stack(
        [cv2.warpAffine(i, m, (64, 64), borderMode=cv2.BORDER_REFLECT) for i, m in zip(images, matrices, strict=True)]
    )


def test_augmentations_that_leak_are_seen(make_faceset) -> None:
    faces = make_faceset(count=60, size=64)
    landmarks = usual_landmarks([faces])
    images = faces.images(range(60))
    filmed, drawn = images[::2], images[1::2]
    assert leak_figures(drawn, filmed, landmarks)["shows"] == []
    for how in ("brightness", "saturation", "turned", "roll"):
        assert how in leak_figures(changed(drawn, how), filmed, landmarks)["shows"], how
