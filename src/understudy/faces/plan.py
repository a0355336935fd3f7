"""The work of cutting one person's faces out of all their clips, as shards."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from understudy.faces.config import FacesConfig
from understudy.faces.extract import VERSION, extract_segment
from understudy.faces.faceset import SCHEMA
from understudy.files import fingerprint
from understudy.video.footage import Footage
from understudy.video.probe import Segment, segments

Piece = tuple[str, Segment, partial[pa.Table]]


def plan_extraction(
    footage: Footage, clips: Sequence[Mapping[str, Any]], size: int, config: FacesConfig
) -> list[Piece]:
    """The pieces of work: key, segment, and the picklable function that makes its table.

    A key names the clip's bytes and name, the segment's bounds, the size, the parameters and the version of the code,
    so that a shard is made again when, and only when, it would come out otherwise.

    Args:
        footage: the clips of one person.
        clips: what probing them found, in the same order.
        size: side of the crops in pixels.
        config: how to look.
    """
    pieces = []
    for path, clip in zip(footage.clips, clips, strict=True):
        for segment in segments(path, config.segment_seconds):
            bounds = [segment.start_pts, segment.end_pts, segment.first_frame, segment.frames]
            key = fingerprint(clip["sha256"], path.name, bounds, size, config.extraction(), VERSION, SCHEMA.to_string())
            pieces.append((key, segment, partial(extract_segment, segment, size, config)))
    return pieces
