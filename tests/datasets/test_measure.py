import json
from pathlib import Path

import pytest
from kedro.io import DatasetError

from understudy.datasets.measure import Measure, MeasureDataset, lacks, measure
from understudy.errors import UserError
from understudy.faces.faceset import SCHEMA, Faceset, finish, write_shard


class Work:
    """Figures that count how often they were made."""

    def __init__(self, **figures: object) -> None:
        self.figures, self.times = figures, 0

    def __call__(self) -> dict:
        self.times += 1
        return dict(self.figures)


@pytest.fixture
def dataset(tmp_path: Path) -> MeasureDataset:
    return MeasureDataset(filepath=str(tmp_path / "scores/identity.json"))


def test_figures_are_made_once_for_a_key(dataset: MeasureDataset, caplog: pytest.LogCaptureFixture) -> None:
    work = Work(matched=3, missing=None)
    with caplog.at_level("INFO"):
        for _ in range(2):
            dataset.save(Measure("a", work))
    assert work.times == 1 and "Kept the measure 'identity'" in caplog.text
    assert dataset.load() == {"matched": 3, "missing": None}
    dataset.save(Measure("b", work))
    assert work.times == 2


@pytest.mark.parametrize("figures", [{"missing": "No file."}, {"part": {"missing": "No file."}, "missing": None}])
def test_what_was_missing_is_tried_again(dataset: MeasureDataset, figures: dict) -> None:
    work = Work(**figures)
    for _ in range(2):
        dataset.save(Measure("a", work))
    assert work.times == 2 and lacks(dataset.load())


def test_a_users_mistake_is_the_reason_and_any_other_error_is_raised(dataset: MeasureDataset) -> None:
    def mistake() -> dict:
        raise UserError("The picture x.jpg is damaged: replace it.")

    dataset.save(Measure("a", mistake))
    assert dataset.load() == {"missing": "The picture x.jpg is damaged: replace it."}
    work = Work(matched=1)
    dataset.save(Measure("a", work))
    assert dataset.load() == {"matched": 1}
    with pytest.raises(DatasetError, match="division"):
        dataset.save(Measure("c", lambda: {"x": 1 // 0}))
    assert dataset.load() == {"matched": 1}, "a failed measure leaves the figures that were there"


def test_what_was_never_measured_names_its_command(dataset: MeasureDataset) -> None:
    assert not dataset.exists()
    assert "--tags identity" in dataset.load()["missing"]


@pytest.mark.parametrize("text", ['{"key": "a", "matc', "[1]"])
def test_a_torn_file_is_named(dataset: MeasureDataset, tmp_path: Path, text: str) -> None:
    path = tmp_path / "scores/identity.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(DatasetError) as raised:
        dataset.load()
    assert isinstance(raised.value.__cause__, UserError)
    assert "scores/identity.json are damaged" in str(raised.value.__cause__)


def test_the_key_follows_faces_settings_and_version(tmp_path: Path) -> None:
    def faceset(name: str, number: int) -> Faceset:
        table = SCHEMA.empty_table()
        folder = tmp_path / name
        folder.mkdir()
        row = write_shard(folder, 0, f"key{number}", table)
        finish(folder, [row.key])
        # two empty tables have equal bytes: let the manifest say otherwise
        manifest = folder / "manifest.jsonl"
        manifest.write_text(manifest.read_text().replace(row.sha256, f"{number:064d}"))
        return Faceset(folder)

    one, other = faceset("one", 1), faceset("other", 2)
    work = Work()
    key = measure("identity", 1, [one], [0.6], work).key
    assert measure("identity", 1, [one], [0.6], work).key == key
    others = {
        measure("distance", 1, [one], [0.6], work).key,
        measure("identity", 2, [one], [0.6], work).key,
        measure("identity", 1, [other], [0.6], work).key,
        measure("identity", 1, [one, other], [0.6], work).key,
        measure("identity", 1, [one], [0.5], work).key,
    }
    assert len(others) == 5 and key not in others
    assert work.times == 0


def test_figures_are_plain_json(dataset: MeasureDataset, tmp_path: Path) -> None:
    dataset.save(Measure("a", Work(matched=3)))
    assert json.loads((tmp_path / "scores/identity.json").read_text()) == {"key": "a", "matched": 3}
    with pytest.raises(DatasetError, match="JSON compliant"):
        dataset.save(Measure("b", Work(matched=float("nan"))))
