"""Facesets are made whole, whatever happens to the disk, to a worker or to the whole run."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import cheap
import psutil
import pytest

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.faces.making import Shard, ShardPlan, make_faceset
from understudy.faces.manifest import read_manifest
from understudy.parallel import ParallelConfig

ONE, TWO = ParallelConfig(workers=1), ParallelConfig(workers=2, retries=0)


def plan(*makes, parallel=ONE) -> ShardPlan:
    shards = [Shard(f"key{number:09d}", make, name=f"a.mp4 #{number}") for number, make in enumerate(makes)]
    return ShardPlan("Cutting", shards, parallel)


def sums(folder: Path) -> list[str]:
    """The SHA-256 of all shards, which are also seen to be readable."""
    faces = Faceset(folder)
    assert faces.column("frame").size == len(faces)
    return [row.sha256 for row in faces.shards]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("healthy")
    make_faceset(folder, plan(*(partial(cheap.table, 10 * n, 3) for n in range(3))))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def faceset(healthy, tmp_path):
    for name, data in healthy.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def made_again(folder: Path, healthy: dict[str, bytes]) -> list[int]:
    """Run the same plan again; return which shards were made, having seen that the files are as they should be."""
    made = []

    def make(number):
        made.append(number)
        return cheap.table(10 * number, 3)

    make_faceset(folder, plan(*(partial(make, number) for number in range(3))))
    for name, data in healthy.items():
        if name.endswith("parquet"):
            assert (folder / name).read_bytes() == data
    assert Faceset(folder).column("frame").tolist() == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    return made


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.9999])
def test_a_flipped_bit_anywhere_is_found_on_reading_and_its_shard_alone_made_again(faceset, healthy, share):
    path = faceset / "0001-key000000001.parquet"
    data = bytearray(path.read_bytes())
    data[int(share * len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(data)
    assert Faceset(faceset).complete  # that is only looked at, not read
    with pytest.raises(UserError, match=r"0001-key000000001\.parquet is damaged \(.*\): run the step"):
        Faceset(faceset).column("frame")
    assert not Faceset(faceset).complete  # so that a run of what is missing makes it too
    assert made_again(faceset, healthy) == [1]


def test_a_flipped_bit_that_nobody_has_read_is_found_when_the_step_runs_again(faceset, healthy):
    path = faceset / "0002-key000000002.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert made_again(faceset, healthy) == [2]


def test_a_shard_cut_short_and_a_lost_one_are_named_and_made_again(faceset, healthy):
    (faceset / "0000-key000000000.parquet").write_bytes(healthy["0000-key000000000.parquet"][:-1])
    with pytest.raises(UserError, match=r"0000-key000000000\.parquet has \d+ bytes instead of"):
        len(Faceset(faceset))
    (faceset / "0002-key000000002.parquet").unlink()
    assert made_again(faceset, healthy) == [0, 2]


def test_a_lost_line_of_the_manifest_is_named_and_its_shard_made_again(faceset, healthy):
    lines = healthy["manifest.jsonl"].splitlines(keepends=True)
    (faceset / "manifest.jsonl").write_bytes(lines[0] + lines[2])
    with pytest.raises(UserError, match=r"line of 0001-key000000001\.parquet in its manifest\.jsonl is lost"):
        len(Faceset(faceset))
    assert made_again(faceset, healthy) == [1]


def test_a_torn_line_of_the_manifest_does_not_tear_the_next(faceset, healthy):
    whole = healthy["manifest.jsonl"]
    (faceset / "manifest.jsonl").write_bytes(whole[:-20])
    assert made_again(faceset, healthy) == [2]
    assert len(read_manifest(faceset)) == 3


@pytest.mark.parametrize("field", ["key", "file", "bytes", "rows", "sha256"])
def test_a_changed_field_of_the_manifest_is_found_and_its_shard_made_again(faceset, healthy, field):
    lines = healthy["manifest.jsonl"].splitlines()
    row = json.loads(lines[1])
    row[field] = row[field] + 1 if isinstance(row[field], int) else row[field].replace("1", "7").replace("a", "b")
    lines[1] = json.dumps(row).encode()
    (faceset / "manifest.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(UserError, match=r"00000000[17]"):
        Faceset(faceset).column("frame")
    assert made_again(faceset, healthy) == [1]


@pytest.mark.parametrize("damage", [b"\xff", b"{}", b'{"keys": ["key00000', b"[]"])
def test_a_damaged_mark_of_success_costs_nothing(faceset, healthy, damage):
    (faceset / "_SUCCESS").write_bytes(damage)
    with pytest.raises(UserError, match="_SUCCESS is damaged"):
        len(Faceset(faceset))
    assert made_again(faceset, healthy) == []


def test_poison_is_named_when_all_others_are_done_and_what_a_killed_worker_did_is_done_again(tmp_path):
    makes = [partial(cheap.table, 10 * n, 3) for n in range(6)]
    make_faceset(tmp_path / "calm", plan(*makes))
    stormy = [*makes]
    stormy[1], stormy[3], stormy[4] = partial(cheap.die_once, tmp_path / "mark", 10, 3), cheap.die, cheap.stumble
    with pytest.raises(UserError) as caught:
        make_faceset(tmp_path / "stormy", plan(*stormy, parallel=TWO))
    message = str(caught.value)
    assert (tmp_path / "mark").exists()
    assert "a.mp4 #3" in message and "a.mp4 #4" in message and "the other 4 are kept" in message
    assert "no face divides by nought" in message or "process died" in message
    assert "\n" not in message and "#1" not in message
    assert sorted(read_manifest(tmp_path / "stormy")) == [f"key{number:09d}" for number in (0, 1, 2, 5)]
    assert not Faceset(tmp_path / "stormy").complete

    make_faceset(tmp_path / "stormy", plan(*makes))
    assert sums(tmp_path / "stormy") == sums(tmp_path / "calm")


def test_several_mistakes_of_the_user_make_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"^The clip b\.mp4 is damaged: remove it; 1 more failed: a\.mp4 #1\.$"):
        make_faceset(tmp_path, plan(cheap.refuse, cheap.stumble))


def run(folder: Path, log: Path, seconds: float, workers: int) -> subprocess.Popen:
    log.touch()
    command = [sys.executable, cheap.__file__, str(folder), str(log), str(seconds), str(workers)]
    path = os.pathsep.join([str(Path(cheap.__file__).parent), *filter(None, sys.path)])
    environment = os.environ | {"PYTHONPATH": path, "COUNT": "60"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(what, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def begun(log: Path) -> list[tuple[int, int]]:
    """Shards that were begun, with the process that did it."""
    return [(int(row[0]), int(row[2])) for row in map(str.split, log.read_text().splitlines()) if row[1] == "begin"]


def test_ten_kills_at_random_moments_redo_only_what_was_not_finished(tmp_path):
    folder, log = tmp_path / "faces", tmp_path / "log"
    make_faceset(tmp_path / "calm", cheap.slow_plan(tmp_path / "calm.log", 0, 1, 60))
    folder.mkdir()
    workers: set[int] = set()
    for number in range(11):
        finished = {int(key[3:]) * 10 for key in read_manifest(folder)}
        assert len(finished) < 60
        log.write_text("")
        process = run(folder, log, 0.03, workers=2 if number % 4 == 1 else 1)
        if number < 10:
            wait_for(lambda: begun(log))
            time.sleep(random.uniform(0, 0.15))
            process.kill()
        code = process.wait()
        assert (code == -signal.SIGKILL) if number < 10 else code == 0
        workers |= {worker for _, worker in begun(log)}
        assert not {first for first, _ in begun(log)} & finished
    assert sums(folder) == sums(tmp_path / "calm")
    assert {path.name for path in folder.iterdir()} == {path.name for path in (tmp_path / "calm").iterdir()}
    wait_for(lambda: not any(map(psutil.pid_exists, workers)))  # workers end with a parent that was killed


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_ended_run_leaves_no_worker_and_nothing_half_written(tmp_path, kind):
    process = run(tmp_path / "faces", tmp_path / "log", 30, workers=2)
    wait_for(lambda: len(begun(tmp_path / "log")) == 2)
    process.send_signal(kind)
    assert process.wait(timeout=30) not in (0, -signal.SIGKILL)
    assert not any(psutil.pid_exists(worker) for _, worker in begun(tmp_path / "log"))
    assert list((tmp_path / "faces").iterdir()) == []
