"""The whole graph of conf/test, killed in the middle and started again with the same command."""

import json
import os
import re
import signal
import time
from pathlib import Path

import av
import mlflow
import nbformat
import pytest
from nbclient import NotebookClient
from project import ROOT, copy_project, kedro, start

from understudy.video.probe import probe

RUN = ("run", "--env", "test", "--pipelines", "demo")
SOURCE, PAIR = "grace_hopper/64px", "grace_hopper_on_astronaut/64px"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A finished project. Its first run is killed as soon as the GAN has saved a checkpoint."""
    folder = copy_project(tmp_path_factory.mktemp("project"))
    first = start(folder, *RUN, log=folder / "first.log")
    checkpoints = folder / "data/06_models" / SOURCE / "gan_checkpoints"
    deadline = time.monotonic() + 240
    while not list(checkpoints.glob("*/last.ckpt")):
        assert first.poll() is None and time.monotonic() < deadline, (folder / "first.log").read_text()[-3000:]
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (folder / "data/06_models" / SOURCE / "generator.json").exists(), "killed too late to test anything"

    done = kedro(folder, *RUN, timeout=400)
    (folder / "second.log").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return folder


def reporting(project: Path, name: str) -> Path:
    return project / "data/08_reporting" / name


def test_every_result_is_there_and_nothing_is_half_written(project):
    for name in (
        f"{SOURCE}/gan_sample_grid.png",
        f"{SOURCE}/gan_directions.png",
        f"{SOURCE}/gan_projections.png",
        f"{SOURCE}/gan_walk.mp4",
        f"{SOURCE}/selection_summary.json",
        f"{SOURCE}/evaluation_report.html",
        f"{SOURCE}/evaluation_scores.json",
        f"{PAIR}/swap.mp4",
        f"{PAIR}/side_by_side.mp4",
        f"{PAIR}/swap_stills.png",
        f"{PAIR}/swap_quality.json",
        f"{PAIR}/swap_frames.parquet",
        f"{PAIR}/swap_reconstruction.json",
        f"{PAIR}/swap_detectability.json",
        f"{PAIR}/swap_report.html",
    ):
        assert reporting(project, name).stat().st_size > 0, name
    assert not list((project / "data").rglob("*.tmp*"))


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@pytest.mark.parametrize("name", ["swap.mp4", "side_by_side.mp4"])
def test_the_videos_keep_frames_rate_duration_and_sound_of_their_target(project, name):
    (original,) = (project / "data/01_raw/people/astronaut").glob("*.mp4")
    before, after = probe(original), probe(reporting(project, f"{PAIR}/{name}"))
    assert (after.frames, after.rate, after.codec) == (before.frames, before.rate, "h264")
    assert after.duration == pytest.approx(before.duration, abs=1e-3)
    assert packets(reporting(project, f"{PAIR}/{name}")) == packets(original) != []


def test_the_figures_are_those_of_the_synthetic_faces(project):
    scores = json.loads(reporting(project, f"{SOURCE}/evaluation_scores.json").read_text())
    text = json.dumps(scores)
    assert "929" in text, "the paper's figures stand beside ours"
    assert "weights-inception" in text, "what is missing is named with its file"
    quality = json.loads(reporting(project, f"{PAIR}/swap_quality.json").read_text())
    assert 0 <= quality["nearer_to_source"] <= 1


def test_the_report_is_one_page_that_loads_nothing(project):
    page = reporting(project, f"{SOURCE}/evaluation_report.html").read_text()
    assert len(page) < 5_000_000
    assert not re.search(r"""(?:src|srcset)\s*=\s*["'](?!data:)""", page)
    assert not re.search(r"""<link[^>]+href\s*=\s*["'](?!data:)""", page)
    assert "@import" not in page


@pytest.fixture(scope="module")
def run(project):
    client = mlflow.MlflowClient(f"sqlite:///{project}/mlflow.db")
    experiment = client.get_experiment_by_name("understudy-test")
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    assert [run.info.status for run in runs] == ["FINISHED", "KILLED"]
    return client, runs[0]


def test_one_mlflow_run_holds_parameters_numbers_times_and_pictures(run):
    client, finished = run
    assert finished.data.params["gan_training.start"] == "base"
    assert "git.commit" in finished.data.tags
    metrics = finished.data.metrics
    assert metrics["seconds.train_generator"] > 0
    for prefix in ("source_faces_summary.", "gan_summary.", "identity_scores.", "swap_quality."):
        assert any(name.startswith(prefix) for name in metrics), prefix
    names, folders = set(), [""]
    while folders:
        for entry in client.list_artifacts(finished.info.run_id, folders.pop() or None):
            folders.append(entry.path) if entry.is_dir else names.add(Path(entry.path).name)
    assert names >= {"evaluation_report.html", "gan_sample_grid.png", "swap.mp4", "side_by_side.mp4", "swap_stills.png"}


def test_the_notebook_shows_the_results(project, monkeypatch):
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("PYTHONPATH", str(project / "src"))
    (project / "notebooks").mkdir(exist_ok=True)
    notebook = nbformat.read(ROOT / "notebooks/results.ipynb", as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": project / "notebooks"}}).execute()
    pictures = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert len(pictures) >= 3


def test_the_second_run_went_on_from_the_killed_one(project):
    log = (project / "second.log").read_text()
    assert "in all" in log, "the table of times"
    assert not re.search(r"Animating", log), "the footage of the killed run was made again"
