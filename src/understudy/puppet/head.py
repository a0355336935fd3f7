"""What of a portrait moves when the head turns: the person's outline, the depth of the head, the bend of the neck."""

from dataclasses import dataclass

import cv2
import numpy as np

from understudy.puppet.portraits import Canvas

GRID = 256
"""Displacements are computed on a grid of this many nodes a side and enlarged to the picture."""


@dataclass(frozen=True)
class FaceFrame:
    """Coordinates of the face in pixels: origin between the eyes, u along the eyes to the right, v towards the chin."""

    origin: np.ndarray  # (2,)
    axes: np.ndarray  # (2, 2), rows u and v
    jaw: float  # width from ear to ear
    chin: float  # v of the chin

    def to(self, points: np.ndarray) -> np.ndarray:
        """Picture coordinates (..., 2) as u, v."""
        return (points - self.origin) @ self.axes.T

    def back(self, points: np.ndarray) -> np.ndarray:
        """u, v (..., 2) as picture coordinates."""
        return points @ self.axes + self.origin


@dataclass(frozen=True)
class Head:
    """The parts of a portrait.

    `layer` is the picture with the person's outline as fourth channel (S, S, 4); `behind` the picture with the person
    taken out (S, S, 3); `zone` where the result is composed at all (S, S) float in 0 to 1, exactly 0 elsewhere.
    `depth` in pixels towards the viewer and `weight` of the turning are on the grid (G, G).
    """

    layer: np.ndarray
    behind: np.ndarray
    zone: np.ndarray
    frame: FaceFrame
    pivot: np.ndarray  # (2,), where the neck bends
    depth: np.ndarray
    weight: np.ndarray


def face_frame(landmarks: np.ndarray) -> FaceFrame:
    """The coordinates of a face from its 68 landmarks."""
    right, left = landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)
    along = (left - right) / np.linalg.norm(left - right)
    axes = np.array([along, [-along[1], along[0]]])
    origin = (right + left) / 2
    chin = float(((landmarks[8] - origin) @ axes.T)[1])
    return FaceFrame(origin, axes, float(np.linalg.norm(landmarks[16] - landmarks[0])), chin)


def grid_points(size: int) -> np.ndarray:
    """Picture coordinates of the grid's nodes, (G, G, 2)."""
    along = (np.arange(GRID) + 0.5) * size / GRID - 0.5
    return np.stack(np.meshgrid(along, along), axis=-1)


def make_head(canvas: Canvas) -> Head:
    """Find the parts of a portrait; it takes about two seconds."""
    size = canvas.image.shape[0]
    frame = face_frame(canvas.landmarks)
    outline = person_outline(canvas, frame)
    uv = frame.to(grid_points(size))
    # The chin and what is above it turn whole; from there to the collar the neck takes up the turn.
    weight = 1 - _smooth((uv[..., 1] - 1.02 * frame.chin) / (0.75 * frame.chin))
    inside = cv2.resize(outline, (GRID, GRID), interpolation=cv2.INTER_AREA) / 255.0
    moved = cv2.dilate(cv2.resize(weight * (inside > 0.02), (size, size)), _disc(size // 16))
    zone = np.asarray(cv2.GaussianBlur((moved > 0.05).astype(np.float32), (0, 0), size / 128))
    zone[zone < 1 / 255] = 0.0
    return Head(
        layer=np.dstack((canvas.image, outline)),
        behind=_without_person(canvas.image, outline),
        zone=zone,
        frame=frame,
        pivot=frame.back(np.array([0.0, 1.5 * frame.chin])),
        depth=_depth(uv, inside, frame),
        weight=weight,
    )


def person_outline(canvas: Canvas, frame: FaceFrame) -> np.ndarray:
    """The person's matte (S, S) uint8 with a soft edge, found by GrabCut from where the face is."""
    size = canvas.image.shape[0]
    small = cv2.resize(canvas.image, (GRID, GRID), interpolation=cv2.INTER_AREA)
    uv = frame.to(grid_points(size))
    u, v, jaw, chin = uv[..., 0], uv[..., 1], frame.jaw, frame.chin
    middle, height = 0.05 * chin, 0.95 * chin  # of an oval from the hairline to the chin
    radius = np.hypot(u / (0.5 * jaw), (v - middle) / height)
    shoulders = (v > 1.25 * chin) & (np.abs(u) < 0.5 * jaw + 0.9 * (v - 1.25 * chin))
    mask = np.full((GRID, GRID), cv2.GC_BGD, np.uint8)
    mask[(radius < 1.75) | (v > 0.9 * chin)] = cv2.GC_PR_BGD
    mask[(radius < 1.35) | (v > 1.2 * chin) & (np.abs(u) < 1.2 * jaw)] = cv2.GC_PR_FGD
    crown = np.hypot(u / (0.25 * jaw), v / (1.2 * chin)) < 1
    mask[(radius < 0.95) | crown | (np.abs(u) < 0.3 * jaw) & (v > 0) | shoulders] = cv2.GC_FGD
    cv2.setRNGSeed(0)  # GrabCut begins with k-means
    cv2.grabCut(small, mask, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_MASK)
    found = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    person = cv2.morphologyEx(found, cv2.MORPH_OPEN, _disc(3))
    person = _largest_part(cv2.morphologyEx(person, cv2.MORPH_CLOSE, _disc(5)))
    soft = cv2.GaussianBlur(person.astype(np.float32), (0, 0), 1.2)
    return np.round(255 * np.clip(cv2.resize(soft, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1)).astype(np.uint8)


def _depth(uv: np.ndarray, inside: np.ndarray, frame: FaceFrame) -> np.ndarray:
    """Depth of the head as an ellipsoid as wide as the outline, with a nose; nought is the plane of the ears."""
    u, v, jaw, chin = uv[..., 0], uv[..., 1], frame.jaw, frame.chin
    head = (inside > 0.5) & (v < chin)
    top = float(v[head].min())
    half_width = max(0.55 * jaw, float(np.percentile(np.abs(u[head]), 99)))
    middle, half_height = (top + 1.15 * chin) / 2, (1.15 * chin - top) / 2
    rest = np.clip(1 - (u / half_width) ** 2 - ((v - middle) / half_height) ** 2, 0, 1)
    dome = 0.55 * jaw * rest**0.6
    nose = 0.16 * jaw * np.exp(-((u / (0.09 * jaw)) ** 2) - ((v - 0.42 * chin) / (0.2 * chin)) ** 2)
    return cv2.GaussianBlur((dome + nose).astype(np.float32), (0, 0), 2.0)


def _without_person(image: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Fill the person with what surrounds them; only a rim of it is ever seen, when the head leans aside."""
    hidden = cv2.dilate((outline > 2).astype(np.uint8), _disc(image.shape[0] // 64))
    small = cv2.resize(image, (GRID, GRID), interpolation=cv2.INTER_AREA)
    gone = cv2.resize(hidden, (GRID, GRID), interpolation=cv2.INTER_NEAREST)
    filled = cv2.inpaint(small, gone, 4, cv2.INPAINT_TELEA)
    large = cv2.resize(filled, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.where(hidden[..., None] > 0, large, image)


def _largest_part(mask: np.ndarray) -> np.ndarray:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    return (labels == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])).astype(np.uint8)


def _smooth(share: np.ndarray) -> np.ndarray:
    s = np.clip(share, 0, 1)
    return s * s * (3 - 2 * s)


def _disc(diameter: int) -> np.ndarray:
    odd = max(3, diameter | 1)
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (odd, odd))
