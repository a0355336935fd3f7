from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from judged import crops

from understudy.config import parse
from understudy.errors import UserError
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset, finish, write_shard
from understudy.faces.identity import medoid
from understudy.gan.generator import Generator
from understudy.gan.pool import choose_faces, copy_rows, draw_shard, layers_of, pool_recipe, recipes_of
from understudy.gan.synthesis import Recipe, draw, draw_recipes, styles
from understudy.gan.variety_config import PoolConfig
from understudy.weights import Weights, load_weights

BASE = Path(__file__).parents[2] / "data/06_models/base/64px"
DRAWN, OTHERS, BLANK = 24, 3, 2
TOLERANCE = 0.4  # drawn faces lie within 0.22 of their medoid, the blurred others at 0.57 to 0.61


@pytest.fixture(scope="module")
def weights() -> Weights:
    """The shipped generator of Grace Hopper."""
    return load_weights(BASE)


def written(folder: Path, *tables: pa.Table) -> Faceset:
    folder.mkdir()
    for number, table in enumerate(tables):
        write_shard(folder, number, f"key{number}", table)
    finish(folder, [f"key{number}" for number in range(len(tables))])
    return Faceset(folder)


@pytest.fixture(scope="module")
def pool(weights: Weights, astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Faceset:
    """24 drawn faces, then three of somebody else, then two pictures of nobody."""
    config = PoolConfig(psi=(0.5, 0.9))
    drawn = draw_shard(weights, [pool_recipe(n, config, layers_of(weights)) for n in range(DRAWN)], 0, 8)
    odd = [*crops(astronaut, OTHERS, 2), *np.full((BLANK, 64, 64, 3), 128, np.uint8)]
    rest = describe_crops(np.stack(odd), DRAWN).replace_schema_metadata(
        {"understudy": '{"recipes": [' + ", ".join(["{}"] * len(odd)) + "]}"}
    )
    return written(tmp_path_factory.mktemp("pool") / "pool", drawn, rest)


@pytest.fixture(scope="module")
def person(pool: Faceset) -> np.ndarray:
    return medoid(pool.column("embedding")[:DRAWN])


def test_a_recipe_follows_from_its_seed_and_keeps_to_the_settings() -> None:
    config = PoolConfig(psi=(0.6, 0.8), mixing=0.3)
    recipes = [pool_recipe(seed, config, 10) for seed in range(400)]
    assert recipes == [pool_recipe(seed, config, 10) for seed in range(400)]
    assert all(0.6 <= recipe.psi <= 0.8 for recipe in recipes)
    mixed = [recipe.crossover for recipe in recipes if recipe.crossover]
    assert set(mixed) == set(range(1, 10))
    assert len(mixed) == pytest.approx(120, abs=30)


def test_a_mixed_face_has_its_own_style_up_to_the_crossover_and_another_one_from_there(weights: Weights) -> None:
    generator = Generator.from_pretrained(BASE)
    assert generator.num_ws == layers_of(weights)
    plain, mixed = styles(generator, [Recipe(7, 0.8), Recipe(7, 0.8, crossover=4)])
    assert (plain[:4] == mixed[:4]).all()
    assert ((plain[4:] - mixed[4:]).abs().amax(1) > 0.05).all()
    assert (plain[0] == plain).all()
    images = draw_recipes(generator, [Recipe(7, 0.8), Recipe(7, 0.8, crossover=4)])
    assert (images[:1] == draw(generator, [7], 0.8)).all()
    assert (images[0] != images[1]).any()


def test_nobody_and_somebody_else_are_rejected_and_counted(pool: Faceset, person: np.ndarray) -> None:
    summary = choose_faces(pool, person, PoolConfig(pool=29, count=29, tolerance=TOLERANCE), 0).summary
    assert (summary["pool"], summary["no_face"], summary["somebody_else"]) == (29, BLANK, OTHERS)
    assert summary["accepted"] == summary["chosen"] == DRAWN  # fewer than asked for: all of them
    assert summary["match_rate"] == pytest.approx(24 / 29)
    strict = choose_faces(pool, person, PoolConfig(pool=29, count=29, tolerance=1e-3), 0)
    assert strict.summary["chosen"] == len(strict.rows) == 1  # the medoid itself


def test_varied_faces_differ_more_than_homogeneous_ones(pool: Faceset, person: np.ndarray) -> None:
    made = {
        variety: choose_faces(pool, person, PoolConfig(pool=29, count=6, tolerance=TOLERANCE, variety=variety), 0)
        for variety in ("varied", "homogeneous", "none")
    }
    spread = {name: choice.summary["distance"] for name, choice in made.items()}
    assert spread["varied"] > made["none"].summary["pool_distance"] > spread["homogeneous"]
    assert made["varied"].summary["ratio"] == pytest.approx(spread["varied"] / spread["homogeneous"])
    assert made["none"].rows.tolist() == list(range(6))
    for choice in made.values():
        assert len(set(choice.rows)) == 6
        assert (choice.rows < DRAWN).all()


def test_chosen_faces_are_copied_as_they_are_with_their_recipes(pool: Faceset, tmp_path: Path) -> None:
    rows = np.array([1, 5, 20])
    copied = written(tmp_path / "chosen", *copy_rows(pool.path, rows))
    assert list(copied.jpegs([0, 1, 2])) == [(n, jpeg) for n, (_, jpeg) in enumerate(pool.jpegs(rows))]
    assert copied.column("seed").tolist() == [1, 5, 20]
    np.testing.assert_array_equal(copied.column("embedding"), pool.column("embedding")[rows])
    config = PoolConfig(psi=(0.5, 0.9))
    assert recipes_of(copied) == [pool_recipe(int(row), config, 10).as_dict() for row in rows]
    again = draw_recipes(Generator.from_pretrained(BASE), [Recipe(**recipe) for recipe in recipes_of(copied)])
    assert np.abs(again.astype(int) - copied.images([0, 1, 2])).mean() < 3  # JPEG


@pytest.mark.parametrize(
    ("values", "name"),
    [({"psi": [0.9, 0.5]}, "psi"), ({"pool": 10, "count": 20}, "count"), ({"variety": "much"}, "variety")],
)
def test_settings_that_cannot_be_are_refused(values: dict, name: str) -> None:
    with pytest.raises(UserError, match=name):
        parse(PoolConfig, values, "gan_training.synthesis.selection")


def test_a_generator_that_is_not_there_is_named(tmp_path: Path) -> None:
    read: Callable[[], Generator] = partial(Generator.from_pretrained, tmp_path / "generator.safetensors")
    with pytest.raises(UserError, match=r"generator\.safetensors does not exist"):
        read()
