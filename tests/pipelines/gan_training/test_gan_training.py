from pathlib import Path

import cv2
import mlflow
import numpy as np
import pyarrow as pa
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from understudy.datasets.faceset import FacesetDataset
from understudy.datasets.folder import FolderDataset
from understudy.datasets.network import NetworkDataset
from understudy.datasets.picture import PictureDataset
from understudy.errors import UserError
from understudy.faces.align import POINTS, mean_face
from understudy.faces.faceset import SCHEMA, Faceset, encode_image, finish, write_shard
from understudy.faces.selection import Selection
from understudy.gan.networks import load_generator
from understudy.gan.synthesis import draw
from understudy.pipelines.gan_training import create_pipeline
from understudy.provenance.verify import Code, verify
from understudy.weights import load_weights, save_weights

PARAMETERS = {
    "network": {"channel_base": 128, "channel_max": 8, "mapping_layers": 1, "latent": 16},
    "training": {"kimg": 0.032, "batch": 8, "grid_every_kimg": 0.016, "measure_every_kimg": 0.02, "measure_count": 50},
    "synthesis": {"count": 5, "shard": 3, "batch": 2, "first_seed": 100},
}


@pytest.fixture
def filmed(tmp_path: Path, astronaut: np.ndarray) -> Faceset:
    """Twenty crops of a face, each shifted a little."""
    rows = []
    for number in range(20):
        left, top = 165 + number % 5, 55 + number // 5
        crop = cv2.resize(astronaut[top : top + 128, left : left + 128], (32, 32), interpolation=cv2.INTER_AREA)
        row = dict.fromkeys(SCHEMA.names, 0.0)
        row |= {"image": encode_image(crop), "clip": "a.mp4", "frame": number, "seed": -1, "score": 1.0}
        points = np.full((68, 2), 16.0)  # jaw and lower lips, of no importance here
        points[POINTS] = mean_face(32, "full")
        row |= {"box": [0.0] * 4, "matrix": [0.0] * 6, "landmarks": points.ravel().tolist(), "embedding": [0.0] * 128}
        rows.append(row)
    folder = tmp_path / "filmed"
    folder.mkdir()
    write_shard(folder, 0, "a" * 16, pa.Table.from_pylist(rows, schema=SCHEMA))
    finish(folder, ["a" * 16])
    return Faceset(folder)


def selected(faces: Faceset) -> Selection:
    """All but the last face are kept."""
    keep = np.arange(len(faces)) < len(faces) - 1
    zero = np.zeros(len(faces))
    return Selection(keep, np.where(keep, "", "blurred"), zero, zero, zero, zero, keep)


def run(folder: Path, filmed: Faceset, parameters: dict) -> DataCatalog:
    catalog = DataCatalog(
        {
            "source_faces": MemoryDataset(filmed, copy_mode="assign"),
            "source_selection": MemoryDataset(selected(filmed), copy_mode="assign"),
            "params:gan_training": MemoryDataset(parameters),
            "params:size": MemoryDataset(32),
            "params:seed": MemoryDataset(0),
            "params:parallel": MemoryDataset({"workers": 1}),
            "params:provenance": MemoryDataset({"folder": str(folder / "signing")}),
            "gan_checkpoints": FolderDataset(filepath=str(folder / "checkpoints")),
            "base_checkpoints": FolderDataset(filepath=str(folder / "base")),
            "generator": NetworkDataset(filepath=str(folder / "generator")),
            "gan_summary": MemoryDataset(),
            "gan_sample_grid": PictureDataset(filepath=str(folder / "grid.png")),
            "synthetic_faces": FacesetDataset(filepath=str(folder / "synthetic")),
        }
    )
    SequentialRunner().run(create_pipeline().only_nodes("train_generator", "synthesise_faces"), catalog)
    return catalog


def test_trains_draws_and_logs_into_the_active_run(tmp_path: Path, filmed: Faceset) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = mlflow.create_experiment("gan", artifact_location=str(tmp_path / "artifacts"))
    with mlflow.start_run(experiment_id=experiment) as active:
        catalog = run(tmp_path, filmed, PARAMETERS)
    logged = mlflow.get_run(active.info.run_id).data.metrics
    pictures = {item.path for item in mlflow.artifacts.list_artifacts(run_id=active.info.run_id)}
    mlflow.set_tracking_uri(None)

    assert catalog.load("gan_summary")["kimg"] == pytest.approx(0.032)
    assert catalog.load("gan_summary")["faces"] == 19  # those of the selection
    assert catalog.load("gan_sample_grid").shape == (640, 1024, 3)
    assert verify(tmp_path / "grid.png", tmp_path / "signing").code == Code.VALID
    assert logged["gan/seconds_per_kimg"] > 0
    assert {"gan/loss_generator", "gan/loss_discriminator", "gan/r1", "gan/sign_real", "gan/spread"} <= logged.keys()
    assert logged["gan/memory_mb"] > 100
    assert logged["gan/kimg_left"] >= 0
    assert logged["gan/distance"] > 0
    assert catalog.load("gan_summary")["distance_best"] <= catalog.load("gan_summary")["distance_last"]
    assert "gan_grid" in pictures

    synthetic = catalog.load("synthetic_faces")
    assert synthetic.column("seed").tolist() == [100, 101, 102, 103, 104]
    assert synthetic.column("frame").tolist() == [0, 1, 2, 3, 4]
    assert set(synthetic.column("clip")) == {"synthetic"}
    drawn = draw(load_generator(load_weights(tmp_path / "generator")), [103])[0]
    assert np.abs(synthetic.images([3])[0].astype(int) - drawn).mean() < 4  # JPEG


def test_starts_from_a_base_and_names_what_is_missing(tmp_path: Path, filmed: Faceset) -> None:
    run(tmp_path, filmed, PARAMETERS)
    again = {**PARAMETERS, "start": "base"}
    with pytest.raises(UserError, match=r"no base checkpoint .*32px\.safetensors.*start: scratch"):
        run(tmp_path, filmed, again)
    save_weights(tmp_path / "base" / "32px", load_weights(tmp_path / "generator"))
    shards = {shard.key for shard in Faceset(tmp_path / "synthetic").shards}
    catalog = run(tmp_path, filmed, again)
    assert catalog.load("gan_summary")["start"] == "base"
    assert catalog.load("generator").notes["start"] == "base"
    # another generator: none of the old faces is kept
    assert shards.isdisjoint(shard.key for shard in catalog.load("synthetic_faces").shards)
    wide = {**again, "network": {**PARAMETERS["network"], "channel_max": 4}}
    with pytest.raises(UserError, match="channel_max differ"):
        run(tmp_path, filmed, wide)
