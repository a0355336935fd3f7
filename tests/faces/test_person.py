"""Who is followed when there are several people, and what becomes of the others."""

import json
import logging
from fractions import Fraction

import cv2
import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import UserError
from understudy.faces.config import FacesConfig
from understudy.faces.extract import extract_segment
from understudy.faces.faceset import NOTES
from understudy.faces.identity import distances
from understudy.faces.person import find_person, find_reference, look_at_reference, person_key, share_looks
from understudy.faces.plan import plan_extraction, refuse_absent
from understudy.video.encode import write_video
from understudy.video.footage import find_footage
from understudy.video.probe import probe, segments


@pytest.fixture(scope="module")
def anna(astronaut):
    """256x256 around a face of about 90 pixels."""
    return np.ascontiguousarray(astronaut[:256, 96:352])


@pytest.fixture(scope="module")
def grace(hopper):
    """256x256 around a face of about 120 pixels."""
    return np.ascontiguousarray(cv2.resize(hopper[60:444, 70:454], (256, 256), interpolation=cv2.INTER_AREA))


@pytest.fixture
def film(tmp_path):
    """Make a person's folder with a clip of the given pictures: `film("anna", pictures)`."""

    def make(name, *clips):
        folder = tmp_path / name
        folder.mkdir()
        for number, pictures in enumerate(clips):
            height, width = pictures[0].shape[:2]
            write_video(folder / f"{number}.mp4", pictures, Fraction(25), (width, height))
        return find_footage(folder)

    return make


def find(footage, reference=None):
    return find_person(footage, [probe(path).record() for path in footage.clips], FacesConfig(), reference)


def cut_out(footage, person, **config):
    """The faces of a footage's only segment, and its notes."""
    wanted = None if person is None else np.array(person["embedding"])
    tables = list(extract_segment(segments(footage.clips[0])[0], 64, FacesConfig(**config), wanted))
    notes = json.loads(tables[-1].schema.metadata[NOTES])
    assert notes.pop("clip") == footage.clips[0].name
    return pa.concat_tables(tables), notes


def centres(table):
    boxes = np.array(table.column("box").to_pylist())
    return (boxes[:, 0] + boxes[:, 2]) / 2


def picture(folder, image, name="reference.png"):
    cv2.imwrite(str(folder / name), image[..., ::-1])
    return folder / name


def test_of_two_people_in_a_frame_the_one_of_the_picture_is_followed(film, anna, grace):
    footage = film("anna", [np.hstack([grace, anna])] * 17)
    person = find(footage, picture(footage.folder, anna))
    assert person["origin"] == "reference.png" and len(person["embedding"]) == 128
    table, notes = cut_out(footage, person, redetect_every=15)
    assert (centres(table) > 256).all()  # the smaller of the two faces
    assert notes == {"frames": 17, "faces": 17, "without_face": 0, "someone_else": 0, "others": 2}  # of two searches
    known = np.array([vector for vector in table.column("embedding").to_pylist() if np.isfinite(vector[0])])
    assert distances(known, np.array([person["embedding"]])).max() < 0.4


def test_without_a_picture_the_main_identity_is_followed(film, anna, grace, caplog):
    wall = np.full_like(anna, 90)
    both, alone = np.hstack([grace, anna]), np.hstack([wall, anna])
    footage = film("anna", [both] * 5, [alone] * 5, [alone] * 5)
    person = find(footage)
    assert person["origin"] == "main identity of the footage"
    assert person["people"][0] > person["people"][1] > 0
    assert not caplog.records
    table, notes = cut_out(footage, person)
    assert (centres(table) > 256).all() and notes["others"] == 1


def test_two_people_who_are_equally_often_seen_are_a_warning(film, anna, grace, caplog):
    footage = film("anna", [np.hstack([anna, grace])] * 4)
    with caplog.at_level(logging.WARNING):
        person = find(footage)
    assert "two people are seen about equally often" in caplog.text and "reference.jpg" in caplog.text
    table, _ = cut_out(footage, person)
    assert (centres(table) > 256).all()  # the larger face


def test_cuts_between_two_people_leave_the_other_out(film, anna, grace):
    pictures = [anna] * 6 + [grace] * 7 + [anna] * 6
    footage = film("anna", pictures)
    table, notes = cut_out(footage, find(footage, picture(footage.folder, anna)))
    assert table.column("frame").to_pylist() == [*range(6), *range(13, 19)]
    assert notes == {"frames": 19, "faces": 12, "without_face": 0, "someone_else": 7, "others": 7}


def test_a_takeover_that_no_cut_betrays_is_noticed(film, anna, grace):
    # A slow dissolve with the eyes in one place: nothing jumps from frame to frame.
    moved = cv2.warpAffine(grace, np.array([[0.78, 0, 128 - 0.78 * 128], [0, 0.78, 20.0]]), (256, 256))
    shares = np.r_[np.zeros(6), np.linspace(0, 1, 20), np.ones(24)]
    footage = film("anna", [cv2.addWeighted(anna, 1 - share, moved, share, 0) for share in shares])
    table, notes = cut_out(footage, find(footage, picture(footage.folder, anna)))
    frames = table.column("frame").to_pylist()
    assert frames[:6] == list(range(6)) and max(frames) < 26
    assert notes["faces"] == len(frames) and notes["someone_else"] >= 20
    assert notes["faces"] + notes["someone_else"] + notes["without_face"] == 50


def test_one_person_alone_costs_no_embedding_but_the_first_and_every_fifth(film, anna, monkeypatch):
    from understudy.faces import recognise

    footage = film("anna", [anna] * 20)
    person = find(footage)
    calls = []
    embed = recognise.embed_boxes
    monkeypatch.setattr(recognise, "embed_boxes", lambda rgb, boxes: calls.append(len(boxes)) or embed(rgb, boxes))
    _, notes = cut_out(footage, person)
    assert calls == [1]
    assert notes["faces"] == 20 and notes["others"] == 0


def test_a_stranger_who_stays_is_not_embedded_in_every_frame(film, anna, grace, monkeypatch):
    from understudy.faces import recognise

    footage = film("anna", [anna] * 11)
    calls = []
    embed = recognise.embed_boxes
    reference = {"embedding": look_at_reference(picture(footage.folder, grace))}
    monkeypatch.setattr(recognise, "embed_boxes", lambda rgb, boxes: calls.append(len(boxes)) or embed(rgb, boxes))
    table, notes = cut_out(footage, reference, embed_every=5)
    assert len(table) == 0 and notes["someone_else"] == 11
    assert calls == [1, 1, 1]


def test_footage_without_a_face_wants_nobody(film, anna):
    footage = film("wall", [np.full_like(anna, 90)] * 3)
    person = find(footage)
    assert person["embedding"] is None and person["people"] == []
    assert len(plan_extraction(footage, [probe(footage.clips[0]).record()], 64, FacesConfig(), person)) == 1


@pytest.mark.parametrize(
    ("image", "cause"),
    [
        (lambda anna, grace: np.full_like(anna, 90), "No face was found in the reference picture"),
        (lambda anna, grace: np.hstack([anna, grace]), "shows 2 faces: cut it"),
    ],
)
def test_a_picture_without_one_face_is_one_sentence(tmp_path, anna, grace, image, cause):
    with pytest.raises(UserError, match=cause):
        look_at_reference(picture(tmp_path, image(anna, grace)))


def test_a_picture_that_is_none_and_two_pictures_are_one_sentence(tmp_path, anna):
    (tmp_path / "reference.jpg").write_text("a letter")
    with pytest.raises(UserError, match=r"reference\.jpg cannot be read"):
        look_at_reference(find_reference(tmp_path))
    picture(tmp_path, anna)
    with pytest.raises(UserError, match=r"reference\.jpg and reference\.png: keep one"):
        find_reference(tmp_path)
    assert find_reference(tmp_path / "nobody") is None


def test_a_large_photograph_is_the_same_person(tmp_path, astronaut, anna):
    large = cv2.resize(astronaut, (3000, 3000), interpolation=cv2.INTER_CUBIC)
    a, b = (look_at_reference(picture(tmp_path, image)) for image in (large, anna))
    assert np.linalg.norm(a - b) < 0.3


def test_nobody_like_the_picture_is_told_apart_from_no_face():
    with pytest.raises(UserError, match=r"Nobody in the clips of people/anna looks like the person in reference\.jpg"):
        refuse_absent({"origin": "reference.jpg"}, "people/anna", ["a.mp4"], [0])
    with pytest.raises(UserError, match="No face was found"):
        refuse_absent({"origin": "main identity of the footage"}, "people/anna", ["a.mp4"], [0])
    refuse_absent({"origin": "reference.jpg"}, "people/anna", ["a.mp4"], [3])


def test_the_finding_is_renewed_when_clips_or_picture_change(tmp_path, anna, grace):
    config = FacesConfig()
    keys = {person_key(["a"], config, None), person_key(["b"], config, None)}
    keys.add(person_key(["a"], config, picture(tmp_path, anna)))
    keys.add(person_key(["a"], config, picture(tmp_path, grace)))
    assert len(keys) == 4


def test_another_person_wanted_makes_other_shards(film, anna, grace):
    footage = film("anna", [anna] * 3)
    clips = [probe(footage.clips[0]).record()]
    people = [None, *({"embedding": [round(float(x), 5) for x in np.full(128, value)]} for value in (0.1, 0.2))]
    keys = {plan_extraction(footage, clips, 64, FacesConfig(), person)[0][0] for person in people}
    assert len(keys) == 3


def test_looks_are_shared_by_length_and_bounded_however_many_clips():
    assert share_looks([3.0, 20.0, 0.2]) == [3, 20, 1]
    assert share_looks([100.0, 900.0]) == [3, 28]
    many = share_looks([3.0] * 1000)
    assert sum(many) == 32 and set(many) == {0, 1} and many[0] == many[-1] == 1
