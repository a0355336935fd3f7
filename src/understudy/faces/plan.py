"""The work of cutting one person's faces out of all their clips, as shards."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.errors import UserError
from understudy.faces.config import FacesConfig
from understudy.faces.extract import VERSION, extract_segment
from understudy.faces.faceset import SCHEMA
from understudy.faces.person import REFERENCES
from understudy.faces.summary import refuse_empty
from understudy.files import fingerprint
from understudy.video.footage import Footage
from understudy.video.probe import Segment, segments

Piece = tuple[str, Segment, partial[Iterator[pa.Table]]]


def plan_extraction(
    footage: Footage,
    clips: Sequence[Mapping[str, Any]],
    size: int,
    config: FacesConfig,
    person: Mapping[str, Any] | None = None,
) -> list[Piece]:
    """The pieces of work: key, segment, and the picklable function that makes its tables.

    A key names the clip's bytes and name, the segment's bounds, the size, the parameters, the person wanted and the
    version of the code, so that a shard is made again when, and only when, it would come out otherwise.

    Args:
        footage: the clips of one person.
        clips: what probing them found, in the same order.
        size: side of the crops in pixels.
        config: how to look.
        person: who is wanted, as `find_person` says; None follows the widest face.
    """
    embedding = person["embedding"] if person else None
    wanted = None if embedding is None else np.array(embedding)
    common = [size, config.extraction(), embedding, VERSION, SCHEMA.to_string()]
    pieces = []
    for path, clip in zip(footage.clips, clips, strict=True):
        for segment in segments(path, config.segment_seconds):
            bounds = [segment.start_pts, segment.end_pts, segment.first_frame, segment.frames]
            key = fingerprint(clip["sha256"], path.name, bounds, *common)
            pieces.append((key, segment, partial(extract_segment, segment, size, config, wanted)))
    return pieces


def refuse_absent(person: Mapping[str, Any], folder: str, clips: Sequence[str], rows: Sequence[int]) -> None:
    """As `refuse_empty`, for a person who was chosen by a reference picture.

    Args:
        person: who is wanted, as `find_person` says.
        folder: where the clips are.
        clips: the clip's file name of each shard.
        rows: the faces of each shard.

    Raises:
        UserError: no clip holds a face, or none that is the person's.
    """
    if person["origin"] in REFERENCES and not any(rows):
        raise UserError(
            f"Nobody in the clips of {folder} looks like the person in {person['origin']}: use another picture, "
            "remove it to follow whoever is seen most, or add clips that show the face from the front."
        )
    refuse_empty(folder, clips, rows)
