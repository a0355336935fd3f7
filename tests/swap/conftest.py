"""Facesets and a clip of the two portraits, swayed a little so that no two crops are alike."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from understudy.faces.align import crop_matrix, transform_points, warp_crop
from understudy.faces.describe import FaceRow, Scores, to_table
from understudy.faces.detect import largest_face
from understudy.faces.embedding import embed_faces
from understudy.faces.faceset import Faceset, encode_image, finish, write_shard
from understudy.faces.landmarks import predict
from understudy.swap.config import NetworkConfig, RenderConfig, SwapConfig, TrainingConfig
from understudy.video.encode import write_video

SIZE = 64
FRAMES = 24


def sway(image: np.ndarray, number: int) -> np.ndarray:
    """How frame `number` of a clip is turned and moved, (2, 3)."""
    matrix = cv2.getRotationMatrix2D((image.shape[1] / 2, image.shape[0] / 3), 4 * np.sin(number / 4), 1.0)
    matrix[:, 2] += (6 * np.sin(number / 6), 4 * np.cos(number / 7))
    return matrix


def swayed(image: np.ndarray, number: int) -> np.ndarray:
    """Frame `number` of a clip."""
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, sway(image, number), size, borderMode=cv2.BORDER_REFLECT)


def make_faceset(folder: Path, image: np.ndarray, clip: str, skip: tuple[int, ...] = ()) -> Faceset:
    """Crop the face out of every swayed frame; those in `skip` become rows without a face."""
    folder.mkdir(parents=True)
    face = largest_face(image)
    assert face is not None
    points = predict(image, face.box)
    embedding = embed_faces([image], [points])[0]
    rows = []
    for number in range(FRAMES):
        # The landmarks move as the picture does: exact, and quicker than finding them again.
        moved = transform_points(points, sway(image, number))
        matrix = crop_matrix(moved, SIZE)
        seen = number not in skip
        rows.append(
            FaceRow(
                image=encode_image(warp_crop(swayed(image, number), matrix, SIZE)),
                clip=clip,
                frame=number,
                time=number / 25,
                found=face if seen else None,
                matrix=matrix,
                landmarks=transform_points(moved, matrix) if seen else None,
                scores=Scores(),
            )
        )
    key = f"{clip}-0123456789"
    write_shard(folder, 0, key, to_table(rows, dict.fromkeys(range(FRAMES), embedding)))
    finish(folder, [key])
    return Faceset(folder)


@pytest.fixture(scope="session")
def source_set(tmp_path_factory: pytest.TempPathFactory, hopper: np.ndarray) -> Faceset:
    return make_faceset(tmp_path_factory.mktemp("sets") / "source", hopper, "hopper.mp4")


@pytest.fixture(scope="session")
def target_set(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Faceset:
    """Frames 10 and 11 show no face, nor do the last two."""
    return make_faceset(tmp_path_factory.mktemp("sets") / "target", astronaut, "astronaut.mp4", (10, 11, 22, 23))


@pytest.fixture(scope="session")
def faceless_set(tmp_path_factory: pytest.TempPathFactory, hopper: np.ndarray) -> Faceset:
    """Three faces and many rows without one, as a young GAN draws them."""
    return make_faceset(tmp_path_factory.mktemp("sets") / "faceless", hopper, "synthetic", tuple(range(3, FRAMES)))


@pytest.fixture(scope="session")
def target_clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """One second of the astronaut, 25 frames a second, with sound."""
    path = tmp_path_factory.mktemp("clip") / "astronaut.mp4"
    sound = 0.1 * np.sin(np.arange(44_100 * FRAMES // 25) / 20)
    write_video(path, (swayed(astronaut, number) for number in range(FRAMES)), Fraction(25), (512, 512), sound)
    return path


@pytest.fixture(scope="session")
def tiny() -> SwapConfig:
    """A swap that trains in a second."""
    return SwapConfig(
        faces="real",
        network=NetworkConfig(encoder=8, inter=32, decoder=8, mask=4),
        training=TrainingConfig(iterations=6, batch=4, lr=5e-4, log_every=1, preview_every=3, checkpoint_every=0),
        render=RenderConfig(batch=5),
    )
