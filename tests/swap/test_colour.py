"""The frame's colours and sharpness for the new face."""

import cv2
import numpy as np
import pytest
from skimage.exposure import match_histograms

from understudy.swap import colour, sharpness

WAYS = ["rct", "linear", "mkl", "histogram"]


@pytest.fixture(scope="module")
def face(astronaut: np.ndarray) -> np.ndarray:
    return cv2.resize(astronaut[60:188, 160:288], (64, 64), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def mask() -> np.ndarray:
    inside = np.zeros((64, 64), np.float32)
    inside[12:52, 12:52] = 1
    return inside


@pytest.mark.parametrize("way", WAYS)
def test_a_coloured_cast_is_taken_off(face: np.ndarray, mask: np.ndarray, way: colour.ColourTransfer) -> None:
    cast = np.clip(face * (0.8, 0.9, 0.7) + (20, 5, 40), 0, 255).astype(np.uint8)
    inside = mask > 0
    wrong = np.abs(cast[inside].astype(int) - face[inside]).mean()
    out = colour.apply(cast, colour.measure(cast, face, mask, way), way)
    assert out.dtype == np.uint8 and wrong > 10
    assert np.abs(out[inside].mean(0) - face[inside].mean(0)).max() < 1.5
    assert np.abs(out[inside].astype(int) - face[inside]).mean() < 0.3 * wrong


@pytest.mark.parametrize("way", [*WAYS, "none"])
def test_the_same_face_stays_as_it_is(face: np.ndarray, mask: np.ndarray, way: colour.ColourTransfer) -> None:
    out = colour.apply(face, colour.measure(face, face, mask, way), way)
    assert np.abs(out.astype(int) - face).max() <= 2
    assert np.abs(colour.apply(face, colour.neutral(way), way).astype(int) - face).max() <= 1


@pytest.mark.parametrize("way", WAYS)
def test_what_is_outside_the_mask_does_not_count(
    face: np.ndarray, mask: np.ndarray, way: colour.ColourTransfer
) -> None:
    loud = face.copy()
    loud[mask == 0] = (255, 0, 255)
    dark = (face * 0.7).astype(np.uint8)
    assert np.allclose(colour.measure(dark, loud, mask, way), colour.measure(dark, face, mask, way))


@pytest.mark.parametrize("way", [*WAYS, "none"])
def test_no_mask_and_a_face_of_one_colour(face: np.ndarray, mask: np.ndarray, way: colour.ColourTransfer) -> None:
    assert np.array_equal(colour.measure(face, face, 0 * mask, way), colour.neutral(way))
    flat = np.full_like(face, 90)
    change = colour.measure(flat, face, mask, way)
    assert np.isfinite(change).all()
    out = colour.apply(flat, change, way)
    if way in ("rct", "linear", "mkl"):
        assert np.abs(out[mask > 0].mean(0) - face[mask > 0].mean(0)).max() < 8


def test_covariances_are_matched_and_mkl_changes_least() -> None:
    generator = np.random.default_rng(0)
    mixes = [np.array([[1, 0, 0], [0.6, 0.8, 0], [0.2, 0.3, 0.9]]), np.array([[0.9, 0.2, 0], [0.1, 1, 0.4], [0, 0, 1]])]
    face, frame = (
        np.clip(128 + 22 * generator.normal(size=(64, 64, 3)) @ mix, 0, 255).astype(np.uint8) for mix in mixes
    )
    whole = np.ones((64, 64))
    moved = {}
    for way in ("linear", "mkl"):
        out = colour.apply(face, colour.measure(face, frame, whole, way), way)
        ours, wanted, before = (np.cov(x.reshape(-1, 3).T) for x in (out, frame, face))
        assert np.abs(ours - wanted).max() < 0.08 * np.abs(before - wanted).max() + 12
        moved[way] = ((out.astype(float) - face) ** 2).mean()
    assert moved["mkl"] < moved["linear"]


def test_curves_do_what_scikit_image_does(face: np.ndarray, mask: np.ndarray) -> None:
    other = np.clip(face * 0.6 + 50, 0, 255).astype(np.uint8)
    inside = mask > 0
    out = colour.apply(face, colour.measure(face, other, mask, "histogram"), "histogram")
    wanted = match_histograms(face[inside], other[inside], channel_axis=1)
    assert np.abs(out[inside] - wanted.astype(float)).max() <= 1


def test_a_soft_face_is_made_as_sharp_as_the_frame_and_no_sharper(face: np.ndarray, mask: np.ndarray) -> None:
    soft = cv2.GaussianBlur(face, (0, 0), 0.8)

    def energy(image: np.ndarray) -> float:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return float((mask * (grey - cv2.GaussianBlur(grey, (0, 0), 1)) ** 2).sum())

    strength = sharpness.measure(soft, face, mask, 1, 3)
    assert strength > 0.3
    assert energy(sharpness.apply(soft, strength, 1)) == pytest.approx(energy(face), rel=0.1)
    assert sharpness.measure(soft, face, mask, 1, 0.2) == 0.2, "the limit holds"
    assert sharpness.measure(soft, face, mask, 1, 0) == 0
    assert sharpness.measure(face, face, mask, 1, 3) == pytest.approx(0, abs=1e-3)


def test_a_face_sharper_than_the_blurred_frame_is_softened(face: np.ndarray, mask: np.ndarray) -> None:
    blurred = cv2.GaussianBlur(face, (0, 0), 1.5)
    strength = sharpness.measure(face, blurred, mask, 1, 3)
    assert -1 <= strength < -0.3
    change = [np.abs(image.astype(int) - blurred).mean() for image in (face, sharpness.apply(face, strength, 1))]
    assert change[1] < 0.8 * change[0]
    assert sharpness.measure(np.full_like(face, 90), face, mask, 1, 3) == 0, "nothing to sharpen"
