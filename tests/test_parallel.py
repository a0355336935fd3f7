import math
from functools import partial

import cheap
import pytest
import torch
from distributed import LocalCluster

from understudy import cluster
from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.faces.making import Shard, ShardPlan, make_faceset
from understudy.parallel import InlineExecutor, ParallelConfig, each, executor


def test_one_worker_works_in_this_process():
    with executor(ParallelConfig(workers=1)) as pool:
        assert isinstance(pool, InlineExecutor)
        assert pool.submit(math.sqrt, 9).result() == 3
        with pytest.raises(ValueError, match=r"math domain|nonnegative"):
            pool.submit(math.sqrt, -1).result()


def test_work_in_this_process_leaves_torch_its_threads():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with executor(ParallelConfig(workers=1)) as pool:
            pool.submit(torch.set_num_threads, 1).result()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_processes_give_the_same_results():
    with executor(ParallelConfig(workers=2)) as pool:
        assert [future.result() for future in [pool.submit(math.factorial, n) for n in range(5)]] == [1, 1, 2, 6, 24]


def test_a_piece_that_raises_is_done_again_but_not_a_mistake_of_the_user():
    left = [2, 0]

    def stumbles_twice():
        if left[0]:
            left[0] -= 1
            raise OSError("the disk is away")
        return "done"

    def refuses():
        left[1] += 1
        raise UserError("The clip is damaged: remove it.")

    outcomes = {one.number: one for one in each([stumbles_twice, refuses, lambda: 3], ParallelConfig(workers=1))}
    assert outcomes[0].value == "done"
    assert isinstance(outcomes[1].error, UserError) and left[1] == 1
    assert outcomes[2].value == 3


def test_a_piece_that_always_raises_ends_with_its_words_and_traceback():
    (outcome,) = each([cheap.stumble], ParallelConfig(workers=1))
    assert str(outcome.error) == "ZeroDivisionError: no face divides by nought"
    assert "in stumble" in outcome.error.trace


def test_a_cluster_makes_the_same_bytes_though_a_worker_is_killed(tmp_path):
    makes = [partial(cheap.table, 10 * n, 3) for n in range(6)]
    stormy = [*makes]
    stormy[2] = partial(cheap.die_once, tmp_path / "mark", 20, 3)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as dask:
        for name, made, parallel in (
            ("here", makes, ParallelConfig(workers=1)),
            ("there", stormy, ParallelConfig(address=dask.scheduler_address)),
        ):
            shards = [Shard(f"key{number:09d}", make) for number, make in enumerate(made)]
            make_faceset(tmp_path / name, ShardPlan("Cutting", shards, parallel))
    assert (tmp_path / "mark").exists()
    sums = [[row.sha256 for row in Faceset(tmp_path / name).shards] for name in ("here", "there")]
    assert sums[0] == sums[1]


def test_a_cluster_without_scheduler_or_without_workers_is_named(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(UserError, match=r"No Dask scheduler answers at 'parallel\.address' = tcp://127\.0\.0\.1:9:"):
        list(each([cheap.refuse], ParallelConfig(address="tcp://127.0.0.1:9")))
    with LocalCluster(n_workers=0, processes=False, dashboard_address=None, protocol="tcp://") as dask:
        with pytest.raises(UserError, match="No worker is connected to the Dask scheduler at tcp://"):
            list(each([cheap.refuse], ParallelConfig(address=dask.scheduler_address)))


def test_a_cluster_with_other_packages_is_refused():
    packages = dict.fromkeys(cluster.PACKAGES, "1.0")
    versions = {
        "client": {"packages": packages},
        "workers": {"tcp://a:1": {"packages": packages}, "tcp://b:2": {"packages": packages | {"av": "17.0"}}},
    }
    assert cluster._differing(versions) == "tcp://b:2 has av 17.0, here is 1.0"
    del versions["workers"]["tcp://b:2"]
    assert not cluster._differing(versions)
