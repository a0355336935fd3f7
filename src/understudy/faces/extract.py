"""From a segment of video to the tables of a faceset's shard."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from understudy.faces.align import crop_matrix, transform_points
from understudy.faces.config import FacesConfig
from understudy.faces.cut import cut_crop
from understudy.faces.describe import FaceRow, score_face, to_table
from understudy.faces.embedding import BATCH, chip, load_embedder
from understudy.faces.faceset import NOTES, encode_image
from understudy.faces.landmarks import predict5
from understudy.faces.recognise import Picture
from understudy.faces.track import Tracked, Tracker
from understudy.video.decode import Frame, decode
from understudy.video.probe import Segment

VERSION = 4
"""Part of every shard's key: raise it when the rows made from the same frames change."""

PIECE = 512
"""Rows that are held in memory before they are handed on."""


def extract_segment(
    segment: Segment, size: int, config: FacesConfig, wanted: np.ndarray | None = None
) -> Iterator[pa.Table]:
    """Cut the face of one person out of every frame of a segment in which it is found.

    Yaw, pitch and roll are relative to the mean face; roll is the head's in the frame. Landmarks are in crop pixels
    with fractions. Embeddings are made of the frame itself, as face_recognition does, for every `embed_every`-th frame
    of the clip, and are NaN in the others.

    The last table carries the notes of the segment: its `clip`, and counts of frames: `frames` in all, of these `faces`
    with the person, `without_face` without anybody and `someone_else` with somebody else alone; and `others`, those in
    which a search of the whole frame saw somebody who was not followed, beside the person or without.

    Args:
        segment: what to read.
        size: side of the crops in pixels.
        config: how to look.
        wanted: embedding of the person, (128,); None follows the widest face.

    Yields:
        Tables in the faceset's schema, a row a face, in the order of the frames; the last may be empty.
    """
    torch.set_num_threads(1)  # parallel work is done by processes
    clip = Path(segment.path).name
    tracker = Tracker(config, wanted)
    held = _Held(tracker)
    notes = dict.fromkeys(("frames", "faces", "without_face", "someone_else", "others"), 0)
    for frame in decode(segment.path, segment):
        picture = cache(frame.rgb)
        face = tracker.follow(frame.luma(), picture)
        notes["frames"] += 1
        notes["others"] += tracker.others
        if face is None:
            notes["someone_else" if tracker.others else "without_face"] += 1
        else:
            held.add(
                _cut(clip, frame, picture, face, size, config), face, picture, frame.index % config.embed_every == 0
            )
        if held.due() and not held.judge():
            tracker.drop()
        if len(held.rows) >= PIECE:
            yield held.take(notes)
    held.judge()
    last = held.take(notes)
    yield last.replace_schema_metadata({NOTES: json.dumps({"clip": clip, **notes}).encode()})


def _cut(clip: str, frame: Frame, picture: Picture, face: Tracked, size: int, config: FacesConfig) -> FaceRow:
    matrix = crop_matrix(face.landmarks, size, config.face_type)
    crop = cut_crop(picture(), matrix, size)
    points = transform_points(face.landmarks, matrix)
    return FaceRow(
        image=encode_image(crop),
        clip=clip,
        frame=frame.index,
        time=frame.time,
        found=face.found,
        matrix=matrix,
        landmarks=points,
        scores=score_face(crop, points, matrix),
    )


class _Held:
    """Rows that wait until it is known whose they are.

    Chips are embedded in batches, which is twice as fast as one by one, unless somebody else is about. A row between
    two embeddings of the person is the person's; next to one of somebody else it is left out.
    """

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self._clear()

    def _clear(self) -> None:
        self.rows: list[FaceRow] = []
        self._known: dict[int, bool] = {}  # by row number: whether it is the person
        self._chips: dict[int, np.ndarray] = {}  # not embedded yet
        self._vectors: dict[int, np.ndarray] = {}

    def add(self, row: FaceRow, face: Tracked, picture: Picture, embed: bool) -> None:
        """Hold a row; `embed` says that it is to have an embedding."""
        number = len(self.rows)
        self.rows.append(row)
        if face.recognised:
            self._known[number] = True
        if embed:
            rgb = picture()
            self._chips[number] = chip(rgb, predict5(rgb, face.found.box))

    def due(self) -> bool:
        """Whether it is time to embed."""
        count = len(self._chips)
        return count >= BATCH or (count > 0 and (self.tracker.crowded or len(self.rows) >= PIECE))

    def judge(self) -> bool:
        """Embed what waits; return whether the latest is the person."""
        if not self._chips:
            return True
        vectors = load_embedder().embed_chips(np.stack(list(self._chips.values())))
        self._vectors |= zip(self._chips, vectors, strict=True)
        verdicts = [bool(good) for good in self.tracker.judge(vectors)]
        self._known |= zip(self._chips, verdicts, strict=True)
        self._chips = {}
        return verdicts[-1]

    def take(self, notes: dict[str, int]) -> pa.Table:
        """Hand on the rows of the person, and count them and the others."""
        kept = self._person()
        vectors = {new: self._vectors[old] for new, old in enumerate(kept) if old in self._vectors}
        table = to_table([self.rows[number] for number in kept], vectors)
        notes["faces"] += len(kept)
        notes["someone_else"] += len(self.rows) - len(kept)
        self._clear()
        return table

    def _person(self) -> list[int]:
        """Numbers of the rows whose embeddings before and after, as far as there are any, are the person's."""
        known = sorted(self._known)
        good = np.array([True, *(self._known[number] for number in known), True])  # nothing known: taken for good
        numbers = np.arange(len(self.rows))
        before = good[np.searchsorted(known, numbers, side="right")]
        after = good[np.searchsorted(known, numbers, side="left") + 1]
        return [int(number) for number in np.flatnonzero(before & after)]
