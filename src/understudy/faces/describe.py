"""The scores of one face, and the description of ready-made crops as a faceset's rows.

Filmed and synthetic crops are scored by the functions here alone, so that their scores compare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
import pyarrow as pa

from understudy.faces.align import MEAN_FACE, POINTS
from understudy.faces.detect import Detection, detect_enlarged, enlarge, shrink_detection, shrink_points
from understudy.faces.embedding import FaceEmbedder, chip, load_embedder
from understudy.faces.faceset import SCHEMA, encode_image
from understudy.faces.landmarks import (
    INNER_LIPS,
    LEFT_BROW,
    LEFT_EYE,
    RIGHT_BROW,
    RIGHT_EYE,
    eye_distance,
    predict,
    predict5,
)
from understudy.faces.masks import hull_mask
from understudy.faces.phash import perceptual_hash

NAN = float("nan")


@dataclass(frozen=True)
class Scores:
    """What is measured on one face; names and units as in the faceset's schema, as are the values without a face."""

    blur: float = NAN
    exposure: float = NAN
    yaw: float = NAN
    pitch: float = NAN
    roll: float = NAN
    mouth_open: float = NAN
    eye_open: float = NAN
    brow_height: float = NAN
    phash: int = 0


def score_face(crop: np.ndarray, landmarks: np.ndarray, matrix: np.ndarray | None = None) -> Scores:
    """Score one face.

    Args:
        crop: RGB uint8 (S, S, 3).
        landmarks: 68 points in crop pixels, (68, 2).
        matrix: frame to crop; the roll is then that of the head in the frame, not in the upright crop.
    """
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    inside = hull_mask(landmarks, crop.shape[0]) > 0.5
    laplacian = cv2.Laplacian(luma, cv2.CV_16S)[inside]
    yaw, pitch, roll = head_pose(landmarks)
    if matrix is not None:  # what the alignment has turned away
        roll -= float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    return Scores(
        blur=float(laplacian.var()) if laplacian.size else NAN,
        exposure=float(luma[inside].mean()) if laplacian.size else NAN,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        mouth_open=mouth_open(landmarks),
        eye_open=eye_open(landmarks),
        brow_height=brow_height(landmarks),
        phash=perceptual_hash(crop),
    )


def mouth_open(landmarks: np.ndarray) -> float:
    """Mean distance of the inner lips over the distance of the eyes; 0 when closed."""
    lips = landmarks[INNER_LIPS]
    return float(np.linalg.norm(lips[1:4] - lips[7:4:-1], axis=1).mean()) / eye_distance(landmarks)


def eye_open(landmarks: np.ndarray) -> float:
    """Mean height of the eyes over their width."""
    ratios = []
    for eye in (landmarks[LEFT_EYE], landmarks[RIGHT_EYE]):
        height = np.linalg.norm(eye[1:3] - eye[5:3:-1], axis=1).mean()
        ratios.append(height / np.linalg.norm(eye[3] - eye[0]))
    return float(np.mean(ratios))


def brow_height(landmarks: np.ndarray) -> float:
    """Mean distance of the brows' centres from the eyes' centres over the distance of the eyes."""
    left = landmarks[LEFT_BROW].mean(0) - landmarks[LEFT_EYE].mean(0)
    right = landmarks[RIGHT_BROW].mean(0) - landmarks[RIGHT_EYE].mean(0)
    return float(np.linalg.norm(left) + np.linalg.norm(right)) / 2 / eye_distance(landmarks)


# Rigid points for the head's pose: corners of the eyes, bridge, tip and base of the nose. Across and down they are
# the mean face itself, so that the mean face has pose 0; the depths, in its unit square (about 12 cm), are those of an
# average head, the smaller the nearer to the camera.
_RIGID = {36: 0.0, 39: -0.07, 42: -0.07, 45: 0.0, 27: -0.17, 28: -0.23, 29: -0.30, 30: -0.37, 31: -0.20, 33: -0.26}
_RIGID |= {35: -0.20}
_NUMBERS = list(_RIGID)
_MODEL = np.array([[*MEAN_FACE[list(POINTS).index(number)], depth] for number, depth in _RIGID.items()])
_MODEL -= _MODEL.mean(0)


def head_pose(landmarks: np.ndarray) -> tuple[float, float, float]:
    """Yaw, pitch and roll of the head in degrees, relative to the mean face seen from the front.

    Positive: nose to the right of the image, nose up, head tilted clockwise in the image. Yaw and roll have no bias;
    pitch carries a person's own offset (a long or a short nose): compare it with the median of the same person.

    Args:
        landmarks: 68 points in pixels, (68, 2).
    """
    points = landmarks[_NUMBERS].astype(np.float64)
    # A camera about a metre away, aimed at the face, so that it does not matter where in the frame the face is.
    focal = 16 * eye_distance(landmarks)
    camera = np.array([[focal, 0, points[:, 0].mean()], [0, focal, points[:, 1].mean()], [0, 0, 1]])
    done, rotation, _ = cv2.solvePnP(_MODEL, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    if not done:
        return NAN, NAN, NAN
    turned = cv2.Rodrigues(rotation)[0]
    roll = np.arctan2(turned[1, 0], turned[0, 0])
    cosine, sine = np.cos(roll), np.sin(roll)
    nose = -np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]]) @ turned[:, 2]  # with the roll undone
    yaw, pitch = np.arctan2(nose[0], -nose[2]), np.arcsin(np.clip(-nose[1], -1, 1))
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


@dataclass(frozen=True)
class FaceRow:
    """One row of a faceset before it becomes a table; fields as in the schema, `image` is JPEG."""

    image: bytes
    clip: str
    frame: int
    time: float
    found: Detection | None
    matrix: np.ndarray
    landmarks: np.ndarray | None
    scores: Scores
    seed: int = -1


def to_table(rows: Sequence[FaceRow], embeddings: Mapping[int, np.ndarray]) -> pa.Table:
    """Make a table with the faceset's schema; no row is fine. `embeddings` are by row number; others get NaN."""
    nothing = np.full(136, NAN, np.float32)
    records = [
        {
            "image": row.image,
            "clip": row.clip,
            "frame": row.frame,
            "time": row.time,
            "box": [NAN] * 4 if row.found is None else list(row.found.box),
            "score": NAN if row.found is None else row.found.score,
            "matrix": row.matrix.reshape(6).tolist(),
            "landmarks": nothing if row.landmarks is None else row.landmarks.reshape(136),
            "embedding": embeddings.get(number, nothing[:128]),
            "seed": row.seed,
            **asdict(row.scores),
        }
        for number, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(records, schema=SCHEMA)


def describe_crops(
    images: np.ndarray,
    first_frame: int = 0,
    seeds: Sequence[int] | None = None,
    clip: str = "synthetic",
    embedder: FaceEmbedder | None = None,
) -> pa.Table:
    """Look for a face in each ready-made crop and score it; every crop becomes a row, NaN where no face is found.

    Crops smaller than 256 pixels are enlarged to that first; then the detector, the 5 points and the embedding are
    those of face_recognition with its defaults, so that "no face" and distances mean what they mean there.

    Args:
        images: RGB uint8 (N, S, S, 3).
        first_frame: number of the first crop.
        seeds: seed of each crop; -1 when None.
        clip: what stands in the column `clip`.
        embedder: the embedding network; this process's own on the CPU when None.

    Returns:
        N rows in the faceset's schema; lengths in crop pixels; `matrix` is the identity.
    """
    numbers = [-1] * len(images) if seeds is None else [int(seed) for seed in seeds]
    looks = [_look(image) for image in images]
    chips = [look.chip for look in looks if look is not None]
    vectors = (embedder or load_embedder()).embed_chips(np.stack(chips)) if chips else ()
    with_face = [number for number, look in enumerate(looks) if look is not None]
    identity = np.eye(2, 3)
    rows = []
    for number, (image, look, seed) in enumerate(zip(images, looks, numbers, strict=True), first_frame):
        found = None if look is None else look.found
        points = None if look is None else look.landmarks
        scores = Scores() if points is None else score_face(image, points)
        rows.append(FaceRow(encode_image(image), clip, number, NAN, found, identity, points, scores, seed))
    return to_table(rows, dict(zip(with_face, vectors, strict=True)))


@dataclass(frozen=True)
class _Look:
    found: Detection
    landmarks: np.ndarray
    chip: np.ndarray


def _look(image: np.ndarray) -> _Look | None:
    large, factor = enlarge(image)
    found = detect_enlarged(large)
    if found is None:
        return None
    points = shrink_points(predict(large, found.box), factor)
    return _Look(shrink_detection(found, factor), points, chip(large, predict5(large, found.box)))
