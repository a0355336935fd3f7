"""The filmed faces as training sees them: uint8 pictures in a shuffled, endless order that can be taken up anywhere."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.files import fingerprint, require_space
from understudy.gan.chance import Share
from understudy.progress import track

MIN_FACES = 16
PAGED = "faces.u8"

logger = logging.getLogger(__name__)


def faces_key(facesets: Sequence[Faceset], rows: Sequence[np.ndarray] | None = None) -> str:
    """A short name for the content of the facesets, or for the given rows of them."""
    chosen = None if rows is None else [part.tolist() for part in rows]
    return fingerprint([[shard.sha256 for shard in faceset.shards] for faceset in facesets], chosen)


def read_faces(
    facesets: Sequence[Faceset], size: int, memory_mb: int, scratch: Path, rows: Sequence[np.ndarray] | None = None
) -> np.ndarray:
    """Decode every crop that holds a face, once.

    Args:
        facesets: complete facesets; their crops are put together.
        size: pixels that the crops must have.
        memory_mb: above this the pictures are kept in a file of `scratch` and paged in as needed.
        scratch: folder for that file.
        rows: the row numbers of each faceset that are read; all when None.

    Returns:
        RGB uint8 (N, 3, size, size).

    Raises:
        UserError: fewer than 16 faces, crops of another size, or no space for the file.
    """
    found = [faceset.found() for faceset in facesets]
    if rows is not None:
        found = [keep & np.isin(np.arange(len(keep)), wanted) for keep, wanted in zip(found, rows, strict=True)]
    count = int(sum(rows.sum() for rows in found))
    names = ", ".join(str(faceset.path) for faceset in facesets)
    if count < MIN_FACES:
        loosen = " or loosen 'data_engineering.selection'" if rows is not None else ""
        raise UserError(
            f"{names} holds {count} faces{' that are selected' if rows is not None else ''} and a generator needs at "
            f"least {MIN_FACES}: add longer or further clips{loosen}."
        )
    shape = (count, 3, size, size)
    needed = int(np.prod(shape))
    if needed <= memory_mb * 1_000_000:
        faces = np.empty(shape, np.uint8)
    else:
        scratch.mkdir(parents=True, exist_ok=True)
        require_space(scratch, needed)
        faces = np.memmap(scratch / PAGED, np.uint8, mode="w+", shape=shape)
    at = 0
    for faceset, keep in zip(facesets, found, strict=True):
        row = 0
        for images in track(faceset.batches(), f"reading {faceset.path.name}", total=-(-len(faceset) // 256)):
            if images.shape[1:3] != (size, size):
                raise UserError(
                    f"The faces in {faceset.path} have {images.shape[2]} x {images.shape[1]} pixels and 'size' is "
                    f"{size}: run data_engineering with this size first."
                )
            kept = images[keep[row : row + len(images)]]
            faces[at : at + len(kept)] = kept.transpose(0, 3, 1, 2)
            at += len(kept)
            row += len(images)
    return faces


def forget_faces(scratch: Path) -> None:
    """Remove the file that `read_faces` may have made in `scratch`."""
    (scratch / PAGED).unlink(missing_ok=True)


class FaceFeed(IterableDataset[Tensor]):
    """Yields batches of uint8 pictures (batch, 3, S, S) in an order that depends on the seed alone.

    Each pass over the faces is a permutation of its own, so the position is fully told by the number of images fed.

    Args:
        faces: uint8 (N, 3, S, S); a tensor may lie on the GPU.
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
