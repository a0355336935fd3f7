"""Faces streamed from their shards into training: shuffled, in constant memory, taken up again at any picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from understudy.errors import UserError
from understudy.faces.faceset import ROW_GROUP, Faceset, decode_image
from understudy.files import fingerprint


class FaceStream(IterableDataset[Tensor]):
    """An endless stream of batches, uint8 (batch, 3, H, W), RGB.

    Each epoch the row groups of all shards are shuffled, and the rows of `mixed` of them at a time are shuffled among
    each other. That is all that is held in memory, as JPEG: about 4 MB a row group at 256 px. The order depends on the
    seed, the rank and the number of ranks alone: the ranks share out the row groups, the workers of a DataLoader the
    batches, so that the number of workers changes nothing.

    Use it as `DataLoader(stream, batch_size=None, num_workers=n)`. Workers read ahead, so that only whoever takes the
    batches knows how far training has come: call `advance(len(batch))` for each. `state_dict` then tells the place,
    and after `load_state_dict` a new DataLoader goes on with the very next picture, with any number of workers.

    Args:
        facesets: complete facesets whose crops have one size; their rows are put together.
        batch: pictures a batch.
        seed: of the order and of the mirroring.
        rows: the row numbers wanted of each faceset; None for all that hold a face.
        flip: whether half of the pictures are mirrored, others in each epoch.
        mixed: row groups that are shuffled among each other.
        rank: of this process in distributed training.
        ranks: how many there are.

    Raises:
        UserError: there are fewer row groups with wanted rows than ranks.
    """

    def __init__(
        self,
        facesets: Sequence[Faceset],
        batch: int,
        seed: int,
        *,
        rows: Sequence[np.ndarray] | None = None,
        flip: bool = True,
        mixed: int = 8,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        super().__init__()
        self.facesets, self.batch, self.seed = list(facesets), batch, seed
        self.flip, self.mixed, self.rank, self.ranks = flip, mixed, rank, ranks
        wanted = [np.flatnonzero(faceset.found()) for faceset in facesets] if rows is None else rows
        self.groups = [group for pair in zip(self.facesets, wanted, strict=True) for group in _groups(*pair)]
        if len(self.groups) < ranks:
            raise UserError(
                f"{', '.join(str(faceset.path) for faceset in facesets)} holds {len(self.groups)} row groups with "
                f"faces to learn from and {ranks} processes want one each: add longer or further clips."
            )
        self.epoch = 0
        self.position = 0

    @cached_property
    def key(self) -> str:
        """A short name for what is streamed and in which order."""
        rows = [[group.sha256, group.number, group.rows.tolist()] for group in self.groups]
        return fingerprint(rows, self.seed, self.flip, self.mixed, self.rank, self.ranks)

    def advance(self, images: int) -> None:
        """Say that so many further pictures were taken."""
        self.epoch, self.position = self._beyond(self.epoch, self.position, images)

    def state_dict(self) -> dict[str, Any]:
        """The place in the stream: its epoch, the pictures taken in it, and the name of the order."""
        return {"epoch": self.epoch, "position": self.position, "key": self.key}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on at the place that `state` tells.

        Raises:
            UserError: it is a place in another stream.
        """
        if state["key"] != self.key:
            raise UserError(
                "The place in the stream of faces was saved for other faces or another order: use the faces, the seed "
                "and the number of processes of that run, or start training anew."
            )
        self.epoch, self.position = int(state["epoch"]), int(state["position"])

    def __iter__(self) -> Iterator[Tensor]:
        worker = get_worker_info()
        skip, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        epoch, place = self._beyond(self.epoch, self.position, skip * self.batch)
        while True:
            yield torch.from_numpy(self._pictures(epoch, place))
            epoch, place = self._beyond(epoch, place, workers * self.batch)

    def _beyond(self, epoch: int, place: int, images: int) -> tuple[int, int]:
        """The epoch and the place in it that lie so many pictures further on."""
        place += images
        while place >= (length := len(self._order(epoch).mirrored)):
            epoch, place = epoch + 1, place - length
        return epoch, place

    def _order(self, epoch: int) -> "_Order":
        """The order of this rank's pictures in an epoch; that of the last one asked for is kept."""
        kept: _Order | None = getattr(self, "_kept", None)
        if kept is None or kept.epoch != epoch:
            kept = self._kept = _Order(self, epoch)
        return kept

    def _pictures(self, epoch: int, place: int) -> np.ndarray:
        """The batch that begins there, uint8 (batch, 3, H, W)."""
        pictures: np.ndarray | None = None
        for number in range(self.batch):
            order = self._order(epoch)
            image = decode_image(order.jpeg(place))  # (H, W, 3)
            if pictures is None:
                pictures = np.empty((self.batch, 3, *image.shape[:2]), np.uint8)
            elif image.shape[:2] != pictures.shape[2:]:
                raise UserError(
                    f"The facesets hold crops of {pictures.shape[3]} and of {image.shape[1]} pixels: make them anew "
                    "with one 'size'."
                )
            pictures[number] = (image[:, ::-1] if order.mirrored[place] else image).transpose(2, 0, 1)
            epoch, place = self._beyond(epoch, place, 1)
        assert pictures is not None
        return pictures


@dataclass(frozen=True)
class _Group:
    """The wanted rows of one row group of a shard, counted within the group."""

    faceset: Faceset
    shard: int
    number: int
    rows: np.ndarray
    sha256: str  # of the shard


def _groups(faceset: Faceset, wanted: np.ndarray) -> Iterator[_Group]:
    """The row groups that hold wanted rows."""
    chosen = np.zeros(len(faceset), bool)
    chosen[np.asarray(wanted, dtype=np.int64)] = True
    start = 0
    for number, shard in enumerate(faceset.shards):
        for first in range(0, shard.rows, ROW_GROUP):
            rows = np.flatnonzero(chosen[start + first : start + min(first + ROW_GROUP, shard.rows)])
            if len(rows):
                yield _Group(faceset, number, first // ROW_GROUP, rows, shard.sha256)
        start += shard.rows


class _Order:
    """One epoch's order of one rank's pictures, and the block of it that is at hand.

    A block is `mixed` row groups, whose rows are shuffled among each other.
    """

    def __init__(self, stream: FaceStream, epoch: int) -> None:
        self.epoch = epoch
        self._seed = (stream.seed, epoch)
        share = np.random.default_rng((*self._seed, 0)).permutation(len(stream.groups))[stream.rank :: stream.ranks]
        groups = [stream.groups[number] for number in share]
        self._blocks = [groups[first : first + stream.mixed] for first in range(0, len(groups), stream.mixed)]
        self._starts = np.cumsum([0, *(sum(len(group.rows) for group in block) for block in self._blocks)])
        generator = np.random.default_rng((*self._seed, 1, stream.rank))
        self.mirrored = generator.random(int(self._starts[-1])) < (0.5 if stream.flip else 0.0)
        self._mixing = (*self._seed, 2, stream.rank)
        self._block = -1
        self._jpegs: list[bytes] = []

    def jpeg(self, place: int) -> bytes:
        """The bytes of one picture."""
        block = int(np.searchsorted(self._starts, place, side="right")) - 1
        if block != self._block:
            self._block, self._jpegs = block, []  # the last block goes before the next comes
            for group in self._blocks[block]:
                data = group.faceset.encoded(group.shard, group.number)
                self._jpegs += [data[row] for row in group.rows]
            self._mixed = np.random.default_rng((*self._mixing, block)).permutation(len(self._jpegs))
        return self._jpegs[self._mixed[place - self._starts[block]]]
