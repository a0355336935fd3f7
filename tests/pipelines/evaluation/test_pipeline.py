import json
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from kedro_datasets.json import JSONDataset

from understudy.datasets.faceset import FacesetDataset
from understudy.datasets.measure import MeasureDataset
from understudy.errors import UserError
from understudy.faces.faceset import Faceset, finish
from understudy.faces.selection import Selection
from understudy.pipelines.evaluation import create_pipeline
from understudy.pipelines.evaluation.nodes import measure_detectability
from understudy.pipelines.evaluation.pipeline import MEASURES

PARAMETERS = {
    "max_real": 10,
    "repeats": 3,
    "pictures": 4,
    "batch": 4,
    "inception": {"download": False},
    "openface": {"download": False},
    "detectability": {"folds": 2, "epochs": 1, "halvings": 1, "draws": 100},
}


def everything(faces: Faceset) -> Selection:
    """A selection that keeps all."""
    count = len(faces)
    nothing, all_of_them = np.zeros(count), np.ones(count, bool)
    return Selection(all_of_them, np.full(count, ""), nothing, nothing, nothing, nothing, all_of_them)


def catalog(folder: Path, source: Faceset, synthetic: Faceset, **changes: object) -> DataCatalog:
    entries = {
        "source_faces": MemoryDataset(source, copy_mode="assign"),
        "source_selection": MemoryDataset(everything(source), copy_mode="assign"),
        "source_variety_sets": MemoryDataset({"monotone": {"rows": [0, 1, 2]}, "varied": {"rows": [0, 8, 17]}}),
        "source_years_apart": MemoryDataset(folder / "years_apart"),
        "synthetic_faces": MemoryDataset(synthetic, copy_mode="assign"),
        "selected_faces": MemoryDataset(synthetic, copy_mode="assign"),
        "original_faces": FacesetDataset(filepath=str(folder / "originals")),
        "params:evaluation": MemoryDataset(PARAMETERS | changes),
        "params:parallel": MemoryDataset({"workers": 1}),
        "params:source": MemoryDataset("grace_hopper"),
        "params:size": MemoryDataset(64),
        "params:seed": MemoryDataset(0),
    }
    measures = {f"{name}_scores": MeasureDataset(filepath=str(folder / f"scores/{name}.json")) for name in MEASURES}
    return DataCatalog(entries | measures)


@pytest.fixture(autouse=True)
def no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))


def run(data: DataCatalog, *tags: str) -> dict[str, object]:
    pipeline = create_pipeline()
    made = SequentialRunner().run(pipeline.only_nodes_with_tags(*tags) if tags else pipeline, data)
    return {name: dataset.load() for name, dataset in made.items()}


def test_all_results_come_out_of_two_facesets(tmp_path: Path, filmed: Faceset, synthetic: Faceset) -> None:
    data = catalog(tmp_path, filmed, synthetic)
    made = run(data)
    plots = {f"{name}_plot" for name in ("identity_distance", "threshold", "coverage", "detectability")}
    assert set(made) == {*plots, "evaluation_pictures", "evaluation_report"}
    for words in ("grace_hopper", "Table 1", "Nearest to a filmed frame", "How well probes tell", "Mouth opening"):
        assert words in made["evaluation_report"], words
    originals = Faceset(tmp_path / "originals")
    assert len(originals) == 10 and len(originals.shards) == 3
    assert set(originals.column("clip")) == {"one.mp4", "two.mp4"}
    np.testing.assert_array_equal(originals.column("frame"), filmed.column("frame")[filmed.sample(10)])
    # The same method on the same crop: a second JPEG at the same quality moves the embedding hardly at all.
    moved = np.linalg.norm(originals.column("embedding") - filmed.column("embedding")[filmed.sample(10)], axis=1)
    assert moved.max() < 0.12


def test_a_tag_runs_one_measure(tmp_path: Path, filmed: Faceset, synthetic: Faceset) -> None:
    made = run(catalog(tmp_path, filmed, synthetic), "identity")
    assert set(made) == {"identity_scores", "identity_distance_plot"}
    assert [path.name for path in (tmp_path / "scores").iterdir()] == ["identity.json"]
    assert json.loads((tmp_path / "scores/identity.json").read_text())["matched"] == 6


def test_what_the_paper_did_not_measure(tmp_path: Path, filmed: Faceset, synthetic: Faceset) -> None:
    run(catalog(tmp_path, filmed, synthetic), "copies", "coverage", "detectability")
    figures = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "scores").iterdir()}
    assert set(figures) == {"copies", "coverage", "detectability"}
    assert all(part["missing"] is None for part in figures.values())
    assert (figures["copies"]["filmed"], figures["copies"]["originals"]) == (18, 10)
    assert figures["coverage"]["synthetic"] == 10  # two show no face
    assert figures["detectability"]["faces"] == 12
    other = everything(filmed)
    stranger = Selection(**{**other.__dict__, "keep": other.keep[:5]})
    with pytest.raises(UserError, match="run the pipeline data_engineering again"):
        measure_detectability(synthetic, filmed, stranger, PARAMETERS, 0)


def test_the_report_says_what_was_never_measured(tmp_path: Path, filmed: Faceset, synthetic: Faceset) -> None:
    data = catalog(tmp_path, filmed, synthetic)
    run(data, "identity")
    data["evaluation_scores"] = JSONDataset(filepath=str(tmp_path / "evaluation_scores.json"))
    made = run(data, "report")
    assert "6 of 12 synthetic faces" in made["evaluation_report"]
    assert "Not measured yet" in made["evaluation_report"] and "--tags frechet" in made["evaluation_report"]
    assert set(json.loads((tmp_path / "evaluation_scores.json").read_text())["missing"]) == set(MEASURES) - {"identity"}


def test_what_is_measured_is_kept_until_what_it_depends_on_changes(
    tmp_path: Path, filmed: Faceset, synthetic: Faceset, caplog: pytest.LogCaptureFixture
) -> None:
    written = {}
    for changes, kept in (({}, []), ({}, ["identity", "frechet"]), ({"tolerance": 0.5}, ["frechet"])):
        caplog.clear()
        with caplog.at_level("INFO"):
            run(catalog(tmp_path, filmed, synthetic, **changes), "identity", "frechet")
        assert [name for name in ("identity", "frechet") if f"Kept the measure '{name}'" in caplog.text] == kept
        files = {name: (tmp_path / f"scores/{name}.json").stat().st_mtime_ns for name in ("identity", "frechet")}
        assert all(files[name] == written[name] for name in kept)
        written = files
    assert json.loads((tmp_path / "scores/identity.json").read_text())["tolerance"] == 0.5


def test_an_empty_faceset_and_a_misspelt_parameter_are_told(
    tmp_path: Path, filmed: Faceset, synthetic: Faceset
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    finish(empty, [])
    with pytest.raises(UserError, match="was selected: add clips"):
        run(catalog(tmp_path, Faceset(empty), synthetic))
    with pytest.raises(UserError, match=r"evaluation\.tolerence"):
        run(catalog(tmp_path, filmed, synthetic, tolerence=0.5))
