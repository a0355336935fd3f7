"""Who is wanted: the person of a reference picture, or else the main person of the footage."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from understudy.errors import UserError
from understudy.faces.config import FacesConfig
from understudy.faces.detect import Detection
from understudy.faces.embedding import load_embedder
from understudy.faces.identity import distances, medoid_row
from understudy.faces.recognise import SURE, cut_chips, embed_boxes
from understudy.faces.track import search_frame, search_scales
from understudy.files import fingerprint, sha256
from understudy.progress import meter
from understudy.video.footage import Footage
from understudy.video.spread import spread

logger = logging.getLogger(__name__)

VERSION = 2
"""Part of a finding's key: raise it when the same footage gives another person."""

REFERENCES = ("reference.jpg", "reference.jpeg", "reference.png")
"""Names of the picture that says who is wanted, in the folder of the clips."""

LOOKS = 32
"""About so many frames are looked at in all, one a second at most: seconds of work, less than starting processes."""

SAME = 0.5
"""Distance up to which two faces of the footage are put together; stricter than face_recognition's 0.6, by which some
different people look the same."""

RIVAL = 0.8
"""Somebody seen in this share of the main person's frames might as well be meant."""

PICTURE_SIDE = 1600
"""Larger reference pictures are made as small as this."""


@dataclass(frozen=True)
class Sighting:
    """A face in a frame: the number of the clip and of the frame, the box's width, and its embedding (128,)."""

    clip: int
    frame: int
    width: float
    embedding: np.ndarray


def find_person(
    footage: Footage,
    clips: Sequence[Mapping[str, Any]],
    config: FacesConfig,
    reference: Path | None = None,
) -> dict[str, Any]:
    """Find out who is to be followed.

    Args:
        footage: the clips of one person.
        clips: what probing them found, in the same order.
        config: how to look.
        reference: a picture of the person alone; None takes the main person of the footage.

    Returns:
        Plain values: `embedding` (128 numbers, None when no face was seen), `origin` in words, and of what was looked
        at the numbers of `frames` and of `people` (the frames in which each was seen, most often first).

    Raises:
        UserError: the reference picture does not show one face, or a clip is no video.
    """
    if reference is not None:
        return _record(look_at_reference(reference), reference.name, 0, [])
    sightings, frames = _scout(footage, clips, config)
    if not sightings:
        return _record(None, f"nobody was seen in the {frames} frames looked at", frames, [])
    people = group_people(sightings)
    _warn_of_rival(footage, people, frames, config.identity_tolerance)
    return _record(
        _medoid(people[0]), "main identity of the footage", frames, [_frames_of(person) for person in people]
    )


def person_key(clips: Sequence[str], config: FacesConfig, reference: Path | None) -> str:
    """A name for all that decides who is found.

    Args:
        clips: SHA-256 of each clip.
        config: how to look.
        reference: the picture of the person, if there is one.
    """
    picture = None if reference is None else [reference.name, sha256(reference)]
    return fingerprint(list(clips), picture, config.min_face, config.identity_tolerance, VERSION)


def find_reference(folder: Path) -> Path | None:
    """The reference picture in a person's folder, or None.

    Raises:
        UserError: there are several.
    """
    found = [folder / name for name in REFERENCES if (folder / name).is_file()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise UserError(f"The folder {folder} holds {names}: keep one picture of the person wanted.")
    return found[0] if found else None


def look_at_reference(path: Path) -> np.ndarray:
    """The embedding (128,) of the one face in a picture.

    Raises:
        UserError: the file is no picture, or shows no face or several.
    """
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)  # turned as its EXIF data say
    if bgr is None:
        raise UserError(f"The reference picture {path} cannot be read: replace it by a JPEG or PNG picture.")
    scale = min(1.0, PICTURE_SIDE / max(bgr.shape))
    rgb = cv2.cvtColor(cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    faces = _faces(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), min_face=40)
    sure = [face for face in faces if face.score >= SURE] or faces[:1]
    if not sure:
        raise UserError(f"No face was found in the reference picture {path}: use one that shows it from the front.")
    if len(sure) > 1:
        raise UserError(f"The reference picture {path} shows {len(sure)} faces: cut it so that one is left.")
    return embed_boxes(rgb, [sure[0].box])[0]


def scout_clip(path: Path, number: int, count: int, min_face: int) -> tuple[list[Sighting], int]:
    """Look for all faces in up to `count` frames of the clip `number`; return them and the frames looked at."""
    found: list[tuple[int, float]] = []
    chips: list[np.ndarray] = []
    frames = 0
    for frame in spread(path, count):
        frames += 1
        if faces := _faces(frame.luma(), min_face):
            chips += cut_chips(frame.rgb(), [face.box for face in faces])
            found += [(frame.index, face.width) for face in faces]
    vectors = load_embedder().embed_chips(np.stack(chips)) if chips else ()
    sightings = [Sighting(number, *seen, vector) for seen, vector in zip(found, vectors, strict=True)]
    return sightings, frames


def group_people(sightings: Sequence[Sighting]) -> list[list[Sighting]]:
    """Put the faces of the same person together, the person in most frames first, of two the larger.

    The face with the most others near it makes a person of these; then the same with the faces that are left.
    """
    vectors = np.stack([sighting.embedding for sighting in sightings])
    near = distances(vectors, vectors) <= SAME
    left = np.ones(len(sightings), bool)
    people = []
    while left.any():
        centre = int(np.where(left, (near & left).sum(1), -1).argmax())
        members = np.flatnonzero(near[centre] & left)
        people.append([sightings[int(member)] for member in members])
        left[members] = False
    return sorted(people, key=lambda person: (-_frames_of(person), -sum(face.width for face in person)))


def _scout(footage: Footage, clips: Sequence[Mapping[str, Any]], config: FacesConfig) -> tuple[list[Sighting], int]:
    sightings: list[Sighting] = []
    frames = 0
    counts = share_looks([float(clip["duration"]) for clip in clips])
    with meter(f"Looking who is in the clips of {footage.name}", sum(counts)) as shown:
        for number, (path, count) in enumerate(zip(footage.clips, counts, strict=True)):
            if count:
                seen, looked = scout_clip(path, number, count, config.min_face)
                sightings += seen
                frames += looked
                shown.step(count)
    return sightings, frames


def share_looks(seconds: Sequence[float]) -> list[int]:
    """How often to look into each clip: by its length and at least once, or once into every so many of very many."""
    if len(seconds) > LOOKS:
        chosen = set(np.linspace(0, len(seconds) - 1, LOOKS).round().astype(int).tolist())
        return [int(number in chosen) for number in range(len(seconds))]
    each_second = min(1.0, LOOKS / max(sum(seconds), 1.0))
    return [max(1, int(length * each_second)) for length in seconds]


def _faces(luma: np.ndarray, min_face: int) -> list[Detection]:
    return search_frame(luma, search_scales(luma, min_face))


def _frames_of(person: Sequence[Sighting]) -> int:
    return len({(face.clip, face.frame) for face in person})


def _medoid(person: Sequence[Sighting]) -> np.ndarray:
    vectors = np.stack([face.embedding for face in person])
    return vectors[medoid_row(vectors)]


def _warn_of_rival(footage: Footage, people: list[list[Sighting]], frames: int, tolerance: float) -> None:
    """Say so when somebody else is seen about as often as the main person."""
    first, most = _medoid(people[0]), _frames_of(people[0])
    for other in people[1:]:
        seen = _frames_of(other)
        if seen >= RIVAL * most and np.linalg.norm(_medoid(other) - first) > tolerance:
            logger.warning(
                "In the clips of %s two people are seen about equally often (in %d and %d of %d frames looked at), and "
                "the first is followed: put a picture of the one wanted into %s as reference.jpg.",
                footage.name,
                most,
                seen,
                frames,
                footage.folder,
            )
            return


def _record(embedding: np.ndarray | None, origin: str, frames: int, people: list[int]) -> dict[str, Any]:
    # Rounded, since the last digits depend on the processor and the shards' keys depend on them.
    vector = None if embedding is None else [round(float(value), 5) for value in embedding]
    return {"embedding": vector, "origin": origin, "frames": frames, "people": people}
