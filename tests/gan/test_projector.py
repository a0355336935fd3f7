from pathlib import Path

import numpy as np
import pytest
import torch

from understudy.faces.describe import describe_crops
from understudy.faces.detect import detect_enlarged
from understudy.faces.embedding import chip, load_embedder
from understudy.faces.faceset import Faceset, finish, write_shard
from understudy.faces.landmarks import predict
from understudy.gan.generator import Generator
from understudy.gan.projector import (
    autocorrelation,
    chip_grid,
    chips,
    draw_projections,
    project,
    projection_scores,
)
from understudy.gan.synthesis import draw
from understudy.gan.variety_config import ProjectorConfig

BASE = Path(__file__).parents[2] / "data/06_models/base/64px"


def test_the_cut_that_gradients_flow_through_is_that_of_the_face_network(astronaut: np.ndarray) -> None:
    image = np.ascontiguousarray(astronaut[20:276, 90:346])
    found = detect_enlarged(image)
    assert found is not None
    points = predict(image, found.box)
    picture = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 127.5 - 1
    picture.requires_grad_(True)
    own = chips(picture, chip_grid(points[None], 256))
    theirs = chip(image, points)
    difference = (own.detach()[0].permute(1, 2, 0).numpy() + 1) * 127.5 - theirs
    assert np.abs(difference).mean() < 3
    away = load_embedder()(own) - torch.from_numpy(load_embedder().embed_chips(theirs[None]))
    assert float(away.norm()) < 0.1
    away.square().sum().backward()
    assert picture.grad is not None
    assert float(picture.grad.abs().sum()) > 0


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Generator, Faceset]:
    """A generator and a faceset of two faces of its own, which it can draw exactly."""
    generator = Generator.from_pretrained(BASE)
    folder = tmp_path_factory.mktemp("drawn")
    write_shard(folder, 0, "key", describe_crops(draw(generator, [5, 6], 1.0)))
    finish(folder, ["key"])
    return generator, Faceset(folder)


def test_a_face_is_found_again(drawn: tuple[Generator, Faceset]) -> None:
    generator, faces = drawn
    rows = np.array([0, 1])
    real, points = faces.images(rows), faces.landmarks()[rows]
    before = projection_scores(faces, rows, project(generator, real, points, ProjectorConfig(steps=1, lr=1e-6), 0))
    found = project(generator, real, points, ProjectorConfig(steps=25), 0)
    after = projection_scores(faces, rows, found)
    assert after["pixel_rmse"] < 0.6 * before["pixel_rmse"]
    assert after["embedding_distance"] < 0.8 * before["embedding_distance"]
    assert after["embedding_distance"] < 0.35
    assert [face["row"] for face in after["faces"]] == [0, 1]
    assert (found.ws[:, 0] != found.ws[:, 1]).any()  # W+
    assert all(float(values.std(correction=0)) == pytest.approx(1, abs=0.01) for values in found.noise.values())
    assert draw_projections(real, found.images).shape == (256, 256, 3)


def test_in_w_all_layers_share_one_latent_and_the_generator_stays_as_it_was(drawn: tuple[Generator, Faceset]) -> None:
    generator, faces = drawn
    state = {name: value.clone() for name, value in generator.state_dict().items()}
    found = project(generator, faces.images([0]), faces.landmarks()[:1], ProjectorConfig(steps=3, space="w"), 0)
    assert found.ws.shape == (1, generator.num_ws, generator.latent)
    assert (found.ws == found.ws[:, :1]).all()
    assert all((value == state[name]).all() for name, value in generator.state_dict().items())


def test_a_pattern_in_the_noise_is_seen_at_any_scale() -> None:
    torch.manual_seed(0)
    noise = torch.randn(1, 1, 64, 64)
    fine = torch.arange(64).remainder(2).mul(2.0).sub(1).expand(1, 1, 64, 64)
    coarse = torch.randn(1, 1, 8, 8).repeat_interleave(8, 2).repeat_interleave(8, 3)
    clean = float(autocorrelation({"a": noise}))
    assert clean < 0.1
    for pattern in (fine, coarse):
        assert float(autocorrelation({"a": (noise + pattern) / 2**0.5})) > 0.2
