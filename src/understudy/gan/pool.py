"""The selected faces: a pool is drawn, faces of nobody or somebody else are rejected, and the rest chosen from."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from understudy.faces.describe import describe_crops
from understudy.faces.expression import choose, expression_features, mean_distance
from understudy.faces.faceset import NOTES, SCHEMA, Faceset
from understudy.faces.identity import distances
from understudy.gan.networks import load_generator
from understudy.gan.synthesis import Recipe, draw_recipes
from understudy.gan.variety_config import PoolConfig
from understudy.weights import Weights


def pool_recipe(seed: int, config: PoolConfig, layers: int) -> Recipe:
    """The recipe of the face of the pool that has this seed, for a generator of `layers` styled layers."""
    random = np.random.default_rng(seed)
    psi = round(float(random.uniform(*config.psi)), 4)
    mixed, crossover = random.random() < config.mixing, int(random.integers(1, layers))
    return Recipe(seed, psi, crossover if mixed else 0)


def generator_only(weights: Weights) -> Weights:
    """The same weights without the discriminator: half as much to send to a worker."""
    tensors = {name: tensor for name, tensor in weights.tensors.items() if name.startswith("generator.")}
    return replace(weights, tensors=tensors)


def layers_of(weights: Weights) -> int:
    """How many layers of a packed generator take a style: two a resolution from 4 pixels on, and the last colours."""
    return 2 * (int(weights.arguments["size"]).bit_length() - 2)


def draw_shard(weights: Weights, recipes: Sequence[Recipe], first: int, batch: int) -> pa.Table:
    """Draw faces and describe them as filmed ones are: landmarks, embedding, scores.

    Args:
        weights: of the generator.
        recipes: one a face; they are kept as the shard's notes.
        first: number of the first face in its set.
        batch: faces drawn at a time.
    """
    generator = load_generator(weights).to("cuda" if torch.cuda.is_available() else "cpu")
    images = draw_recipes(generator, recipes, batch)
    table = describe_crops(images, first, [recipe.seed for recipe in recipes])
    return _noted(table, [recipe.as_dict() for recipe in recipes])


def recipes_of(faceset: Faceset) -> list[dict[str, float]]:
    """How each face of a drawn set was drawn (`Recipe`), in the order of its rows."""
    return [recipe for notes in faceset.notes() for recipe in notes["recipes"]]


@dataclass(frozen=True)
class Choice:
    """Row numbers of the chosen faces, in rising order, and the figures of the choice."""

    rows: np.ndarray
    summary: dict[str, Any]


def choose_faces(pool: Faceset, person: np.ndarray, config: PoolConfig, seed: int) -> Choice:
    """Reject faces of nobody and of somebody else, and choose among the others.

    Args:
        pool: drawn faces.
        person: 128-d embedding of the filmed person, (128,).
        config: how many, how varied, and the tolerance.
        seed: of what is drawn when faces are chosen.

    Returns:
        The rows, and counts; `distance` is the mean pairwise distance in expression space of what was chosen,
        `pool_distance` that of all accepted; `varied_distance` and `homogeneous_distance` are those of choices of the
        same number, `ratio` theirs; the `unrejected_…` figures are of choices among all faces found, with the share
        of them that is the person.
    """
    features = expression_features(pool, centre_by_clip=False)
    found = pool.found() & np.isfinite(features).all(1)
    away = distances(pool.column("embedding"), person[None])[:, 0]  # NaN without a face
    matched = found & (away <= config.tolerance)
    accepted = np.flatnonzero(matched)
    count = min(config.count, len(accepted))
    sets = {name: _choose(features, accepted, count, name, seed) for name in ("varied", "homogeneous", "none")}
    rows = np.sort(sets[config.variety])
    spread = {name: mean_distance(features[chosen]) for name, chosen in sets.items()}
    summary: dict[str, Any] = {
        "pool": len(found),
        "no_face": int((~found).sum()),
        "somebody_else": int((found & ~matched).sum()),
        "accepted": len(accepted),
        "match_rate": len(accepted) / len(found) if len(found) else None,
        "chosen": len(rows),
        "variety": config.variety,
        "distance": _plain(spread[config.variety]),
        "pool_distance": _plain(mean_distance(features[accepted])),
        "varied_distance": _plain(spread["varied"]),
        "homogeneous_distance": _plain(spread["homogeneous"]),
        "ratio": _plain(spread["varied"] / spread["homogeneous"]) if spread["homogeneous"] else None,
        "to_person_median": _plain(float(np.median(away[rows]))) if len(rows) else None,
    }
    for name in ("varied", "homogeneous"):
        anyone = _choose(features, np.flatnonzero(found), count, name, seed)
        summary[f"unrejected_{name}_match_rate"] = float(matched[anyone].mean()) if len(anyone) else None
    return Choice(rows, summary)


def copy_rows(folder: Path, rows: np.ndarray) -> Iterator[pa.Table]:
    """The given rows of the drawn faceset in `folder`, with their recipes as notes; its pictures are not coded anew."""
    faceset = Faceset(folder)
    others = faceset.table([name for name in SCHEMA.names if name != "image"]).take(pa.array(rows))
    pictures = dict(faceset.jpegs(rows))
    table = others.append_column("image", pa.array([pictures[int(row)] for row in rows], pa.binary()))
    recipes = recipes_of(faceset)
    yield _noted(table.select(SCHEMA.names).cast(SCHEMA), [recipes[int(row)] for row in rows])


def _choose(features: np.ndarray, rows: np.ndarray, count: int, variety: str, seed: int) -> np.ndarray:
    if variety == "none":
        return rows[:count]
    return rows[choose(features[rows], count, variety, seed)]  # type: ignore[arg-type]


def _noted(table: pa.Table, recipes: list[dict[str, float]]) -> pa.Table:
    return table.replace_schema_metadata({NOTES: json.dumps({"recipes": recipes}).encode()})


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
