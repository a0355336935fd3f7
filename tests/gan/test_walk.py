from pathlib import Path

import numpy as np
import pytest

from understudy.gan.generator import Generator
from understudy.gan.synthesis import draw
from understudy.gan.variety_config import WalkConfig
from understudy.gan.walk import loop, walk_frames

BASE = Path(__file__).parents[2] / "data/06_models/base/64px"


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.from_pretrained(BASE)


def test_the_walk_is_a_smooth_closed_loop(generator: Generator) -> None:
    ws = loop(generator, WalkConfig(seeds=4, seconds=4, rate=25), 0)
    assert ws.shape == (100, generator.num_ws, generator.latent)
    steps = (ws.roll(-1, 0) - ws)[:, 0]  # the last one leads back to the first
    lengths = steps.norm(dim=1)
    assert float(lengths.max() / lengths.median()) < 2.5
    turns = (steps.roll(-1, 0) - steps).norm(dim=1)
    assert float(turns.max() / lengths.median()) < 0.25


def test_it_passes_the_faces_of_its_seeds(generator: Generator) -> None:
    ws = loop(generator, WalkConfig(seeds=4, seconds=0.8, rate=25, psi=0.6), 10)
    frames = np.stack(list(walk_frames(generator, ws, 64, batch=8)))
    assert frames.shape == (20, 64, 64, 3)
    faces = draw(generator, [10, 11, 12, 13], 0.6)
    assert np.abs(frames[[0, 5, 10, 15]].astype(int) - faces).max() <= 1


def test_small_pictures_are_enlarged(generator: Generator) -> None:
    ws = loop(generator, WalkConfig(seeds=3, seconds=0.1, rate=20), 0)
    assert [frame.shape for frame in walk_frames(generator, ws, 128)] == [(128, 128, 3)] * 2
