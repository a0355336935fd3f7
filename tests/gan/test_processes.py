"""Training in processes of its own: killed, and shared."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def forks(tmp_path_factory, faceset_in) -> dict:
    folder = tmp_path_factory.mktemp("forks")
    faceset = faceset_in(folder, count=40)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(Path(__file__).with_name("forks.py")), str(folder), str(faceset.path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_killed_at_ten_moments_it_ends_with_the_weights_of_the_undisturbed_run(forks) -> None:
    seen = forks["kill"]
    assert seen["kills"] == 10
    assert seen["same_weights"]
    assert seen["same_losses"]
    assert seen["steps"] == 60
    assert seen["taken_up"] >= 5


def test_two_processes_give_the_losses_of_one_with_the_same_batch(forks) -> None:
    seen = forks["share"]
    assert [step for step, _ in seen["two"]] == [step for step, _ in seen["one"]]
    for (_, one), (_, two) in zip(seen["one"], seen["two"], strict=True):
        for name in ("loss_generator", "loss_discriminator", "r1", "path_length", "sign_real", "ada_strength"):
            assert two[f"gan/{name}"] == pytest.approx(one[f"gan/{name}"], rel=1e-3, abs=1e-5), name
    assert seen["ranks_agree"]
    assert seen["furthest"] < 1e-2
    assert seen["files"].count("last.ckpt") == 2  # the newest, and the one to go back to: of the first process alone
