"""A small faceset of real faces: shifted and turned crops of a public-domain portrait."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest
import skimage.data

from understudy.faces.align import POINTS, mean_face
from understudy.faces.faceset import SCHEMA, Faceset, encode_image, finish, write_shard

MakeFaceset = Callable[..., Faceset]


def portrait_crops(count: int, size: int, seed: int = 0) -> list[np.ndarray]:
    """Crops of the astronaut's face, each a little different."""
    portrait = skimage.data.astronaut()
    random = np.random.default_rng(seed)
    crops = []
    for _ in range(count):
        matrix = cv2.getRotationMatrix2D((225, 115), random.uniform(-10, 10), random.uniform(0.9, 1.1) * size / 170)
        matrix[:, 2] += np.array([size / 2 - 225, size / 2 - 115]) + random.uniform(-2, 2, 2)
        crops.append(cv2.warpAffine(portrait, matrix, (size, size), flags=cv2.INTER_AREA))
    return crops


def write_faceset(parent: Path, count: int = 20, size: int = 16, faceless: int = 0, name: str = "faces") -> Faceset:
    """Write a faceset of `count` crops; the first `faceless` rows hold no face."""
    rows = []
    points = np.full((68, 2), size / 2)  # jaw and lower lips, of no importance here
    points[POINTS] = mean_face(size, "full")
    for number, crop in enumerate(portrait_crops(count, size)):
        scores = dict.fromkeys(SCHEMA.names[9:-1], 0.0)
        rows.append(
            {
                "image": encode_image(crop),
                "clip": "portrait",
                "frame": number,
                "time": number / 25,
                "box": [0.0] * 4,
                "score": float("nan") if number < faceless else 1.0,
                "matrix": [0.0] * 6,
                "landmarks": points.ravel().tolist(),
                "embedding": [0.0] * 128,
                **scores,
                "seed": -1,
            }
        )
    folder = parent / name
    folder.mkdir()
    write_shard(folder, 0, "a" * 16, pa.Table.from_pylist(rows, schema=SCHEMA))
    finish(folder, ["a" * 16])
    return Faceset(folder)


@pytest.fixture
def make_faceset(tmp_path: Path) -> MakeFaceset:
    """Write a faceset in the test's own folder."""
    return partial(write_faceset, tmp_path)


@pytest.fixture(scope="session")
def faceset_in() -> MakeFaceset:
    """Write a faceset in a given folder."""
    return write_faceset
