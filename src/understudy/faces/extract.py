"""From a segment of video to a shard of a faceset."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from understudy.faces.align import crop_matrix, transform_points, warp_crop
from understudy.faces.config import FacesConfig
from understudy.faces.describe import FaceRow, score_face, to_table
from understudy.faces.embedding import chip, load_embedder
from understudy.faces.faceset import encode_image
from understudy.faces.landmarks import predict5
from understudy.faces.track import Tracker
from understudy.video.decode import decode
from understudy.video.probe import Segment

VERSION = 2
"""Part of every shard's key: raise it when the rows made from the same frames change."""


def extract_segment(segment: Segment, size: int, config: FacesConfig) -> pa.Table:
    """Cut the face out of every frame of a segment in which it is found.

    Yaw, pitch and roll are relative to the mean face; roll is the head's in the frame. Landmarks are in crop pixels
    with fractions. Embeddings are made of the frame itself, as face_recognition does, for every `embed_every`-th frame
    of the clip, and are NaN in the others.

    Args:
        segment: what to read.
        size: side of the crops in pixels.
        config: how to look.

    Returns:
        A table in the faceset's schema, a row a face, in the order of the frames; perhaps none.
    """
    torch.set_num_threads(1)  # parallel work is done by processes
    tracker = Tracker(config)
    rows: list[FaceRow] = []
    chips: list[np.ndarray] = []
    chip_rows: list[int] = []
    for frame in decode(segment.path, segment):
        face = tracker.follow(frame.luma())
        if face is None:
            continue
        rgb = frame.rgb()
        matrix = crop_matrix(face.landmarks, size, config.face_type)
        crop = warp_crop(rgb, matrix, size)
        points = transform_points(face.landmarks, matrix)
        if frame.index % config.embed_every == 0:
            chip_rows.append(len(rows))
            chips.append(chip(rgb, predict5(rgb, face.found.box)))
        rows.append(
            FaceRow(
                image=encode_image(crop),
                clip=Path(segment.path).name,
                frame=frame.index,
                time=frame.time,
                found=face.found,
                matrix=matrix,
                landmarks=points,
                scores=score_face(crop, points, matrix),
            )
        )
    vectors = load_embedder().embed_chips(np.stack(chips)) if chips else ()
    return to_table(rows, dict(zip(chip_rows, vectors, strict=True)))
