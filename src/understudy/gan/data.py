"""The filmed faces as training sees them: uint8 pictures in a shuffled, endless order that can be taken up anywhere.

Faces that fit into memory are decoded once and drawn from all at once; more are streamed from their shards.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.faces.stream import FaceStream
from understudy.files import fingerprint
from understudy.processes import Share
from understudy.progress import track

MIN_FACES = 16
WORKERS = 2
"""Processes that decode ahead while faces are streamed."""


@dataclass(frozen=True)
class Filmed:
    """The faces of one or several facesets that teach.

    Args:
        facesets: complete facesets of crops of one size.
        rows: the row numbers of each that teach, all with a face.
        pictures: all of them, uint8 (N, 3, S, S), where they fit into memory.
    """

    facesets: tuple[Faceset, ...]
    rows: tuple[np.ndarray, ...]
    pictures: Tensor | None

    def __len__(self) -> int:
        return sum(len(part) for part in self.rows)

    @property
    def key(self) -> str:
        """A short name for what is shown, and for the way its order is drawn."""
        shards = [[shard.sha256 for shard in faceset.shards] for faceset in self.facesets]
        return fingerprint(shards, [part.tolist() for part in self.rows], self.pictures is None)

    def sample(self, count: int) -> np.ndarray:
        """Up to `count` faces spread evenly over all, RGB uint8 (n, S, S, 3)."""
        wanted = np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(int))
        if self.pictures is not None:
            return self.pictures[torch.from_numpy(wanted)].permute(0, 2, 3, 1).numpy()
        starts = np.cumsum([0, *(len(part) for part in self.rows)])
        parts = zip(self.facesets, self.rows, starts[:-1], starts[1:], strict=True)
        chosen = [(faceset, rows[wanted[(wanted >= a) & (wanted < b)] - a]) for faceset, rows, a, b in parts]
        return np.concatenate([faceset.images(rows) for faceset, rows in chosen if len(rows)])

    def feed(
        self, batch: int, seed: int, start: int, end: int, share: Share, place: Callable[[Tensor], Tensor]
    ) -> "Feed":
        """The batches of a training that was fed `start` images before and ends at `end`.

        Args:
            batch: pictures a batch, of all processes together.
            seed: of the order.
            start: images fed by earlier runs.
            end: stop when so many are fed.
            share: which part of each batch this process takes.
            place: brings pictures that fit into memory to where they are used.
        """
        if self.pictures is not None:
            return FaceFeed(place(self.pictures), batch, seed, start, end, share)
        stream = FaceStream(
            self.facesets,
            batch // share.world,
            seed,
            rows=self.rows,
            flip=False,  # that is the training's part
            rank=share.rank,
            ranks=share.world,
        )
        return StreamFeed(stream, start // share.world, end // share.world)


def read_faces(
    facesets: Sequence[Faceset], size: int, memory_mb: int, rows: Sequence[np.ndarray] | None = None
) -> Filmed:
    """Find the faces that teach, and decode them if they fit into memory.

    Args:
        facesets: complete facesets; their crops are put together.
        size: pixels that the crops must have.
        memory_mb: above this the faces are streamed.
        rows: the row numbers of each faceset that are wanted; all when None. Those without a face are left out.

    Raises:
        UserError: fewer than 16 faces, or crops of another size.
    """
    found = [np.flatnonzero(faceset.found()) for faceset in facesets]
    if rows is not None:
        found = [np.intersect1d(faces, wanted) for faces, wanted in zip(found, rows, strict=True)]
    count = sum(len(part) for part in found)
    names = ", ".join(str(faceset.path) for faceset in facesets)
    if count < MIN_FACES:
        loosen = " or loosen 'data_engineering.selection'" if rows is not None else ""
        raise UserError(
            f"{names} holds {count} faces{' that are selected' if rows is not None else ''} and a generator needs at "
            f"least {MIN_FACES}: add longer or further clips{loosen}."
        )
    for faceset, part in zip(facesets, found, strict=True):
        if len(part):
            _check_size(faceset.path, faceset.images(part[:1])[0], size)
    fits = count * 3 * size * size <= memory_mb * 1_000_000
    return Filmed(tuple(facesets), tuple(found), _decode(facesets, found, size) if fits else None)


class FaceFeed(IterableDataset[Tensor]):
    """Yields batches of uint8 pictures (batch, 3, S, S) in an order that depends on the seed alone.

    Each pass over the faces is a permutation of its own, so the position is fully told by the number of images fed.

    Args:
        faces: uint8 (N, 3, S, S); may lie on the GPU.
        batch: pictures a batch, of all processes together.
        seed: of the permutations.
        start: images fed by earlier runs.
        end: stop when so many are fed.
        share: which part of each batch is yielded; all of it when None.
    """

    def __init__(self, faces: Tensor, batch: int, seed: int, start: int, end: int, share: Share | None = None) -> None:
        super().__init__()
        self.faces, self.batch, self.seed, self.start, self.end = faces, batch, seed, start, end
        self.share = share or Share()
        self.stopped = False

    def __iter__(self) -> Iterator[Tensor]:
        for position in range(self.start, self.end, self.batch):
            if self.stopped:
                return
            part = self.batch // self.share.world
            rows = self.rows(position)[self.share.rank * part :][:part]
            yield self.faces[rows.to(self.faces.device, non_blocking=True)]

    def rows(self, position: int) -> Tensor:
        """Row numbers (batch,) of the batch that begins `position` images after the start of training."""
        count = len(self.faces)
        places = torch.arange(position, position + self.batch)
        parts = [
            self._order(int(turn))[places[places // count == turn] % count] for turn in torch.unique(places // count)
        ]
        return torch.cat(parts)

    def _order(self, turn: int) -> Tensor:
        if getattr(self, "_turn", None) != turn:
            generator = torch.Generator().manual_seed((self.seed * 1_000_003 + turn) % 2**32)
            self._turn, self._kept = turn, torch.randperm(len(self.faces), generator=generator)
        return self._kept


class StreamFeed(IterableDataset[Tensor]):
    """Yields the batches of a stream of faces, from one image to another; further processes decode ahead.

    Args:
        stream: at its beginning.
        start: images of this process that were fed before.
        end: stop when so many are fed.
    """

    def __init__(self, stream: FaceStream, start: int, end: int) -> None:
        super().__init__()
        self.stream, self.start, self.end = stream, start, end
        self.stopped = False

    def __iter__(self) -> Iterator[Tensor]:
        self.stream.advance(self.start)
        batches = iter(DataLoader(self.stream, batch_size=None, num_workers=WORKERS))
        for _ in range(self.start, self.end, self.stream.batch):
            if self.stopped:
                return
            yield next(batches)


Feed = FaceFeed | StreamFeed


def _decode(facesets: Sequence[Faceset], rows: Sequence[np.ndarray], size: int) -> Tensor:
    """All wanted faces, uint8 (N, 3, S, S)."""
    faces = np.empty((sum(len(part) for part in rows), 3, size, size), np.uint8)
    at = 0
    for faceset, part in zip(facesets, rows, strict=True):
        first = 0
        for images in track(faceset.batches(), f"reading {faceset.path.name}", total=-(-len(faceset) // 256)):
            _check_size(faceset.path, images[0], size)
            inside = part[(part >= first) & (part < first + len(images))] - first
            faces[at : at + len(inside)] = images[inside].transpose(0, 3, 1, 2)
            at += len(inside)
            first += len(images)
    return torch.from_numpy(faces)


def _check_size(path: Path, image: np.ndarray, size: int) -> None:
    if image.shape[:2] != (size, size):
        raise UserError(
            f"The faces in {path} have {image.shape[1]} x {image.shape[0]} pixels and 'size' is {size}: run "
            "data_engineering with this size first."
        )
