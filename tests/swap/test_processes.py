"""Training shared by processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.errors import UserError
from understudy.processes import require_alone
from understudy.swap.pretrain import main
from understudy.swap.training import Teachers, train
from understudy.weights import load_weights


def test_two_processes_give_the_losses_of_one_with_the_same_batch(source_set, target_set, tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(Path(__file__).with_name("forks.py")), str(tmp_path)]
    command += [str(source_set.path), str(target_set.path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen["one"]) == len(seen["two"]) == 6
    # Rounding, which differs with the size of a batch, grows from step to step.
    for number, (one, two) in enumerate(zip(seen["one"], seen["two"], strict=True)):
        assert one == pytest.approx(two, rel=1e-4 if number < 3 else 1e-2, abs=1e-6)
    assert "swap/discriminator" in seen["one"][-1] and "swap/discriminator" not in seen["one"][0]
    assert seen["second"] == [], "the second process logs nothing"
    assert seen["ranks_agree"]
    assert seen["furthest"] < 5e-3
    assert len(seen["checkpoints"]) == 2, "the newest, and the one to go back to: of the first process alone"


def test_a_batch_that_cannot_be_shared(tiny, source_set, target_set, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(UserError, match="cannot be shared by 3 processes"):
        train(Teachers(source_set, source_set, target_set), tiny, 64, 7, tmp_path)
    with pytest.raises(UserError, match=r"understudy\.swap\.pretrain"):
        require_alone("understudy.swap.pretrain", "go on")


def test_the_command_leaves_a_network(source_set, target_set, tmp_path: Path) -> None:
    settings = tmp_path / "swap.yml"
    settings.write_text(
        "deepfake: {faces: real, network: {encoder: 4, inter: 8, decoder: 4, mask: 2, kind: liae},"
        " training: {iterations: 2, batch: 2}}"
    )
    words = ["--source", str(source_set.path), "--target", str(target_set.path), "--config", str(settings)]
    words += ["--size", "64", "--checkpoints", str(tmp_path / "state"), "--out", str(tmp_path / "made/swap_model")]
    main(words)
    assert load_weights(tmp_path / "made/swap_model").kind == "liae"
    settings.write_text("deepfake: {training: {batch: 0}}")
    with pytest.raises(SystemExit, match=r"deepfake\.training\.batch"):
        main(words)
