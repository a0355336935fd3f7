import json
import logging
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import UserError
from understudy.faces.config import FacesConfig, SelectionConfig
from understudy.faces.describe import describe_crops
from understudy.faces.expression import centred, expression_features, mean_distance
from understudy.faces.extract import extract_segment
from understudy.faces.faceset import SCHEMA, Faceset, finish, write_shard
from understudy.faces.selection import REASONS, select
from understudy.faces.sheet import contact_sheet, draw_tile, rejected_sheet
from understudy.faces.summary import clip_table, identity_spread, refuse_empty, summarise
from understudy.video.probe import probe, segments


@pytest.fixture(scope="module")
def faceset(walking_clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    write_shard(folder, 0, "a" * 16, extract_segment(segments(walking_clip)[0], 64, FacesConfig()))
    write_shard(folder, 1, "b" * 16, SCHEMA.empty_table())
    finish(folder, ["a" * 16, "b" * 16])
    return Faceset(folder)


@pytest.fixture(scope="module")
def selection(faceset):
    """All but two faces are kept, every second of them teaches."""
    whole = select(faceset, SelectionConfig(duplicates=False, count=9), 0)
    keep = whole.keep.copy()
    keep[[3, 7]] = False
    reason = np.where(keep, "", "blurred").astype("U16")
    reason[7] = "turned away"
    return replace(whole, keep=keep, reason=reason, training=whole.training & keep)


def test_summary_counts_and_is_plain_json(faceset, walking_clip, selection):
    figures = summarise(faceset, [probe(walking_clip).record()], selection)
    assert (figures["clips"], figures["frames"], figures["faces"], figures["segments"]) == (1, 20, 20, 2)
    assert figures["recall"] == 1.0
    assert 60 < figures["face_size"]["median"] < 120
    assert figures["identity"]["beyond_tolerance"] == 0.0
    assert 0 < figures["landmark_jitter"] < 0.1
    assert 1000 < figures["bytes_per_face"] < 20_000
    assert figures["kept"] == 18 and figures["kept_share"] == 0.9
    assert figures["teaching"] == selection.training.sum()
    assert figures["rejected"] == dict.fromkeys(REASONS, 0) | {"blurred": 1, "turned away": 1}
    assert figures["expression_distance"]["kept"] == pytest.approx(
        mean_distance(expression_features(faceset)[selection.keep])
    )
    json.dumps(figures, allow_nan=False)


def test_the_table_has_a_row_a_clip_also_for_one_without_a_face(faceset, walking_clip, selection):
    record = probe(walking_clip).record()
    table = clip_table(faceset, [record, record | {"path": "somewhere/empty.mp4"}], selection)
    assert [row["clip"] for row in table] == ["walking.mp4", "empty.mp4"]
    assert [(row["frames"], row["found"], row["kept"], row["blurred"]) for row in table] == [
        (20, 20, 18, 1),
        (20, 0, 0, 0),
    ]
    assert all(row["found"] == row["kept"] + sum(row[reason] for reason in REASONS) for row in table)


def test_what_the_search_has_noted_is_summed_and_told_by_clip(hopper_crops, tmp_path):
    table = describe_crops(hopper_crops[:2], clip="one.mp4")
    for number, (rows, notes) in enumerate(
        [
            (table, {"clip": "one.mp4", "frames": 30, "others": 4}),
            (table[:0], {"clip": "one.mp4", "frames": 9, "others": 2}),
            (table[:0], {}),
        ]
    ):
        noted = rows.replace_schema_metadata({"understudy": json.dumps(notes)})
        write_shard(tmp_path, number, f"{number}" * 16, noted)
    finish(tmp_path, [f"{number}" * 16 for number in range(3)])
    faces = Faceset(tmp_path)
    clip = {"path": "x/one.mp4", "duration": 2, "frames": 50}
    figures = summarise(faces, [clip], select(faces, SelectionConfig(), 0))
    assert figures["noted"] == {"frames": 39, "others": 6}
    assert figures["per_clip"][0]["others"] == 6


def test_an_empty_faceset_is_summarised_without_numbers(tmp_path):
    write_shard(tmp_path, 0, "a" * 16, SCHEMA.empty_table())
    finish(tmp_path, ["a" * 16])
    faces = Faceset(tmp_path)
    figures = summarise(faces, [], select(faces, SelectionConfig(), 0))
    assert figures["faces"] == 0 and figures["blur"]["median"] is None and figures["bytes_per_face"] is None
    json.dumps(figures, allow_nan=False)


def test_angles_are_centred_on_their_clip():
    values = np.array([10, 12, 14, -5, -3, np.nan])
    out = centred(values, np.array(["a", "a", "a", "b", "b", "c"]))
    assert np.allclose(out[:5], [-2, 0, 2, -1, 1]) and np.isnan(out[5])


def test_identity_spread_ignores_rows_without_embedding():
    vectors = np.zeros((4, 128), np.float32)
    vectors[1, 0], vectors[2, 0] = 0.1, 2.0
    vectors[3] = np.nan
    assert identity_spread(vectors)["embeddings"] == 3
    assert identity_spread(vectors)["beyond_tolerance"] == pytest.approx(1 / 3)


def test_footage_without_any_face_is_refused_and_a_single_clip_is_named(caplog):
    with pytest.raises(UserError, match=r"No face was found in people/x/a\.mp4 nor in the 1 other"):
        refuse_empty("people/x", ["a.mp4", "a.mp4", "b.mp4"], [0, 0, 0])
    with caplog.at_level(logging.WARNING):
        refuse_empty("people/x", ["a.mp4", "a.mp4", "b.mp4"], [0, 3, 0])
    assert "people/x/b.mp4" in caplog.text and "a.mp4" not in caplog.text


def test_contact_sheet_shows_the_kept_faces(faceset, selection):
    sheet = contact_sheet(faceset, selection, "anna")
    assert sheet.shape == (44 + 2 * 128 + 150, 1536, 3) and sheet.dtype == np.uint8
    first = draw_tile(faceset.images([0])[0])
    assert (sheet[44 : 44 + 128, :128] == first).all()
    fourth = sheet[44 : 44 + 128, 3 * 128 : 4 * 128]
    assert (fourth == draw_tile(faceset.images([4])[0])).all()  # row 3 is left out
    lined = draw_tile(faceset.images([0])[0], faceset.landmarks()[0])
    assert (lined != first).any(2).mean() > 0.02
    assert isinstance(faceset.table(["blur"]), pa.Table)


def test_rejected_faces_stand_by_reason_with_a_word_under_each(faceset, selection):
    sheet = rejected_sheet(faceset, selection, "anna")
    assert sheet.shape == (44 + 128 + 36 + 8, 1536, 3)
    for column, row in ((0, 3), (1, 7)):  # blurred, then turned away
        tile = sheet[44 : 44 + 128, column * 128 : (column + 1) * 128]
        assert (tile == draw_tile(faceset.images([row])[0])).all()
        assert (sheet[172:208, column * 128 : (column + 1) * 128] < 100).any()  # ink
    assert (sheet[44:, 2 * 128 :] == 250).all()


def test_every_reason_has_its_place_among_96(hopper_crops, store):
    table = describe_crops(hopper_crops[:4])
    faces = store(*[table] * 40)
    whole = select(faces, SelectionConfig(min_eye_distance=8, duplicates=False), 0)
    reason = np.array(["duplicate"] * 130 + ["blurred"] * 27 + ["dark"] * 3)
    judged = replace(whole, keep=np.zeros(160, bool), training=np.zeros(160, bool), reason=reason)
    sheet = rejected_sheet(faces, judged, "anna")
    assert sheet.shape[0] == 44 + 8 * (128 + 36) + 8
    dark = sheet[44 + 2 * 164 : 44 + 2 * 164 + 128, 3 * 128 : 6 * 128]  # after 27 blurred ones: all three
    assert (dark == np.hstack([draw_tile(image) for image in faces.images([157, 158, 159])])).all()


def test_nothing_left_out_and_nothing_kept_are_drawn(faceset, selection):
    everything = replace(selection, keep=np.ones(20, bool), reason=np.full(20, ""), training=np.ones(20, bool))
    assert rejected_sheet(faceset, everything, "anna").shape == (52, 1536, 3)
    nothing = replace(selection, keep=np.zeros(20, bool), reason=np.full(20, "dark"), training=np.zeros(20, bool))
    assert contact_sheet(faceset, nothing, "anna").shape == (44 + 150, 1536, 3)
    assert rejected_sheet(faceset, nothing, "anna").shape[0] == 44 + 2 * 164 + 8
