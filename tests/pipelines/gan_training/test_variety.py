from pathlib import Path
from typing import Any

import av
import cv2
import mlflow
import numpy as np
import pandas as pd
import pytest
from judged import crops
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from understudy.datasets.faceset import FacesetDataset
from understudy.datasets.measure import MeasureDataset
from understudy.datasets.picture import MadeFileDataset, PictureDataset
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset, finish, write_shard
from understudy.faces.selection import Selection
from understudy.gan.networks import load_generator
from understudy.gan.pool import recipes_of
from understudy.gan.synthesis import draw
from understudy.pipelines.gan_training import create_pipeline
from understudy.pipelines.gan_training.registry import register_generator
from understudy.provenance.verify import Code, verify
from understudy.weights import Weights, load_weights

BASE = Path(__file__).parents[3] / "data/06_models/base/64px"
PARAMETERS: dict[str, Any] = {
    "synthesis": {"count": 4, "shard": 4, "psi": 0.7, "selection": {"pool": 12, "count": 6, "tolerance": 0.7}},
    "directions": {"count": 1, "seeds": 2},
    "projector": {"count": 2, "steps": 2},
    "walk": {"seeds": 3, "seconds": 0.4},
}


@pytest.fixture(scope="module")
def weights() -> Weights:
    """The shipped generator of Grace Hopper."""
    return load_weights(BASE)


@pytest.fixture(scope="module")
def filmed(hopper: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Faceset:
    folder = tmp_path_factory.mktemp("filmed")
    write_shard(folder, 0, "key", describe_crops(crops(hopper, 6, 1)))
    finish(folder, ["key"])
    return Faceset(folder)


def catalog(folder: Path, weights: Weights, filmed: Faceset, **selection: object) -> DataCatalog:
    zero, all_of_them = np.zeros(len(filmed)), np.ones(len(filmed), bool)
    chosen = Selection(all_of_them, np.full(len(filmed), ""), zero, zero, zero, zero, all_of_them)
    synthesis = PARAMETERS["synthesis"]
    parameters = {**PARAMETERS, "synthesis": {**synthesis, "selection": {**synthesis["selection"], **selection}}}
    return DataCatalog(
        {
            "generator": MemoryDataset(weights, copy_mode="assign"),
            "source_faces": MemoryDataset(filmed, copy_mode="assign"),
            "source_selection": MemoryDataset(chosen, copy_mode="assign"),
            "params:gan_training": MemoryDataset(parameters),
            "params:seed": MemoryDataset(0),
            "params:parallel": MemoryDataset({"workers": 1}),
            "params:provenance": MemoryDataset({"folder": str(folder / "signing")}),
            "synthetic_faces": FacesetDataset(filepath=str(folder / "synthetic")),
            "face_pool": FacesetDataset(filepath=str(folder / "pool")),
            "selected_faces": FacesetDataset(filepath=str(folder / "selected")),
            "selection_summary": MemoryDataset(),
            "gan_directions": MeasureDataset(filepath=str(folder / "directions.json")),
            "gan_directions_picture": PictureDataset(filepath=str(folder / "directions.png")),
            "gan_projections": MemoryDataset(),
            "gan_projections_picture": PictureDataset(filepath=str(folder / "projections.png")),
            "gan_walk": MadeFileDataset(filepath=str(folder / "walk.mp4")),
        }
    )


FACES = ("synthesise_faces", "draw_pool", "select_synthetic_faces")
SPACE = ("measure_directions", "picture_directions", "project_faces", "film_walk")


def run(data: DataCatalog, *nodes: str) -> None:
    SequentialRunner().run(create_pipeline().only_nodes(*nodes), data)


def test_the_plain_sample_stays_unselected_and_the_selected_faces_come_out_of_the_pool(
    tmp_path: Path, weights: Weights, filmed: Faceset
) -> None:
    data = catalog(tmp_path, weights, filmed)
    run(data, *FACES)
    plain, pool, selected = (data.load(name) for name in ("synthetic_faces", "face_pool", "selected_faces"))
    summary = data.load("selection_summary")
    assert plain.column("seed").tolist() == [0, 1, 2, 3]
    assert recipes_of(plain)[0] == {"seed": 0, "psi": 0.7, "crossover": 0}
    assert pool.column("seed").tolist() == list(range(1_000_000, 1_000_012))
    assert len(selected) == summary["chosen"] == 6
    varied = selected.column("seed").tolist()
    assert set(varied) < set(pool.column("seed"))
    assert summary["pool"] == 12
    assert summary["ratio"] > 1

    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    run(data, *FACES)  # nothing is drawn twice
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == files
    run(catalog(tmp_path, weights, filmed, variety="homogeneous"), *FACES)  # another choice, the same pool
    drawn = [path for path in files if path.parent.name != "selected"]
    assert len(drawn) == 4
    assert all(path.stat().st_mtime_ns == files[path] for path in drawn)
    homogeneous = Faceset(tmp_path / "selected").column("seed").tolist()
    assert homogeneous != varied


def test_without_a_pool_the_selected_faces_are_the_plain_sample(
    tmp_path: Path, weights: Weights, filmed: Faceset
) -> None:
    data = catalog(tmp_path, weights, filmed, pool=0)
    run(data, *FACES)
    assert len(data.load("face_pool")) == 0
    assert data.load("selected_faces").column("seed").tolist() == [0, 1, 2, 3]
    assert data.load("selection_summary")["pool"] == 0


def test_too_few_that_are_the_person_are_said_to_be_too_few(
    tmp_path: Path, weights: Weights, filmed: Faceset, caplog: pytest.LogCaptureFixture
) -> None:
    data = catalog(tmp_path, weights, filmed, tolerance=0.01)
    run(data, *FACES)
    assert len(data.load("selected_faces")) == 0
    assert data.load("selection_summary")["somebody_else"] == 12
    assert "0 are the person and 6 were asked for" in caplog.text


def test_the_latent_space_is_shown_signed_and_measured_once(
    tmp_path: Path, weights: Weights, filmed: Faceset, caplog: pytest.LogCaptureFixture
) -> None:
    data = catalog(tmp_path, weights, filmed)
    run(data, *SPACE)
    assert set(data.load("gan_directions")["labels"]) == {"sefa 0", "pca 0"}
    assert [face["row"] for face in data.load("gan_projections")["faces"]] == [0, 5]
    assert data.load("gan_projections_picture").shape == (256, 256, 3)
    for name in ("directions.png", "projections.png", "walk.mp4"):
        assert verify(tmp_path / name, tmp_path / "signing").code == Code.VALID, name
    with av.open(str(tmp_path / "walk.mp4")) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(frames) == 10
    face = cv2.resize(draw(load_generator(weights), [0], 0.7)[0], (256, 256), interpolation=cv2.INTER_CUBIC)
    changed = np.abs(frames[0].astype(int) - face).mean(2)
    assert changed[-20:-8, -80:-10].mean() > 4 * changed[:-40].mean()  # the label; elsewhere only watermark and coding

    caplog.set_level("INFO")
    run(data, "measure_directions")
    assert "Kept the measure 'directions'" in caplog.text


def test_the_registered_generator_draws_bit_for_bit_what_the_generator_draws(tmp_path: Path, weights: Weights) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    try:
        experiment = mlflow.create_experiment("gan", artifact_location=str(tmp_path / "artifacts"))
        with mlflow.start_run(experiment_id=experiment):
            assert register_generator(weights, {"register": False}, "grace")["name"] is None
            entry = register_generator(weights, {}, "grace")
            assert entry == {"name": "understudy-grace-64px", "version": 1}
            assert register_generator(weights, {}, "grace") == entry  # the same weights are no new version
        model = mlflow.pyfunc.load_model("models:/understudy-grace-64px/1")
        drawn = model.predict(pd.DataFrame({"seed": [5, 6, 7], "psi": [0.5, 0.5, 0.5]}))
    finally:
        mlflow.set_tracking_uri(None)
    np.testing.assert_array_equal(drawn, draw(load_generator(weights), [5, 6, 7], 0.5))
    assert drawn.dtype == np.uint8
    assert model.metadata.signature.inputs.input_names() == ["seed", "psi"]
    assert model.metadata.signature.outputs.inputs[0].shape == (-1, 64, 64, 3)
    assert model.metadata.saved_input_example_info is not None
    assert not [path for path in tmp_path.rglob("*") if path.suffix in {".pkl", ".pickle", ".pt", ".pth"}]
