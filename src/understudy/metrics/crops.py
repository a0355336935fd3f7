"""Reading chosen crops of a faceset, a shard at a time."""

from collections.abc import Iterator

import numpy as np

from understudy.errors import UserError
from understudy.faces.faceset import Faceset

_BATCH = 256


def crop_batches(faces: Faceset, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the images of `rows`, which rise, as RGB uint8 (B, S, S, 3), at most 256 at a time.

    Raises:
        UserError: the crops are not all of one size, or one is no picture.
    """
    start = 0
    for shard in faces.shards:
        inside = rows[(rows >= start) & (rows < start + shard.rows)]
        for first in range(0, len(inside), _BATCH):
            try:
                yield faces.images(inside[first : first + _BATCH])
            except ValueError as error:
                raise UserError(
                    f"The crops in {faces.path / shard.file} cannot be compared ({error}): "
                    "delete that shard and run the step that makes it again."
                ) from error
        start += shard.rows


def read_crops(faces: Faceset, rows: np.ndarray) -> np.ndarray:
    """The images of `rows`, which rise, RGB uint8 (N, S, S, 3); (0, 0, 0, 3) for no row.

    Raises:
        UserError: as `crop_batches`.
    """
    parts = list(crop_batches(faces, rows))
    sides = sorted({part.shape[1] for part in parts})
    if len(sides) > 1:
        raise UserError(
            f"The faceset {faces.path} holds crops of {' and '.join(map(str, sides))} pixels: "
            "delete it and run the step that makes it again."
        )
    return np.concatenate(parts) if parts else np.empty((0, 0, 0, 3), np.uint8)
