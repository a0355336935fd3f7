from functools import partial

import numpy as np
import pytest
from cheap import refuse as fail
from cheap import table
from kedro.io import DatasetError

from understudy.datasets.faceset import FacesetDataset, Shard, ShardPlan
from understudy.errors import UserError
from understudy.faces.faceset import store_shard
from understudy.parallel import ParallelConfig


def plan(*shards: Shard, workers: int = 1) -> ShardPlan:
    return ShardPlan("Cutting", shards, ParallelConfig(workers=workers))


def test_a_faceset_is_read_as_it_was_planned(tmp_path):
    dataset = FacesetDataset(filepath=str(tmp_path / "faces"))
    dataset.save(plan(Shard("b", partial(table, 0, 3, 10)), Shard("a", partial(table, 3, 2, 200))))
    faces = dataset.load()
    assert len(faces) == 5
    assert faces.column("frame").tolist() == [0, 1, 2, 3, 4]
    assert faces.landmarks().shape == (5, 68, 2)
    assert [len(batch) for batch in faces.batches(2)] == [2, 1, 2]
    picked = faces.images([4, 0, 4])
    assert abs(int(picked[0, 0, 0, 0]) - 200) <= 1
    assert abs(int(picked[1, 0, 0, 0]) - 10) <= 1
    assert np.array_equal(picked[0], picked[2])


def test_what_is_done_is_kept_when_another_shard_fails_and_only_the_rest_is_made_again(tmp_path):
    dataset = FacesetDataset(filepath=str(tmp_path / "faces"))
    with pytest.raises(DatasetError, match=r"b\.mp4 is damaged"):
        dataset.save(plan(Shard("a", partial(table, 0, 2)), Shard("b", fail), Shard("c", partial(table, 2, 1))))
    assert not dataset.exists()
    unfinished = dataset.load()  # what does not read it does not mind
    with pytest.raises(UserError, match="not complete"):
        len(unfinished)

    # `fail` would raise if a finished shard were made again
    dataset.save(plan(Shard("a", fail), Shard("b", partial(table, 5, 1)), Shard("c", fail)))
    assert dataset.load().column("frame").tolist() == [0, 1, 5, 2]


def test_a_damaged_shard_is_named(tmp_path):
    dataset = FacesetDataset(filepath=str(tmp_path / "faces"))
    dataset.save(plan(Shard("a", partial(table, 0, 2))))
    shard = next((tmp_path / "faces").glob("*.parquet"))
    data = bytearray(shard.read_bytes())
    data[data.index(b"\xff\xd8\xff") + 300] ^= 0xFF  # inside the first JPEG
    shard.write_bytes(data)
    with pytest.raises(UserError, match=shard.name):
        dataset.load().images([0])


def test_a_shard_cut_short_is_made_again(tmp_path):
    dataset = FacesetDataset(filepath=str(tmp_path / "faces"))
    work = plan(Shard("a", partial(table, 0, 2)))
    dataset.save(work)
    shard = next((tmp_path / "faces").glob("*.parquet"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:100])
    assert not dataset.exists()
    dataset.save(work)
    assert shard.read_bytes() == whole


def test_a_new_plan_replaces_the_old_shards(tmp_path):
    dataset = FacesetDataset(filepath=str(tmp_path / "faces"))
    dataset.save(plan(Shard("a", partial(table, 0, 2))))
    dataset.save(plan(Shard("z", partial(table, 7, 1))))
    assert dataset.load().column("frame").tolist() == [7]
    assert len(list((tmp_path / "faces").glob("*.parquet"))) == 1


def test_notes_of_a_shard_are_kept_and_are_part_of_its_bytes(tmp_path):
    noted = table(0, 2).replace_schema_metadata({"understudy": '{"frames": 9, "others": 1}', "pandas": "x"})
    dataset = FacesetDataset(filepath=str(tmp_path / "faces"))
    dataset.save(plan(Shard("a", noted.slice), Shard("b", partial(table, 2, 1))))
    assert dataset.load().notes() == [{"frames": 9, "others": 1}, {}]


def test_rows_that_come_in_pieces_make_the_same_shard(tmp_path):
    whole = table(0, 300).replace_schema_metadata({"understudy": '{"frames": 300}'})
    pieces = (whole.slice(0, 7), whole.slice(7, 290), whole.slice(297, 3))
    sums = [store_shard(tmp_path, number, "key", made).sha256 for number, made in enumerate((whole, pieces))]
    assert sums[0] == sums[1]


def test_a_column_of_a_later_version_is_asked_for_in_one_sentence(tmp_path):
    dataset = FacesetDataset(filepath=str(tmp_path / "faces"))
    dataset.save(plan(Shard("a", partial(table, 0, 2))))
    with pytest.raises(UserError, match="has no shoe_size: it was made by an earlier version"):
        dataset.load().table(["frame", "shoe_size"])
