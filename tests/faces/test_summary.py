import json
import logging

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import UserError
from understudy.faces.config import FacesConfig
from understudy.faces.expression import centred
from understudy.faces.extract import extract_segment
from understudy.faces.faceset import SCHEMA, Faceset, finish, write_shard
from understudy.faces.sheet import contact_sheet, draw_tile
from understudy.faces.summary import identity_spread, refuse_empty, summarise
from understudy.video.probe import probe, segments


@pytest.fixture(scope="module")
def faceset(walking_clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    write_shard(folder, 0, "a" * 16, extract_segment(segments(walking_clip)[0], 64, FacesConfig()))
    write_shard(folder, 1, "b" * 16, SCHEMA.empty_table())
    finish(folder, ["a" * 16, "b" * 16])
    return Faceset(folder)


def test_summary_counts_and_is_plain_json(faceset, walking_clip):
    figures = summarise(faceset, [probe(walking_clip).record()])
    assert (figures["clips"], figures["frames"], figures["faces"], figures["segments"]) == (1, 20, 20, 2)
    assert figures["recall"] == 1.0
    assert 60 < figures["face_size"]["median"] < 120
    assert figures["identity"]["beyond_tolerance"] == 0.0
    assert 0 < figures["landmark_jitter"] < 0.1
    assert 1000 < figures["bytes_per_face"] < 20_000
    json.dumps(figures, allow_nan=False)


def test_an_empty_faceset_is_summarised_without_numbers(tmp_path):
    write_shard(tmp_path, 0, "a" * 16, SCHEMA.empty_table())
    finish(tmp_path, ["a" * 16])
    figures = summarise(Faceset(tmp_path), [])
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


def test_contact_sheet_shows_the_faces(faceset):
    sheet = contact_sheet(faceset, "anna")
    assert sheet.shape == (44 + 2 * 128 + 150, 1536, 3) and sheet.dtype == np.uint8
    first = draw_tile(faceset.images([0])[0])
    assert (sheet[44 : 44 + 128, :128] == first).all()
    lined = draw_tile(faceset.images([0])[0], faceset.landmarks()[0])
    assert (lined != first).any(2).mean() > 0.02
    assert isinstance(faceset.table(["blur"]), pa.Table)
