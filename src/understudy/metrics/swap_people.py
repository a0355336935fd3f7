"""The people whom a face of a swap is compared with: source, target, and others who are in neither video."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import skimage.data

from understudy.faces.detect import detect, widest
from understudy.faces.embedding import chip, load_embedder
from understudy.faces.faceset import Faceset
from understudy.faces.identity import distances, medoid
from understudy.faces.landmarks import predict5
from understudy.faces.track import Tracked
from understudy.metrics.openface import OpenFace, cut, embed_crops

SAME = 0.4
"""A stranger no farther than this from the source or the target is taken for that person, and is no distractor."""

SIDE, MARGIN = 120, 36
"""The small grey faces are enlarged to this side and bordered with this many pixels before they are looked at."""

SAMPLE = 64
"""Faces of a faceset that OpenFace embeds to find the person's medoid."""


@dataclass(frozen=True)
class People:
    """Embeddings to compare with.

    Args:
        known: dlib's medoids of source and target, (2, 128).
        others: dlib's embeddings of distractors, (D, 128).
        openface: OpenFace's medoids of source and target, (2, 128); None without its file.
        network: OpenFace's network, None without its file.
    """

    known: np.ndarray
    others: np.ndarray
    openface: np.ndarray | None = None
    network: OpenFace | None = field(default=None, repr=False)


def gather(source: Faceset, target: Faceset, network: OpenFace | None) -> People:
    """Everybody whom the swap's faces are compared with."""
    known = np.stack([medoid(source.column("embedding")), medoid(target.column("embedding"))])
    openface = None
    if network is not None:
        openface = np.stack([_openface_medoid(faces, network) for faces in (source, target)])
    return People(known, distractors(known), openface, network)


def distractors(known: np.ndarray) -> np.ndarray:
    """Strangers' embeddings (D, 128), but for those who may be one of the known people (K, 128)."""
    strangers = _strangers()
    return strangers[(distances(strangers, known) > SAME).all(1)]


def chip_of(rgb: np.ndarray, face: Tracked) -> np.ndarray:
    """The picture (150, 150, 3) of a face in a frame that dlib embeds, cut as face_recognition does."""
    return chip(rgb, predict5(rgb, face.found.box))


def input_of(rgb: np.ndarray, face: Tracked) -> np.ndarray:
    """The picture (96, 96, 3) of a face in a frame that OpenFace embeds."""
    return cut(rgb, face.landmarks)


def openface_distances(network: OpenFace, inputs: Sequence[np.ndarray], medoids: np.ndarray) -> np.ndarray:
    """Squared distances, OpenFace's measure, of inputs (96, 96, 3) to medoids (2, 128): (N, 2)."""
    return distances(network.embed(np.stack(inputs)), medoids) ** 2


@lru_cache(maxsize=1)
def _strangers() -> np.ndarray:
    """The portraits that come with scikit-image and matplotlib, and its 100 small faces of many people, (D, 128).

    The small ones are 25 grey pixels wide (Labeled Faces in the Wild). Such blurred faces lie nearer to each other than
    sharp ones, so that they are no easier distractors: half of their pairs are nearer than 0.72.
    """
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    hopper = cv2.imread(str(path))
    if hopper is None:
        raise RuntimeError(f"{path} is missing: install matplotlib again.")
    pictures = [np.ascontiguousarray(hopper[..., ::-1]), np.asarray(skimage.data.astronaut())]
    for small in skimage.data.lfw_subset()[:100]:  # the other 100 are no faces
        large = cv2.resize((255 * small).astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        large = cv2.copyMakeBorder(large, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
        pictures.append(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB))
    chips = []
    for picture in pictures:
        face = widest(detect(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)))
        if face is not None:
            chips.append(chip(picture, predict5(picture, face.box)))
    return load_embedder().embed_chips(np.stack(chips))


def _openface_medoid(faces: Faceset, network: OpenFace) -> np.ndarray:
    rows = np.flatnonzero(np.isfinite(faces.landmarks()).all((1, 2)))
    rows = rows[np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).round().astype(int)]
    return medoid(embed_crops(network, faces.images(rows), faces.landmarks()[rows], SAMPLE))
