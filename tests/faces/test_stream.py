"""Faces streamed into training: each once an epoch, in an order that can be taken up anywhere, by any workers."""

from functools import partial
from itertools import islice

import cheap
import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.utils.data import DataLoader

from understudy.errors import UserError
from understudy.faces.faceset import SCHEMA, Faceset, encode_image
from understudy.faces.making import Shard, ShardPlan, make_faceset
from understudy.faces.stream import FaceStream

COUNTS = (130, 40, 0, 30)  # 200 pictures in four row groups


@pytest.fixture(scope="module")
def faceset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    starts = np.cumsum([0, *COUNTS])
    makes = [partial(cheap.table, int(first), rows) for first, rows in zip(starts, COUNTS, strict=False)]
    make_faceset(folder, ShardPlan("Cutting", [Shard(f"key{n:09d}", make) for n, make in enumerate(makes)]))
    return Faceset(folder)


def stream(faceset, **options) -> FaceStream:
    return FaceStream([faceset], 10, **({"seed": 3, "mixed": 2} | options))


def numbers(batches) -> list[int]:
    """Which pictures they are: the lower half of each is of its row's shade."""
    return [int(shade) for batch in batches for shade in batch[:, 0, -1, 0]]


def loader(faces: FaceStream, workers: int) -> DataLoader:
    return DataLoader(faces, batch_size=None, num_workers=workers)


def test_each_epoch_shows_every_picture_once_in_another_order(faceset):
    shown = numbers(islice(loader(stream(faceset), 0), 40))
    first, second = shown[:200], shown[200:]
    assert sorted(first) == sorted(second) == list(range(200))
    assert first != second
    assert first != sorted(first)
    rough = np.abs(np.diff(first)).mean()
    assert rough > 20  # neighbours are not neighbours of the footage
    assert numbers(islice(loader(stream(faceset, seed=4), 0), 20)) != first


def test_the_number_of_workers_changes_nothing(faceset):
    alone = list(islice(loader(stream(faceset), 0), 25))
    together = list(islice(loader(stream(faceset), 2), 25))
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))
    assert alone[0].dtype == torch.uint8 and alone[0].shape == (10, 3, 16, 16)


@pytest.mark.parametrize("workers", [(0, 0), (2, 2), (2, 0)])
def test_a_saved_place_is_taken_up_with_the_very_next_picture(faceset, workers):
    undisturbed = list(islice(loader(stream(faceset), 0), 33))
    before = stream(faceset)
    taken = []
    for batch in islice(loader(before, workers[0]), 23):  # into the second epoch; workers have read further ahead
        taken.append(batch)
        before.advance(len(batch))
    state = before.state_dict()
    assert (state["epoch"], state["position"]) == (1, 30)
    after = stream(faceset)
    after.load_state_dict(state)
    taken += islice(loader(after, workers[1]), 10)
    assert all(torch.equal(one, other) for one, other in zip(taken, undisturbed, strict=True))


def test_a_place_in_another_stream_is_refused(faceset):
    with pytest.raises(UserError, match="other faces or another order"):
        stream(faceset, seed=4).load_state_dict(stream(faceset).state_dict())


def test_ranks_share_the_pictures_out(faceset):
    shares = [stream(faceset, rank=rank, ranks=2) for rank in range(2)]
    lengths = [len(share._order(0).mirrored) for share in shares]
    assert sum(lengths) == 200
    shown = [numbers(islice(iter(share), 20))[:length] for share, length in zip(shares, lengths, strict=True)]
    assert sorted(shown[0] + shown[1]) == list(range(200))
    with pytest.raises(UserError, match=r"4 row groups .* 5 processes"):
        stream(faceset, ranks=5)


def test_only_wanted_rows_are_shown_and_facesets_are_put_together(faceset):
    some, other = np.array([199, 3, 128]), np.arange(50, 57)
    both = FaceStream([faceset, faceset], 10, 0, rows=[some, other])
    assert sorted(numbers(islice(both, 1))) == sorted([*some, *other])


def test_half_of_the_pictures_are_mirrored_others_in_each_epoch(tmp_path):
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:, :8] = 255
    rows = cheap.table(0, 100).to_pylist()
    data = encode_image(picture)
    whole = pa.Table.from_pylist([row | {"image": data} for row in rows], schema=SCHEMA)
    make_faceset(tmp_path, ShardPlan("Cutting", [Shard("key000000000", lambda: whole)]))
    shown = torch.cat(list(islice(stream(Faceset(tmp_path)), 20)))
    mirrored = shown[:, 0, 0, 0] < 128
    assert 60 < mirrored.sum() < 140
    assert not torch.equal(mirrored[:100], mirrored[100:])
    plain = torch.cat(list(islice(stream(Faceset(tmp_path), flip=False), 10)))
    assert (plain[:, 0, 0, 0] > 128).all()
