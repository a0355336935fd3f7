"""The pipeline makes both people's footage, and names a person of whom there is no portrait."""

from pathlib import Path

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from understudy.datasets.footage import FootageDataset
from understudy.errors import UserError
from understudy.pipelines.demo_footage import create_pipeline
from understudy.pipelines.demo_footage.nodes import animate_source

QUICK = {"source_seconds": 1.0, "target_seconds": 1.0, "size": 256, "rate": 10}


def test_both_people_get_their_footage(tmp_path: Path) -> None:
    people = {"source": "grace_hopper", "target": "astronaut"}
    catalog = DataCatalog(
        {
            "params:demo_footage": MemoryDataset(QUICK),
            **{f"params:{role}": MemoryDataset(name) for role, name in people.items()},
            **{f"{role}_footage": FootageDataset(filepath=str(tmp_path / name)) for role, name in people.items()},
        }
    )
    SequentialRunner().run(create_pipeline(), catalog)
    for role, name in people.items():
        footage = catalog.load(f"{role}_footage")
        assert [clip.name for clip in footage.clips] == [f"{name}.mp4"]
        assert (footage.folder / "consent.yml").is_file()


def test_a_person_without_portrait_is_named() -> None:
    with pytest.raises(UserError, match="'anna'"):
        animate_source(QUICK, "anna")
