import numpy as np
import pytest
import torch

from understudy.errors import UserError
from understudy.gan.data import FaceFeed, StreamFeed, read_faces
from understudy.processes import Share


def test_only_the_given_rows_teach_and_never_one_without_a_face(make_faceset) -> None:
    faces = make_faceset(count=40, faceless=3)
    rows = np.arange(0, 40, 2)
    read = read_faces([faces], 16, 100, [rows])
    assert read.pictures is not None
    np.testing.assert_array_equal(read.pictures, faces.images(rows[2:]).transpose(0, 3, 1, 2))
    with pytest.raises(UserError, match=r"holds 4 faces that are selected .* or loosen 'data_engineering\.selection'"):
        read_faces([faces], 16, 100, [np.arange(36, 40)])


def test_crops_of_another_size_are_refused_before_anything_is_decoded(make_faceset) -> None:
    with pytest.raises(UserError, match="have 16 x 16 pixels and 'size' is 32: run data_engineering"):
        read_faces([make_faceset(size=16)], 32, 100)


def test_other_rows_are_another_training(make_faceset) -> None:
    faces = make_faceset()
    rows = [None, [np.arange(18)], [np.arange(1, 19)]]
    assert len({read_faces([faces], 16, 100, part).key for part in rows}) == 3
    assert read_faces([faces], 16, 100, rows[1]).key == read_faces([faces], 16, 100, rows[1]).key


def test_faces_that_do_not_fit_into_memory_are_streamed_and_taken_up_anywhere(make_faceset) -> None:
    faces = make_faceset(count=600, size=32, faceless=5)
    held, streamed = read_faces([faces], 32, 100), read_faces([faces], 32, 1)
    assert streamed.pictures is None
    assert len(streamed) == len(held) == 595
    assert streamed.key != held.key
    np.testing.assert_array_equal(streamed.sample(8), held.sample(8))

    def batches(start: int, end: int, share: Share | None = None) -> list[torch.Tensor]:
        feed = streamed.feed(8, 1, start, end, share or Share(), lambda pictures: pictures)
        assert isinstance(feed, StreamFeed)
        return list(feed)

    whole = batches(0, 640)
    assert sum(len(batch) for batch in whole) == 640
    assert len({picture.numpy().tobytes() for batch in whole for picture in batch}) == 595
    torch.testing.assert_close(torch.stack(batches(608, 640)), torch.stack(whole[76:]))
    halves = [batches(0, 80, Share(rank, 2)) for rank in (0, 1)]
    assert all(len(half) == 10 and len(half[0]) == 4 for half in halves)
    shown = [{picture.numpy().tobytes() for batch in half for picture in batch} for half in halves]
    assert not shown[0] & shown[1]


def test_the_feed_shows_every_face_once_a_round_and_can_be_taken_up_anywhere() -> None:
    faces = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1)
    batches = [batch.flatten().tolist() for batch in FaceFeed(faces, 4, 1, 0, 40)]
    order = [row for batch in batches for row in batch]
    rounds = [order[at : at + 10] for at in range(0, 40, 10)]
    assert all(sorted(one) == list(range(10)) for one in rounds)
    assert len({tuple(one) for one in rounds}) == 4
    assert [batch.flatten().tolist() for batch in FaceFeed(faces, 4, 1, 12, 40)] == batches[3:]
    assert next(iter(FaceFeed(faces, 4, 2, 0, 40))).flatten().tolist() != batches[0]
