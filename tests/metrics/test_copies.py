import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.metrics.copies import copy_scores, thumbnails
from understudy.metrics.neighbours import nearest


def test_neighbours_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(0)
    queries, keys = rng.normal(size=(700, 6)).astype(np.float32), rng.normal(size=(9000, 6)).astype(np.float32)
    table = np.linalg.norm(queries[:, None].astype(np.float64) - keys[None, :2000], axis=2)
    distances, rows = nearest(queries, keys[:2000])
    np.testing.assert_allclose(distances, table.min(1), rtol=1e-6)
    assert (rows == table.argmin(1)).mean() > 0.99
    groups = np.arange(2000) // 100 * 2
    apart, _ = nearest(queries, keys[:2000], np.full(700, 2), groups)
    np.testing.assert_allclose(apart, np.delete(table, np.flatnonzero(groups == 2), axis=1).min(1), rtol=1e-6)
    many, many_rows = nearest(queries, keys)  # more than one block
    np.testing.assert_allclose(many, np.linalg.norm(queries - keys[many_rows], axis=1), rtol=1e-5)
    assert (many <= distances + 1e-9).all() and (many_rows >= 8192).any()
    none, at = nearest(queries[:3], keys[:5], np.zeros(3, int), np.ones(5, int))
    assert np.isinf(none).all() and (at == -1).all()


def test_thumbnails_do_not_see_light_and_do_see_another_face(
    hopper_crops: np.ndarray, astronaut_crops: np.ndarray
) -> None:
    dim = (hopper_crops * 0.8 + 10).astype(np.uint8)
    plain, dimmed, other = thumbnails(hopper_crops), thumbnails(dim), thumbnails(astronaut_crops)
    assert np.linalg.norm(plain - dimmed, axis=1).max() < 0.02
    assert np.linalg.norm(plain[:4] - other, axis=1).min() > 0.5
    np.testing.assert_allclose(np.linalg.norm(plain, axis=1), 1, atol=1e-5)
    assert (thumbnails(np.full((1, 64, 64, 3), 9, np.uint8)) == 0).all()


def test_copies_are_flagged_with_the_frames_that_they_copy(
    hopper_crops: np.ndarray, filmed: Faceset, store: Callable[..., Faceset]
) -> None:
    film = hopper_crops[:18]
    mirrored, brighter = film[5][:, ::-1], np.clip(film[12] * 1.08 + 4, 0, 255).astype(np.uint8)
    both = np.clip(film[16][:, ::-1] * 0.9, 0, 255).astype(np.uint8)
    copied = np.stack([film[3], mirrored, brighter, both])
    figures = copy_scores(
        store(describe_crops(np.concatenate([copied, hopper_crops[18:]]), 0, range(10))), filmed, filmed, 4
    )
    assert figures["missing"] is None and figures["grouped_by"] == "clip"
    pairs = {pair["synthetic"]: (pair["filmed"], pair["mirrored"]) for pair in figures["pairs"]}
    assert pairs == {0: (3, False), 1: (5, True), 2: (12, False), 3: (16, True)}
    assert [(pair["clip"], pair["frame"]) for pair in figures["pairs"] if pair["synthetic"] == 2] == [("two.mp4", 3)]
    assert figures["copies"] >= 4 and figures["copies_low"] > figures["expected_share"]
    assert figures["embedding_pairs"][0]["synthetic"] == 0 and figures["embedding_pairs"][0]["original"] == 3
    json.dumps(figures, allow_nan=False)


def test_an_honest_set_is_not_flagged(hopper_crops: np.ndarray, store: Callable[..., Faceset]) -> None:
    clips = [describe_crops(hopper_crops[start : start + 6], 0, clip=f"{start}.mp4") for start in (0, 6, 12)]
    film = store(*clips)
    honest = store(describe_crops(hopper_crops[18:], 0, range(6)))
    figures = copy_scores(honest, film, film, 3)
    assert figures["copies"] == 0 and figures["embedding"]["near"] == 0
    assert figures["pixels"]["median"] == pytest.approx(figures["pixels"]["filmed_median"], rel=1)
    assert [pair["distance"] for pair in figures["pairs"]] == sorted(pair["distance"] for pair in figures["pairs"])


def test_a_clip_that_is_there_twice_hides_no_copy(hopper_crops: np.ndarray, store: Callable[..., Faceset]) -> None:
    film = store(*[describe_crops(hopper_crops[:9], 0, clip=name) for name in ("one.mp4", "twin.mp4")])
    copied = store(describe_crops(hopper_crops[4:6], 0, range(2)))
    figures = copy_scores(copied, film, film, 2)
    assert figures["pixels"]["filmed_median"] == 0 and figures["copies"] == 2


def test_sets_that_give_no_scale_are_told(
    hopper_crops: np.ndarray, nobody: Faceset, filmed: Faceset, store: Callable[..., Faceset]
) -> None:
    empty, single = store(), store(describe_crops(hopper_crops[:1], 0, clip="one.mp4"))
    assert "There are 0 synthetic and 18 filmed" in copy_scores(empty, filmed, filmed, 3)["missing"]
    lone = copy_scores(single, single, single, 3)
    assert lone["copies"] is None and "too few" in lone["missing"]
    assert lone["pairs"][0]["distance"] == pytest.approx(0, abs=1e-6)
    faceless = copy_scores(nobody, filmed, filmed, 3)  # noise has pixels and no embedding
    assert faceless["copies"] == 0 and faceless["embedding"]["near"] is None and faceless["embedding_pairs"] == []
    one_clip = store(describe_crops(hopper_crops[:18], 0, clip="one.mp4"))
    assert copy_scores(single, one_clip, one_clip, 1)["grouped_by"] == "stretch of a clip"
    half = np.stack([cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA) for image in hopper_crops[:18]])
    other_size = store(describe_crops(half, 0, range(18)))  # thumbnails are of one size whatever the crops'
    figures = copy_scores(other_size, filmed, filmed, 3)
    assert figures["pairs"][0]["distance"] < 0.2
    assert all(pair["synthetic"] == pair["filmed"] for pair in figures["pairs"])
