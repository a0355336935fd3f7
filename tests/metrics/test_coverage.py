import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from understudy.faces.describe import describe_crops
from understudy.faces.expression import EXPRESSION, SCALES
from understudy.faces.faceset import Faceset
from understudy.metrics.coverage import coverage_scores


@pytest.fixture(scope="module")
def posed(hopper_crops: np.ndarray, store: Callable[..., Faceset]) -> Callable[..., Faceset]:
    """A function that makes a faceset of one picture with the given expressions (N, 5), in units."""
    row = describe_crops(hopper_crops[:1])

    def make(features: np.ndarray, clips: np.ndarray | None = None) -> Faceset:
        table = pa.concat_tables([row] * len(features))
        for number, name in enumerate(EXPRESSION):
            at = table.schema.get_field_index(name)
            table = table.set_column(at, name, pa.array(features[:, number] * SCALES[number], pa.float32()))
        if clips is not None:
            table = table.set_column(table.schema.get_field_index("clip"), "clip", pa.array(clips.tolist()))
        return store(table)

    return make


CLIPS = np.repeat([f"{number}.mp4" for number in range(10)], 40)


def expressions(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.7, (count, 5))


def test_the_same_expressions_cover_as_film_does(posed: Callable[..., Faceset]) -> None:
    film = posed(expressions(1, 400), CLIPS)
    figures = coverage_scores(posed(expressions(2, 200)), film, 6, 0)
    assert figures["missing"] is None
    assert figures["covered"] == pytest.approx(figures["film"]["covered"], abs=0.06)
    assert figures["distance"] == pytest.approx(figures["other_distance"], rel=0.1)
    for name in EXPRESSION:
        measure = figures["measures"][name]
        assert 0.85 < measure["spread_ratio"] < 1.15 and measure["shift"] < 0.25 and measure["range"] > 0.85
        for kind in ("filmed", "synthetic"):
            assert sum(figures["histograms"][name][kind]) == pytest.approx(1, abs=1e-3)
        assert len(figures["histograms"][name]["edges"]) == len(figures["histograms"][name]["filmed"]) + 1
    assert figures["film"]["grouped_by"] == "clip"
    json.dumps(figures, allow_nan=False)


def test_a_shut_mouth_is_missed_and_named(posed: Callable[..., Faceset]) -> None:
    shut = expressions(2, 200)
    shut[:, 0] = shut[:, 0] * 0.1 - 1.5
    figures = coverage_scores(posed(shut), posed(expressions(1, 400), CLIPS), 6, 0)
    assert figures["covered"] < figures["film"]["covered"] - 0.2
    mouth, eyes = figures["measures"]["mouth_open"], figures["measures"]["eye_open"]
    assert mouth["spread_ratio"] == pytest.approx(0.1, rel=0.2) and mouth["range"] < 0.2
    assert mouth["shift"] == pytest.approx(1.5 / 0.7, rel=0.15)  # one and a half units, in deviations
    assert eyes["range"] > 0.85 and eyes["overlap"] > mouth["overlap"]


def test_a_head_that_is_always_turned_is_not_centred_away(posed: Callable[..., Faceset]) -> None:
    turned = expressions(2, 200)
    turned[:, EXPRESSION.index("yaw")] += 2
    figures = coverage_scores(posed(turned), posed(expressions(1, 400), CLIPS), 4, 0)
    assert figures["measures"]["yaw"]["shift"] > 2


def test_a_repeated_picture_and_sets_too_small(posed: Callable[..., Faceset], filmed: Faceset, nobody: Faceset) -> None:
    film = posed(expressions(1, 400), CLIPS)
    same = coverage_scores(posed(np.zeros((20, 5))), film, 4, 0)
    assert same["missing"] is None and same["other_distance"] == 0 and same["covered"] < same["film"]["covered"]
    assert coverage_scores(film, posed(np.zeros((20, 5)), CLIPS[:20]), 4, 0)["measures"]["yaw"]["shift"] is None
    none = coverage_scores(nobody, filmed, 4, 0)
    assert "0 and 18 were found" in none["missing"]
    assert none["covered"] is None and none["histograms"] == {} and set(none["measures"]) == set(EXPRESSION)
    assert coverage_scores(posed(expressions(3, 1)), film, 2, 0)["covered"] is None
    json.dumps(none, allow_nan=False)
