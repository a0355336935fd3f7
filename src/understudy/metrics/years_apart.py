"""Is somebody recognised in pictures taken years apart? The paper's check, on pairs that the user supplies."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from understudy.errors import UserError
from understudy.faces.detect import detect, widest
from understudy.faces.embedding import embed_faces
from understudy.faces.landmarks import predict, predict5
from understudy.metrics.config import EvaluationConfig
from understudy.metrics.openface import OpenFace, embed_crops
from understudy.metrics.openface_file import openface_at_hand
from understudy.progress import track

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
LONGEST = 1200
"""Larger pictures are shrunk to this side before the face is looked for."""


def years_apart_scores(folder: Path, config: EvaluationConfig) -> dict[str, Any]:
    """Distances of the two pictures of each pair.

    Args:
        folder: holds a folder for each pair, with two pictures in it; need not exist.
        config: the tolerance and where OpenFace's file is.

    Returns:
        `supplied`, `measured`, `same` (how many), `tolerance`, `distance_mean`, and `pairs`: for each its `name`,
        `pictures`, `distance` (face_recognition's network), `same`, `openface_distance` (squared, None without the
        file) and `missing`.
    """
    network = openface_at_hand(config.openface)
    found = [_pair(place, config.tolerance, network) for place in track(pair_folders(folder), "Pictures years apart")]
    distances = [pair["distance"] for pair in found if pair["distance"] is not None]
    reasons = [pair["missing"] for pair in found if pair["missing"]]
    if not found:
        reasons = [f"No pair was supplied: put two pictures of the source, taken years apart, into {folder}/any_name/."]
    return {
        "supplied": len(found),
        "measured": len(distances),
        "same": sum(bool(pair["same"]) for pair in found),
        "tolerance": config.tolerance,
        "distance_mean": float(np.mean(distances)) if distances else None,
        "pairs": found,
        "missing": " ".join(reasons) or None,
    }


def pair_folders(folder: Path) -> list[Path]:
    """The folders of the pairs, in order; none where `folder` does not exist."""
    return sorted(path for path in folder.glob("*") if path.is_dir()) if folder.is_dir() else []


def pictures(place: Path) -> list[Path]:
    """The pictures in the folder of a pair, in order."""
    return sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)


def read_face(path: Path) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Read a picture and find its largest face.

    Returns:
        RGB uint8 (H, W, 3), at most 1,200 pixels long, and the box: left, top, right, bottom.

    Raises:
        UserError: it is no picture, or no face is found in it.
    """
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise UserError(f"{path} cannot be read as a picture: replace it by a JPEG or PNG.")
    if (longest := max(bgr.shape[:2])) > LONGEST:
        bgr = cv2.resize(bgr, None, fx=LONGEST / longest, fy=LONGEST / longest, interpolation=cv2.INTER_AREA)
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    face = widest(detect(rgb, upsample=1))
    if face is None:
        raise UserError(f"No face was found in {path}: use a picture that shows the face from the front.")
    return rgb, face.box


def _pair(place: Path, tolerance: float, network: OpenFace | None) -> dict[str, Any]:
    names = pictures(place)
    figures: dict[str, Any] = {"name": place.name, "pictures": [path.name for path in names], "distance": None}
    figures |= {"same": None, "openface_distance": None, "missing": None}
    if len(names) != 2:
        return figures | {"missing": f"{place} holds {len(names)} pictures: put exactly two there."}
    try:
        faces = [read_face(path) for path in names]
    except UserError as error:
        return figures | {"missing": str(error)}
    images = [image for image, _ in faces]
    vectors = embed_faces(images, [predict5(*face) for face in faces])
    figures["distance"] = float(np.linalg.norm(vectors[0] - vectors[1]))
    figures["same"] = figures["distance"] <= tolerance
    if network is not None:
        seen = embed_crops(network, images, np.stack([predict(*face) for face in faces]), 2)
        figures["openface_distance"] = float(((seen[0] - seen[1]) ** 2).sum())
    return figures
