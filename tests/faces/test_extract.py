import json
import pickle
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from understudy.faces.align import invert, transform_points
from understudy.faces.config import FacesConfig
from understudy.faces.extract import extract_segment
from understudy.faces.faceset import NOTES, SCHEMA, decode_image, write_shard
from understudy.faces.identity import TOLERANCE
from understudy.faces.plan import plan_extraction
from understudy.video.encode import write_video
from understudy.video.footage import Footage
from understudy.video.probe import Segment, probe, segments


def cut_out(path, size=64, wanted=None, **config):
    return pa.concat_tables(extract_segment(segments(path)[0], size, FacesConfig(**config), wanted))


@pytest.fixture(scope="module")
def table(walking_clip):
    return cut_out(walking_clip)


def test_every_frame_with_a_face_becomes_a_row(table, walking_clip):
    assert table.schema == SCHEMA
    assert table.column("frame").to_pylist() == list(range(20))
    assert np.allclose(table.column("time").to_numpy(), np.arange(20) / 25)
    assert set(table.column("clip").to_pylist()) == {walking_clip.name}
    assert set(table.column("seed").to_pylist()) == {-1}
    assert np.isfinite(table.column("score").to_numpy()).all()


def test_crops_match_the_frames_they_were_cut_from(table, walking):
    for row in table.to_pylist()[::7]:
        crop = decode_image(row["image"])
        inverse = invert(np.reshape(row["matrix"], (2, 3)))
        points = np.stack(np.meshgrid([20, 32, 44], [24, 34, 44]), -1).reshape(-1, 2)
        there = np.round(transform_points(points.astype(float), inverse)).astype(int)
        around = [walking[row["frame"]][y - 1 : y + 2, x - 1 : x + 2].mean((0, 1)) for x, y in there]
        assert np.abs(np.array(around) - crop[points[:, 1], points[:, 0]]).mean() < 14
        landmarks = transform_points(np.reshape(row["landmarks"], (68, 2)), inverse)
        left, top, right, bottom = row["box"]
        assert left < landmarks[30, 0] < right and top < landmarks[30, 1] < bottom


def test_embeddings_are_those_of_one_person_in_every_tenth_frame(table):
    vectors = np.array(table.column("embedding").to_pylist())
    known = np.isfinite(vectors).all(1)
    assert np.flatnonzero(known).tolist() == [0, 10]
    assert np.linalg.norm(vectors[0] - vectors[10]) < TOLERANCE / 2


def test_roll_follows_the_head(table):
    roll = np.array(table.column("roll").to_pylist())
    turned = -4 * np.sin(np.arange(20) / 4)  # the clip turns anticlockwise, roll counts clockwise
    assert np.corrcoef(roll, turned)[0, 1] > 0.97


def test_the_same_segment_gives_the_same_bytes(table, walking_clip, tmp_path):
    again = cut_out(walking_clip)
    write_shard(tmp_path, 0, "a" * 16, table)
    write_shard(tmp_path, 1, "b" * 16, again)
    first, second = sorted(tmp_path.glob("*.parquet"))
    assert first.read_bytes() == second.read_bytes()


def test_a_segment_without_a_face_has_no_rows(walking_clip, tmp_path):
    path = tmp_path / "wall.mp4"
    write_video(path, [np.full((96, 96, 3), 100, np.uint8)] * 3, Fraction(25), (96, 96))
    table = cut_out(path)
    assert table.num_rows == 0 and table.schema == SCHEMA


def test_keys_change_with_whatever_changes_the_rows(walking_clip):
    footage = Footage("anna", walking_clip.parent, (walking_clip,))
    clip = probe(walking_clip).record()

    def keys(size=64, config=None, record=clip):
        return [key for key, _, _ in plan_extraction(footage, [record], size, config or FacesConfig())]

    assert keys() == keys() and len(keys()) == 1
    others = [
        keys(size=128),
        keys(config=replace(FacesConfig(), embed_every=1)),
        keys(record=clip | {"sha256": "0" * 64}),
    ]
    assert len({key for some in [keys(), *others] for key in some}) == 4


def test_plan_cuts_segments_and_can_be_pickled(walking_clip):
    footage = Footage("anna", walking_clip.parent, (walking_clip,))
    _, segment, make = plan_extraction(footage, [probe(walking_clip).record()], 64, FacesConfig())[0]
    assert isinstance(segment, Segment) and segment.frames == 20
    assert pickle.loads(pickle.dumps(make)).args[0] == segment


def test_a_long_segment_is_handed_on_in_pieces(table, walking_clip, monkeypatch):
    monkeypatch.setattr("understudy.faces.extract.PIECE", 6)
    pieces = list(extract_segment(segments(walking_clip)[0], 64, FacesConfig()))
    assert [len(piece) for piece in pieces] == [6, 6, 6, 2]
    names = [name for name in SCHEMA.names if name != "embedding"]  # whose last bits depend on the batch
    assert pa.concat_tables(pieces).select(names).equals(table.select(names))


def test_notes_count_every_frame(walking_clip):
    last = list(extract_segment(segments(walking_clip)[0], 64, FacesConfig()))[-1]
    notes = json.loads(last.schema.metadata[NOTES])
    assert notes == {
        "clip": walking_clip.name,
        "frames": 20,
        "faces": 20,
        "without_face": 0,
        "someone_else": 0,
        "others": 0,
    }
