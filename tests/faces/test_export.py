"""Faces for other programs, read back with what those programs use."""

import csv

import cheap
import cv2
import numpy as np
import pytest
from tfrecord.reader import tfrecord_loader

from understudy.datasets.export import ExportDataset
from understudy.errors import UserError
from understudy.faces import export
from understudy.faces.export import plan_export
from understudy.faces.faceset import Faceset
from understudy.faces.making import Shard, ShardPlan, make_faceset

ROWS = np.array([0, 3, 129, 199])


@pytest.fixture(scope="module")
def faceset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    shards = [Shard("key000000000", lambda: cheap.table(0, 150)), Shard("key000000001", lambda: cheap.table(150, 50))]
    make_faceset(folder, ShardPlan("Cutting", shards))
    return Faceset(folder)


def test_tfrecords_hold_the_same_bytes_and_scores(faceset, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "FACES_PER_FILE", 3)
    dataset = ExportDataset(filepath=str(tmp_path / "export"))
    dataset.save(plan_export(faceset, ROWS, "tfrecord"))
    names = sorted(path.name for path in dataset.load().glob("*.tfrecord"))
    assert names == ["faces-00000-of-00002.tfrecord", "faces-00001-of-00002.tfrecord"]
    faces = [face for name in names for face in tfrecord_loader(str(tmp_path / "export" / name), None)]
    assert [bytes(face["image/encoded"]) for face in faces] == [jpeg for _, jpeg in faceset.jpegs(ROWS)]
    assert [int(face["face/row"][0]) for face in faces] == ROWS.tolist()
    assert [int(face["face/frame"][0]) for face in faces] == faceset.column("frame")[ROWS].tolist()
    assert [int(face["face/phash"][0]) for face in faces] == faceset.column("phash")[ROWS].tolist()
    assert (int(faces[0]["image/height"][0]), int(faces[0]["image/width"][0])) == (16, 16)
    assert bytes(faces[0]["face/clip"]) == b"a.mp4"
    assert len(faces[0]["face/landmarks"]) == 136


def test_a_folder_holds_the_same_bytes_and_a_table(faceset, tmp_path):
    dataset = ExportDataset(filepath=str(tmp_path / "export"))
    dataset.save(plan_export(faceset, ROWS, "folder"))
    with (tmp_path / "export" / "faces.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [int(line["row"]) for line in lines] == ROWS.tolist()
    assert lines[2]["file"] == "000/0000129.jpg"
    for line, (_, jpeg) in zip(lines, faceset.jpegs(ROWS), strict=True):
        assert (tmp_path / "export" / line["file"]).read_bytes() == jpeg
    assert len(list((tmp_path / "export").rglob("*.jpg"))) == 4
    assert cv2.imread(str(tmp_path / "export" / lines[0]["file"])).shape == (16, 16, 3)


def test_nothing_is_written_when_nothing_is_asked_for(faceset, tmp_path):
    dataset = ExportDataset(filepath=str(tmp_path / "export"))
    dataset.save(plan_export(faceset, ROWS, "none"))
    assert not dataset.exists()
    assert list(tmp_path.iterdir()) == []


def test_an_export_is_made_once_and_replaced_when_it_would_differ(faceset, tmp_path):
    dataset = ExportDataset(filepath=str(tmp_path / "export"))
    dataset.save(plan_export(faceset, ROWS, "folder"))
    first = (tmp_path / "export" / "faces.csv").stat().st_mtime_ns
    dataset.save(plan_export(faceset, ROWS, "folder"))
    assert (tmp_path / "export" / "faces.csv").stat().st_mtime_ns == first
    dataset.save(plan_export(faceset, ROWS[:1], "tfrecord"))
    assert not (tmp_path / "export" / "faces.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_an_export_that_fails_leaves_the_one_before(faceset, tmp_path, monkeypatch):
    dataset = ExportDataset(filepath=str(tmp_path / "export"))
    dataset.save(plan_export(faceset, ROWS, "folder"))
    monkeypatch.setattr(export, "_size", lambda jpeg: 1 / 0)
    with pytest.raises(Exception, match="division by zero"):
        dataset.save(plan_export(faceset, ROWS, "tfrecord"))
    assert (tmp_path / "export" / "faces.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["export"]
    with pytest.raises(Exception, match=r"No face in .* is left to export") as caught:
        dataset.save(plan_export(faceset, ROWS[:0], "folder"))
    assert isinstance(caught.value.__cause__, UserError)
