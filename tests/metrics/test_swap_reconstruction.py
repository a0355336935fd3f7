"""How well faces are drawn anew, and whether a swap can be told from its clip."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.faces.describe import describe_crops
from understudy.metrics.config import DetectabilityConfig
from understudy.metrics.swap_detectability import blocks_of_time, detectability
from understudy.metrics.swap_reconstruction import reconstruction_scores
from understudy.video.decode import decode
from understudy.video.encode import write_video


def blurred(images: np.ndarray, sigma: float) -> np.ndarray:
    return np.stack([cv2.GaussianBlur(image, (0, 0), sigma) for image in images])


def test_the_better_the_drawing_the_better_the_figures(filmed):
    rows = np.flatnonzero(filmed.found())[:6]
    same, soft, softer = (
        reconstruction_scores(filmed, rows, make, 100)
        for make in (lambda images: images, lambda images: blurred(images, 0.7), lambda images: blurred(images, 2.0))
    )
    assert same["ssim"] == pytest.approx(1) and same["perceptual"] == pytest.approx(0, abs=1e-6) and same["psnr"] == 100
    assert same["ssim"] > soft["ssim"] > softer["ssim"] and soft["psnr"] > softer["psnr"] > 10
    assert same["perceptual"] < soft["perceptual"] < softer["perceptual"] < 1
    assert soft["other_ssim"] == same["other_ssim"] < 1 and soft["faces"] == len(rows) and soft["missing"] is None


def test_only_the_face_counts(filmed):
    rows = np.flatnonzero(filmed.found())[:3]

    def framed(images: np.ndarray) -> np.ndarray:
        made = images.copy()
        made[:, :4] = 255
        return made

    assert reconstruction_scores(filmed, rows, framed, 100)["psnr"] == 100


def test_too_few_faces_and_none_wanted_are_told(filmed):
    few = reconstruction_scores(filmed, np.arange(0), lambda images: images, 100)
    assert few["ssim"] is None and "Only 0 filmed faces" in few["missing"]
    assert "Switched off" in reconstruction_scores(filmed, np.arange(9), lambda images: images, 0)["missing"]


def test_blocks_of_time_keep_their_distance():
    frames = np.r_[np.arange(40), np.arange(60, 100)]
    block = blocks_of_time(frames, 4, 5)
    assert set(block) == {-1, 0, 1, 2, 3}
    for first in range(3):
        assert frames[block == first + 1].min() - frames[block == first].max() > 5
    assert (block[frames == 60] >= 0).all(), "a gap of the footage is gap enough"
    assert len(blocks_of_time(np.arange(0), 4, 5)) == 0 and (blocks_of_time(np.arange(8), 8, 5) >= 0).sum() == 8


PROBES = DetectabilityConfig(folds=2, epochs=1, halvings=1, draws=100)


@pytest.fixture(scope="module")
def footage(hopper: np.ndarray, store, tmp_path_factory):
    """Forty frames of a portrait that moves, with noise, and a faceset of them."""
    folder: Path = tmp_path_factory.mktemp("footage")
    rng = np.random.default_rng(0)
    face = cv2.resize(hopper[:400, 60:460], (128, 128), interpolation=cv2.INTER_AREA)
    frames = [
        np.clip(np.roll(face, number % 3, 1) + rng.normal(0, 2, face.shape), 0, 255).astype(np.uint8)
        for number in range(40)
    ]
    write_video(folder / "clip.mp4", frames, Fraction(25), (128, 128))
    table = describe_crops(np.stack(frames[:1] * 40), clip="clip.mp4")
    return folder / "clip.mp4", store(table)


def test_a_blurred_face_is_told_and_a_mere_copy_is_not(footage, tmp_path):
    original, faces = footage
    seen = np.stack([frame.rgb() for frame in decode(original)])  # a swap is made of coded frames and coded again
    for name, pictures in (("copy", seen), ("blurred", blurred(seen, 2.0))):
        write_video(tmp_path / f"{name}.mp4", pictures, Fraction(25), (128, 128))
    told = detectability(original, tmp_path / "blurred.mp4", faces, PROBES, 18, 0)
    copy = detectability(original, tmp_path / "copy.mp4", faces, PROBES, 18, 0)
    assert told["missing"] is None and told["spectrum"]["auc"] > 0.95 and told["blocks"] == 4
    assert copy["spectrum"]["auc"] < 0.8 and "control" in copy


def test_probes_that_are_off_or_have_too_little_say_so(footage):
    original, faces = footage
    assert (
        "Switched off" in detectability(original, original, faces, DetectabilityConfig(enabled=False), 18, 0)["missing"]
    )
    many = DetectabilityConfig(folds=30)
    assert "some in each of 60 blocks" in detectability(original, original, faces, many, 18, 0)["missing"]
