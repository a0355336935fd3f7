"""Finding clips, and what a user is told when there are none."""

from pathlib import Path

import pytest

from understudy.errors import UserError
from understudy.video.footage import find_footage


def test_lists_videos_in_order_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "anna"
    folder.mkdir()
    for name in ("b.MOV", "a.mp4", "consent.yml", ".c.tmp.mp4", "notes.txt"):
        (folder / name).touch()
    footage = find_footage(folder)
    assert footage.name == "anna"
    assert [clip.name for clip in footage.clips] == ["a.mp4", "b.MOV"]


def test_a_missing_person_is_told_who_exists(tmp_path: Path) -> None:
    (tmp_path / "anna").mkdir()
    (tmp_path / "bert").mkdir()
    with pytest.raises(UserError, match=r"carla.*does not exist.*anna, bert"):
        find_footage(tmp_path / "carla")


def test_a_person_without_clips_is_told_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "anna").mkdir()
    with pytest.raises(UserError, match=r"anna holds no video: put at least one clip"):
        find_footage(tmp_path / "anna")
