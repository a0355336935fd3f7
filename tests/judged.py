"""Facesets of real faces for the tests of the evaluation: augmented crops of the two portraits."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from understudy.faces.align import crop_matrix
from understudy.faces.describe import describe_crops
from understudy.faces.detect import largest_face
from understudy.faces.faceset import Faceset, finish, write_shard
from understudy.faces.landmarks import predict

SIZE = 64


def crops(portrait: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Crops (count, 64, 64, 3) of the portrait's face, a little turned, scaled and lit otherwise each time."""
    face = largest_face(portrait)
    assert face is not None
    matrix = crop_matrix(predict(portrait, face.box), SIZE)
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), rng.uniform(-8, 8), rng.uniform(0.95, 1.05))
        both = (np.vstack([turn, [0, 0, 1]]) @ np.vstack([matrix, [0, 0, 1]]))[:2]
        image = cv2.warpAffine(portrait, both, (SIZE, SIZE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        made.append(np.clip(image * rng.uniform(0.85, 1.1), 0, 255).astype(np.uint8))
    return np.stack(made)


@pytest.fixture(scope="session")
def hopper_crops(hopper: np.ndarray) -> np.ndarray:
    """24 crops of Grace Hopper."""
    return crops(hopper, 24, 1)


@pytest.fixture(scope="session")
def astronaut_crops(astronaut: np.ndarray) -> np.ndarray:
    """4 crops of Eileen Collins."""
    return crops(astronaut, 4, 2)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Faceset]:
    """A function that writes tables as a faceset, a shard each."""

    def write(*tables: pa.Table) -> Faceset:
        folder: Path = tmp_path_factory.mktemp("faces")
        for number, table in enumerate(tables):
            write_shard(folder, number, f"key{number}", table)
        finish(folder, [f"key{number}" for number in range(len(tables))])
        return Faceset(folder)

    return write


@pytest.fixture(scope="session")
def filmed(hopper_crops: np.ndarray, store: Callable[..., Faceset]) -> Faceset:
    """The originals: 18 crops of Grace Hopper from two clips."""
    return store(
        describe_crops(hopper_crops[:9], 0, clip="one.mp4"), describe_crops(hopper_crops[9:18], 0, clip="two.mp4")
    )


@pytest.fixture(scope="session")
def synthetic(hopper_crops: np.ndarray, astronaut_crops: np.ndarray, store: Callable[..., Faceset]) -> Faceset:
    """A sample to be judged: 6 of Grace Hopper, 4 of somebody else, 2 of nobody."""
    noise = np.random.default_rng(3).integers(0, 255, (2, SIZE, SIZE, 3), dtype=np.uint8)
    images = np.concatenate([hopper_crops[18:], astronaut_crops, noise])
    return store(describe_crops(images, 0, range(len(images))))


@pytest.fixture(scope="session")
def nobody(store: Callable[..., Faceset]) -> Faceset:
    """A sample without any face."""
    noise = np.random.default_rng(4).integers(0, 255, (3, SIZE, SIZE, 3), dtype=np.uint8)
    return store(describe_crops(noise, 0, range(3)))
