from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from understudy.datasets.selection import SelectionDataset
from understudy.errors import UserError
from understudy.faces import duplicates
from understudy.faces.config import FacesConfig, SelectionConfig
from understudy.faces.describe import describe_crops
from understudy.faces.duplicates import duplicate_rows
from understudy.faces.expression import expression_features, mean_distance
from understudy.faces.phash import hash_distance
from understudy.faces.selection import REASONS, distance_to_person, eye_distances, select, variety_sets

CALM = {"duplicates": False, "min_eye_distance": 8.0}  # the crops, 64 pixels wide, stand for their own frames
PLAIN = SelectionConfig(**CALM)


@pytest.fixture(scope="module")
def plain(hopper_crops):
    """Faces of one clip as a table."""
    return describe_crops(hopper_crops, clip="one.mp4")


def change(table: pa.Table, **columns: dict[int, object]) -> pa.Table:
    """The table with some rows' values put in."""
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        column = table.column(name).to_pylist()
        for row, value in values.items():
            column[row] = value
        table = table.set_column(place, table.schema.field(place), pa.array(column, table.schema.field(place).type))
    return table


def test_ordinary_faces_are_kept_and_each_fault_is_named(plain, store):
    everything = select(store(plain), PLAIN, 0)
    assert everything.keep.all() and everything.training.all() and set(everything.reason) == {""}
    small = [9.0, 0, 0, 0, 9.0, 0]  # nine crop pixels of one frame pixel
    far = (np.array(plain.column("embedding")[3].as_py()) + 0.1).tolist()  # 1.13 away
    table = change(
        plain,
        matrix={1: small},
        blur={2: 3.0, 14: 1.0},
        embedding={3: far},
        exposure={4: 10.0, 5: 250.0},
        yaw={6: 70.0, 14: 70.0},
        pitch={7: -60.0},
        roll={8: 90.0},
        score={9: float("nan")},
    )
    judged = select(store(table), PLAIN, 0)
    expected = {1: "too small", 2: "blurred", 3: "someone else", 4: "dark", 5: "bright", 9: "no face", 14: "blurred"}
    expected |= dict.fromkeys((6, 7, 8), "turned away")
    assert {row: reason for row, reason in enumerate(judged.reason) if reason} == expected
    assert judged.rows.tolist() == [row for row in range(len(plain)) if row not in expected]
    assert set(expected.values()) | {"duplicate"} == set(REASONS)
    assert judged.counts() == {reason: list(expected.values()).count(reason) for reason in REASONS}
    assert judged.distance[3] > 0.6 > np.delete(judged.distance, 3).max()


def test_blur_is_held_against_the_clip_and_against_all(plain, store):
    sharp = np.array(plain.column("blur"), float)
    dim = [f"{'dim' if row >= 12 else 'one'}.mp4" for row in range(24)]
    light = change(plain, clip=dict(enumerate(dim)), blur={row: sharp[row] / 5 for row in range(12, 24)})
    assert select(store(light), PLAIN, 0).keep.all()  # less contrast, but as sharp as its clip
    moving = change(light, blur={20: sharp[20] / 5 / 5})
    assert np.flatnonzero(select(store(moving), PLAIN, 0).reason == "blurred").tolist() == [20]
    clip_out_of_focus = change(light, blur={row: sharp[row] / 50 for row in range(12, 24)})
    assert np.flatnonzero(select(store(clip_out_of_focus), PLAIN, 0).reason == "blurred").tolist() == list(
        range(12, 24)
    )


def test_the_same_camera_angle_all_along_is_not_turned_away(plain, store):
    table = change(plain, yaw={row: 60.0 + row / 10 for row in range(24)})
    selection = select(store(table), PLAIN, 0)
    assert selection.keep.all() and abs(np.median(selection.yaw)) < 1e-9 and selection.yaw.max() < 2


def test_eye_distance_is_in_pixels_of_the_frame(plain, store):
    crop = eye_distances(store(plain))
    half = eye_distances(store(change(plain, matrix={0: [0.0, -0.5, 3.0, 0.5, 0.0, 7.0]})))
    assert half[0] == pytest.approx(2 * crop[0]) and half[1] == crop[1]


def test_faces_without_an_embedding_take_that_of_the_nearest_frame_of_their_clip():
    frames = np.array([0, 1, 2, 3, 4, 0, 1, 7])
    clips = np.array(["a"] * 5 + ["b"] * 2 + ["c"])
    vectors = np.full((8, 128), np.nan)
    vectors[[0, 4, 5]] = 0
    vectors[4, 0], vectors[5, 0] = 0.3, 0.4  # the medoid is the second
    away = distance_to_person(vectors, clips, frames)
    assert np.allclose(away[:7], [0.3, 0.3, 0.3, 0, 0, 0.1, 0.1]) and np.isnan(away[7])
    assert np.isnan(distance_to_person(np.full((2, 128), np.nan), clips[:2], frames[:2])).all()


def test_of_a_clip_that_is_there_twice_the_sharper_faces_stay(plain, store):
    twin = change(plain, clip=dict.fromkeys(range(24), "two.mp4"))
    twin = change(twin, blur={row: value + 1 for row, value in enumerate(plain.column("blur").to_pylist())})
    selection = select(store(plain, twin), SelectionConfig(min_eye_distance=8), 0)
    assert set(selection.reason[:24]) == {"duplicate"} and set(selection.reason[24:]) == {""}


def test_a_still_picture_leaves_one_face_and_a_talking_one_nearly_all():
    still = duplicate_rows(np.zeros(500, np.int64), np.zeros((500, 5)), np.r_[np.zeros(499), 1], 2, 0.1)
    assert np.flatnonzero(~still).tolist() == [499]
    talking = np.random.default_rng(0).normal(0, 1, (500, 5))
    assert duplicate_rows(np.zeros(500, np.int64), talking, np.zeros(500), 2, 0.1).mean() < 0.02
    hashes = np.arange(500) * 0x0123456789ABCD  # the same expression in other pictures
    assert not duplicate_rows(hashes, np.zeros((500, 5)), np.zeros(500), 2, 0.1).any()


def test_one_face_and_no_face_are_judged(plain, store):
    for table in (plain[:1], plain[:0]):
        selection = select(store(table), SelectionConfig(min_eye_distance=8), 0)
        assert selection.keep.all() and len(selection.rows) == len(table)


def test_the_search_for_duplicates_does_not_grow_with_the_square(monkeypatch):
    compared = []

    def counted(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        compared.append(len(a))
        return hash_distance(a, b)

    monkeypatch.setattr(duplicates, "hash_distance", counted)
    rng = np.random.default_rng(0)
    alike = rng.normal(0, 0.01, (3000, 5))  # all near one another, in other pictures: every pair is a candidate
    duplicates.duplicate_rows(rng.integers(0, 2**62, 3000), alike, np.zeros(3000), 2, 0.1)
    assert len(compared) == 2 and sum(compared) < 45 * 3000


def test_training_takes_all_or_a_number_chosen_for_variety(plain, store):
    faces = store(plain)
    features = expression_features(faces)
    chosen = {
        variety: select(faces, SelectionConfig(**CALM, count=8, variety=variety), 0)
        for variety in ("all", "varied", "homogeneous")
    }
    assert all(len(selection.training_rows) == 8 and selection.keep.all() for selection in chosen.values())
    assert chosen["all"].training_rows[[0, -1]].tolist() == [0, 23]
    distance = {variety: mean_distance(features[selection.training]) for variety, selection in chosen.items()}
    assert distance["homogeneous"] < distance["all"] < distance["varied"]
    with pytest.raises(UserError, match=r"selection\.count' is 25 and only 24 of the 24 faces"):
        select(faces, SelectionConfig(**CALM, count=25), 0)
    with pytest.raises(ValidationError, match="needs 'count'"):
        SelectionConfig(variety="varied")


def test_a_rejected_face_never_teaches(plain, store):
    faces = store(change(plain, exposure=dict.fromkeys(range(12), 1.0)))
    for variety in ("all", "varied", "homogeneous"):
        selection = select(faces, SelectionConfig(**CALM, count=12, variety=variety), 0)
        assert selection.training_rows.tolist() == list(range(12, 24))


def test_a_selection_comes_back_from_disk_and_knows_its_faces(plain, store, tmp_path):
    faces = store(change(plain, exposure={3: 1.0}, embedding={5: [float("nan")] * 128}))
    selection = select(faces, SelectionConfig(min_eye_distance=8), 0)
    dataset = SelectionDataset(filepath=str(tmp_path / "a" / "selection.parquet"))
    assert not dataset.exists()
    dataset.save(selection)
    again = dataset.load()
    for field in fields(selection):
        ours, theirs = getattr(selection, field.name), getattr(again, field.name)
        assert (ours == theirs) if field.name == "content" else np.array_equal(ours, theirs), field.name
    assert again.content == selection.content
    again.check(faces)
    for other in (store(plain), store(plain[:5])):
        with pytest.raises(UserError, match="does not belong"):
            again.check(other)


def test_what_is_selected_does_not_rename_shards():
    other = FacesConfig(selection=SelectionConfig(min_eye_distance=40))
    assert other.extraction() == FacesConfig().extraction() != FacesConfig(min_face=50).extraction()


def test_variety_sets_are_a_hundred_kept_faces_or_all_there_are(plain, store):
    faces = store(change(plain, exposure={0: 1.0}))
    selection = select(faces, PLAIN, 0)
    few = variety_sets(faces, selection, 0, count=8)
    assert few["monotone"]["expression_distance"] < few["varied"]["expression_distance"]
    for sets, count in ((few, 8), (variety_sets(faces, selection, 0), 23)):
        for kind in ("monotone", "varied"):
            rows = sets[kind]["rows"]
            assert len(rows) == len(set(rows)) == count and 0 not in rows
            distance = mean_distance(expression_features(faces)[rows])
            assert sets[kind]["expression_distance"] == pytest.approx(distance)
    one = store(plain[:1])
    assert variety_sets(one, select(one, PLAIN, 0), 0)["varied"] == {"rows": [0], "expression_distance": None}
