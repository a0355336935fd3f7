"""Demo footage is made once, replaced when its recipe changes, and never put over somebody's own."""

import json
from pathlib import Path

import pytest

from understudy.datasets.footage import FootageDataset, FootagePlan
from understudy.errors import UserError


def _plan(folder_log: list[Path], **recipe: int) -> FootagePlan:
    def make(folder: Path) -> None:
        folder_log.append(folder)
        (folder / "clip.mp4").write_text(json.dumps(recipe))

    return FootagePlan(recipe, make)


def test_made_once_and_found_again(tmp_path: Path) -> None:
    dataset = FootageDataset(filepath=str(tmp_path / "people" / "anna"))
    made: list[Path] = []
    assert not dataset.exists()
    dataset.save(_plan(made, seed=1))
    dataset.save(_plan(made, seed=1))
    assert len(made) == 1
    assert dataset.exists()
    assert [clip.name for clip in dataset.load().clips] == ["clip.mp4"]


def test_another_recipe_replaces_it(tmp_path: Path) -> None:
    dataset = FootageDataset(filepath=str(tmp_path / "anna"))
    made: list[Path] = []
    dataset.save(_plan(made, seed=1))
    dataset.save(_plan(made, seed=2))
    assert json.loads((tmp_path / "anna" / "clip.mp4").read_text()) == {"seed": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["anna"]


def test_own_footage_is_never_touched(tmp_path: Path) -> None:
    own = tmp_path / "anna" / "holiday.mp4"
    own.parent.mkdir()
    own.write_bytes(b"mine")
    with pytest.raises(Exception, match="is not demo footage and is kept") as caught:
        FootageDataset(filepath=str(own.parent)).save(_plan([], seed=1))
    assert isinstance(caught.value, UserError) or isinstance(caught.value.__cause__, UserError)
    assert [path.name for path in own.parent.iterdir()] == ["holiday.mp4"]
    assert own.read_bytes() == b"mine"


def test_nothing_is_left_of_a_failed_making(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "clip.mp4").write_bytes(b"half")
        raise RuntimeError("no more electricity")

    with pytest.raises(Exception, match="electricity"):
        FootageDataset(filepath=str(tmp_path / "anna")).save(FootagePlan({}, fail))
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".anna.tmpxyz").mkdir()
    FootageDataset(filepath=str(tmp_path / "anna")).save(_plan([], seed=1))
    assert [path.name for path in tmp_path.iterdir()] == ["anna"]
