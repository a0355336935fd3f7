from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from judged import crops

from understudy.gan.directions import (
    STRIP,
    Direction,
    direction_scores,
    draw_directions,
    find_directions,
    measure_direction,
    move,
)
from understudy.gan.generator import Generator, ModulatedConv
from understudy.gan.variety_config import DirectionsConfig


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(16, latent=12, channel_base=64, channel_max=8, mapping_layers=1).requires_grad_(False).eval()


def test_sefa_finds_the_direction_that_moves_the_styles_most(generator: Generator) -> None:
    along = F.normalize(torch.randn(12), dim=0)
    for part in generator.modules():
        if isinstance(part, ModulatedConv):
            part.affine.weight.mul_(0.1).add_(torch.randn(len(part.affine.weight), 1) * along)
    first = find_directions(generator, 3, 0)[0]
    assert first.name == "sefa 0"
    assert abs(float(F.normalize(first.vector, dim=0) @ along)) > 0.99
    assert first.share > 0.5


def test_pca_finds_the_directions_in_which_w_spreads(generator: Generator) -> None:
    linear = torch.nn.Linear(12, 12)
    linear.weight.data = torch.diag(torch.tensor([1.0] * 5 + [6.0, 3.0] + [1.0] * 5))
    generator.mapping = linear.requires_grad_(False)
    second, third = [direction for direction in find_directions(generator, 2, 0) if direction.method == "pca"]
    assert [int(direction.vector.abs().argmax()) for direction in (second, third)] == [5, 6]
    assert second.share == pytest.approx(36 / 55, abs=0.05)
    # a quarter of the typical distance of w from the mean, whatever the direction
    assert float(second.vector.norm()) == pytest.approx(55**0.5 / 4, rel=0.05)
    assert float(third.vector.norm()) == pytest.approx(float(second.vector.norm()), rel=1e-4)
    assert [d.name for d in find_directions(generator, 99, 0)][-1] == "pca 11"


def test_steps_move_all_layers_and_none_is_the_face_itself(generator: Generator) -> None:
    ws = torch.randn(2, generator.num_ws, 12)
    direction = find_directions(generator, 1, 0)[0]
    images = move(generator, ws, direction, (-1.0, 0.0, 1.0), batch=4)
    assert images.shape == (2, 3, 16, 16, 3)
    still = move(generator, ws + direction.vector, direction, (0.0,))
    assert np.abs(images[:, 2].astype(int) - still[:, 0]).max() <= 1


def stretching(face: np.ndarray) -> SimpleNamespace:
    """Stands in for a generator: the first number of w stretches a real face up and down, the others do nothing."""
    picture = torch.from_numpy(face.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1

    def synthesis(ws: torch.Tensor, noise: str) -> torch.Tensor:
        theta = torch.zeros(len(ws), 2, 3)
        theta[:, 0, 0] = 1 + 0.02 * ws[:, 0, 1]
        theta[:, 1, 1] = 1 - 0.08 * ws[:, 0, 0]
        grid = F.affine_grid(theta, [len(ws), *picture.shape[1:]], align_corners=False)
        return F.grid_sample(picture.expand(len(ws), -1, -1, -1), grid, padding_mode="border", align_corners=False)

    return SimpleNamespace(synthesis=synthesis, size=face.shape[0])


def test_a_direction_is_labelled_by_what_it_moves(hopper: np.ndarray) -> None:
    made = stretching(crops(hopper, 1, 1)[0])
    ws = torch.zeros(4, 3, 4)
    ws[:, :, 1] = torch.linspace(-1, 1, 4)[:, None]  # faces that differ a little

    def measured(number: int, sign: float) -> dict:
        vector = torch.zeros(4)
        vector[number] = sign
        return measure_direction(made, ws, Direction("sefa", 0, vector, 0.5), 1.5)

    up, down, nothing = measured(0, 1.0), measured(0, -1.0), measured(3, 1.0)
    assert "brow_height +" in up["label"], up  # brows are farther above the eyes, whose distance stays
    assert "brow_height -" in down["label"]
    assert up["effects"]["brow_height"] == pytest.approx(-down["effects"]["brow_height"], abs=1e-9)
    assert nothing["label"] == "nothing clear"
    assert nothing["identity_distance"] == 0 < up["identity_distance"]
    assert up["faceless"] == 0


def test_scores_and_picture_hold_each_direction_even_without_a_face(generator: Generator) -> None:
    config = DirectionsConfig(count=2, seeds=2)
    scores = direction_scores(generator, config, 0)  # an untrained generator draws no face
    assert list(scores["labels"]) == ["sefa 0", "sefa 1", "pca 0", "pca 1"]
    assert scores["directions"]["pca 1"]["faceless"] == 4
    assert scores["directions"]["pca 1"]["identity_distance"] is None
    assert set(scores["labels"].values()) == {"nothing clear"}
    picture = draw_directions(generator, config, 0, scores)
    assert picture.shape == (4 * (128 + 44), 128 * len(STRIP), 3)
    assert picture.dtype == np.uint8
