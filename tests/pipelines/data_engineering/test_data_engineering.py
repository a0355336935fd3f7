import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset

from understudy.datasets.faceset import FacesetDataset
from understudy.datasets.footage import FootageDataset
from understudy.datasets.person import PersonDataset
from understudy.datasets.picture import PictureDataset
from understudy.datasets.selection import SelectionDataset
from understudy.errors import UserError
from understudy.pipelines.data_engineering import create_pipeline, nodes
from understudy.video.encode import write_video
from understudy.video.footage import find_footage

CONSENT = (
    "person: {name}\ngranted_by: NASA\ngranted_on: 2020-01-01\nexpires_on: null\nscope: {scope}\nhow: public domain\n"
)

VIEWS = ("expression_plot", "clip_table")


def person(parent: Path, name: str, clips: dict[str, list[np.ndarray]], scope: str) -> Path:
    folder = parent / name
    folder.mkdir()
    for clip, frames in clips.items():
        write_video(folder / clip, frames, Fraction(25), (256, 256))
    (folder / "consent.yml").write_text(CONSENT.format(name=name, scope=scope))
    return folder


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Anna with two clips, one without a face; Bert with one frame; Wall with no face at all."""
    parent = tmp_path_factory.mktemp("people")
    face = np.ascontiguousarray(skimage.data.astronaut()[:256, 96:352])
    wall = np.full_like(face, 90)
    person(parent, "anna", {"a.mp4": [face] * 4, "b.mp4": [wall] * 3}, "[train, synthesise, swap]")
    person(parent, "bert", {"one.mp4": [face]}, "[swap]")
    person(parent, "wall", {"wall.mp4": [wall] * 3}, "[train, synthesise, swap]")
    return parent


def run(people: Path, out: Path, source: str, target: str) -> DataCatalog:
    catalog = DataCatalog(
        {
            "source_footage": FootageDataset(filepath=str(people / source)),
            "target_footage": FootageDataset(filepath=str(people / target)),
            "source_faces": FacesetDataset(filepath=str(out / "source")),
            "target_faces": FacesetDataset(filepath=str(out / "target")),
            "params:data_engineering": MemoryDataset({}),
            "params:parallel": MemoryDataset({"workers": 1}),
            "params:size": MemoryDataset(64),
            "params:seed": MemoryDataset(0),
            "params:source": MemoryDataset(source),
            "params:target": MemoryDataset(target),
            **{
                f"{who}_{name}": JSONDataset(filepath=str(out / f"{who}_{name}.json"))
                for who in ("source", "target")
                for name in ("clips", "faces_summary")
            },
            **{
                f"{who}_{name}": PictureDataset(filepath=str(out / f"{who}_{name}.png"))
                for who in ("source", "target")
                for name in ("contact_sheet", "rejected_sheet", "expression_picture")
            },
            **{f"{who}_{name}": MemoryDataset() for who in ("source", "target") for name in VIEWS},
            **{
                f"{who}_selection": SelectionDataset(filepath=str(out / f"{who}_selection.parquet"))
                for who in ("source", "target")
            },
            **{
                f"{who}_person": PersonDataset(filepath=str(out / f"{who}_person.json")) for who in ("source", "target")
            },
            "source_variety_sets": JSONDataset(filepath=str(out / "variety_sets.json")),
            "consents": JSONDataset(filepath=str(out / "consents.json")),
        }
    )
    SequentialRunner().run(create_pipeline(), catalog)
    return catalog


def test_whole_pipeline(people, tmp_path, caplog):
    catalog = run(people, tmp_path, "anna", "bert")
    assert catalog.load("consents")["source"]["scope"] == ["train", "synthesise", "swap"]
    assert [clip["frames"] for clip in catalog.load("source_clips")] == [4, 3]
    assert len(catalog.load("source_faces")) == 4
    assert len(catalog.load("target_faces")) == 1  # a clip of one frame
    # four times the same frame: one is kept, in every result
    selection = catalog.load("source_selection")
    assert selection.keep.sum() == 1 and sorted(selection.reason) == ["", "duplicate", "duplicate", "duplicate"]
    summary = catalog.load("source_faces_summary")
    assert summary["clips_with_a_face"] == 1 and summary["kept"] == 1 and summary["rejected"]["duplicate"] == 3
    assert catalog.load("source_variety_sets")["varied"]["rows"] == selection.rows.tolist()
    table = catalog.load("source_clip_table")
    assert table[["clip", "found", "kept", "duplicate"]].to_numpy().tolist() == [["a.mp4", 4, 1, 3], ["b.mp4", 0, 0, 0]]
    assert catalog.load("source_contact_sheet").shape == (44 + 128 + 150, 1536, 3)
    assert catalog.load("source_rejected_sheet").shape == (44 + 128 + 36 + 8, 1536, 3)
    assert catalog.load("target_expression_picture").shape == (720, 1300, 3)
    assert catalog.load("target_expression_plot").layout.title.text == "bert: 1 faces kept"
    assert "anna/b.mp4" in caplog.text  # the clip without a face is named
    faces = catalog.load("source_faces")
    with pytest.raises(UserError, match=r"selection\.count' is 2 and only 1 of the 4 faces"):
        nodes.select_source_faces(faces, {"selection": {"count": 2}}, 0)
    loose = {"selection": {"count": 2, "duplicates": False}}
    assert len(nodes.select_source_faces(faces, loose, 0).training_rows) == 2
    target = nodes.select_target_faces(catalog.load("target_faces"), loose, 0)  # `count` does not bind the target
    assert len(target.training_rows) == 1


def test_second_run_makes_nothing_anew_and_a_lost_shard_only(people, tmp_path):
    run(people, tmp_path, "anna", "bert")
    shards = sorted((tmp_path / "source").glob("*.parquet"))
    before = {path.name: path.read_bytes() for path in shards}
    times = {path.name: path.stat().st_mtime_ns for path in shards}
    shards[0].unlink()
    run(people, tmp_path, "anna", "bert")
    after = {path.name: path.read_bytes() for path in (tmp_path / "source").glob("*.parquet")}
    assert after == before
    assert (tmp_path / "source" / shards[1].name).stat().st_mtime_ns == times[shards[1].name]


def test_footage_without_a_face_is_named_and_leaves_no_faceset(people, tmp_path):
    with pytest.raises((UserError, DatasetError)) as caught:
        run(people, tmp_path, "wall", "bert")
    assert "No face was found" in str(caught.value) and "wall.mp4" in str(caught.value)
    assert not FacesetDataset(filepath=str(tmp_path / "source")).exists()


def test_nothing_is_read_without_consent(people, tmp_path):
    copied = shutil.copytree(people, tmp_path / "people")
    (copied / "anna" / "consent.yml").unlink()
    with pytest.raises(UserError, match=r"consent\.yml"):
        run(copied, tmp_path, "anna", "bert")
    assert not (tmp_path / "source").exists()


def test_scope_of_a_target_does_not_do_for_a_source(people):
    with pytest.raises(UserError, match="train"):
        nodes.check_consents(find_footage(people / "bert"), find_footage(people / "bert"))


def test_a_text_file_named_mp4_is_one_sentence(people, tmp_path):
    copied = shutil.copytree(people / "anna", tmp_path / "anna")
    (copied / "a.mp4").write_text("not a video")
    with pytest.raises(UserError, match=r"a\.mp4"):
        nodes.probe_clips(find_footage(copied), {})
