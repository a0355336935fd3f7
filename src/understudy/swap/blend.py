"""Laying the new face into the frame, within its own box alone."""

import cv2
import numpy as np

from understudy.faces.align import invert, scale_of
from understudy.swap import colour, sharpness
from understudy.swap.config import BlendConfig
from understudy.swap.mask import FINE as FINE_MASK
from understudy.swap.mask import face_mask

FINE = 2
"""The face is enlarged by so much at most before it is turned into the frame: a separable cubic filter and a linear
warp cost a third of a cubic warp."""

SOLID = 0.5
"""Where the mask is less than this the frame keeps its own gradients: at its very edge hair and background bleed in."""


SUDDEN = 0.06
"""A change of the frame's mean colour (0..1) in the face by more than this, from one frame to the next, is light
switched on and not flicker."""


class Blender:
    """Lays the faces of one video into its frames, in their order.

    How colours and sharpness change is averaged over time within a shot, exponentially: no flicker, and light that is
    switched on comes at once.

    Args:
        config: how.
    """

    def __init__(self, config: BlendConfig) -> None:
        self.config = config
        self._change: np.ndarray | None = None
        self._light = np.zeros(3)
        self._shot = 0

    def __call__(
        self,
        frame: np.ndarray,
        crop: np.ndarray,
        face: np.ndarray,
        predicted: np.ndarray,
        landmarks: np.ndarray,
        matrix: np.ndarray,
        shot: int = 0,
    ) -> np.ndarray:
        """A copy of the frame with the new face in it; not a pixel outside the mask changes.

        Args:
            frame: RGB uint8 (H, W, 3).
            crop: the frame's own face, RGB uint8 (T, T, 3), with T of `crop_side`.
            face: the new face, RGB uint8 (S, S, 3).
            predicted: its mask (S, S), 0..1.
            landmarks: of the frame's own face, in pixels of the new face (68, 2).
            matrix: frame pixels to pixels of the new face, (2, 3).
            shot: number of the shot; colours are averaged within one.
        """
        config, way = self.config, self.config.colour_transfer
        mask = face_mask(predicted, landmarks, config)
        if not mask.any():
            return frame.copy()
        small, before = resized(mask, len(face)), resized(crop, len(face))
        change = colour.measure(face, before, small, way)
        light = cv2.mean(before, (small > colour.LEAST).astype(np.uint8))[:3]
        large = resized(face, len(mask))
        sigma = max(1.0, len(mask) / len(face))
        strength = sharpness.measure(large, crop, mask, sigma, config.sharpen)
        steady = self._averaged(np.array([strength, *change.ravel()]), np.array(light) / 255, shot)
        large = sharpness.apply(
            resized(colour.apply(face, steady[1:].reshape(change.shape), way), len(mask)), float(steady[0]), sigma
        )
        return lay_in(frame, large, mask, finer(matrix, len(mask) / len(face)), config.mode)

    def _averaged(self, change: np.ndarray, light: np.ndarray, shot: int) -> np.ndarray:
        """The change with those of the frames before."""
        if self._change is not None and shot == self._shot and np.abs(light - self._light).max() <= SUDDEN:
            change = self._change + (change - self._change) / (1 + self.config.colour_steady)
        self._change, self._light, self._shot = change, light, shot
        return change


def crop_side(size: int) -> int:
    """Pixels of the crops that faces of `size` pixels are compared with: those of the mask."""
    return max(size, FINE_MASK)


def resized(image: np.ndarray, side: int) -> np.ndarray:
    """A square picture or mask with sides of so many pixels; averaged when it gets smaller."""
    if len(image) == side:
        return image
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if side < len(image) else cv2.INTER_CUBIC)


def finer(matrix: np.ndarray, factor: float) -> np.ndarray:
    """The matrix to a crop of so many times the pixels; pixel centre x becomes factor * (x + 1/2) - 1/2."""
    fine = matrix * factor
    fine[:, 2] += (factor - 1) / 2
    return fine


def lay_in(frame: np.ndarray, face: np.ndarray, mask: np.ndarray, matrix: np.ndarray, mode: str) -> np.ndarray:
    """A copy of the frame in which the face shows by its mask.

    Args:
        frame: RGB uint8 (H, W, 3).
        face: RGB uint8 (T, T, 3).
        mask: (T, T) float32 in 0..1.
        matrix: frame pixels to the pixels of both, (2, 3).
        mode: `paste`, or `seamless` for Poisson's equation (Perez et al., SIGGRAPH 2003).
    """
    out = frame.copy()
    back = invert(matrix)
    box = _box(mask, back, frame.shape)
    if box is None:
        return out
    x0, y0, x1, y1 = box
    size = (x1 - x0, y1 - y0)
    weight = cv2.warpAffine(mask, _moved(back, box), size, flags=cv2.INTER_LINEAR)
    # Twice the frame's own detail, so that the linear warp keeps it; a face that is small in the frame is averaged.
    side = max(1, round(len(face) * min(FINE, 2 / scale_of(matrix))))
    way = _moved(invert(finer(matrix, side / len(face))), box)
    new = cv2.warpAffine(resized(face, side), way, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    under = out[y0:y1, x0:x1]
    if mode == "seamless":
        new = _seamless(new, under, weight)
    # A weighted mean in one go. The mask's weights of nought leave each byte as it is.
    under[:] = cv2.blendLinear(new, np.ascontiguousarray(under), weight, 1 - weight)
    return out


def _seamless(face: np.ndarray, under: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The face's gradients on the frame's colours at the mask's edge.

    OpenCV puts the middle of the mask's bounding box on the given point. The point is that very middle, by the same
    division of whole numbers, so that nothing ever moves by a pixel.
    """
    solid = np.where(weight > SOLID, 255, 0).astype(np.uint8)
    solid[0] = solid[-1] = solid[:, 0] = solid[:, -1] = 0
    left, top, width, height = cv2.boundingRect(solid)
    if min(width, height) < 8:
        return face
    middle = (left + width // 2, top + height // 2)
    return cv2.seamlessClone(face, np.ascontiguousarray(under), solid, middle, cv2.NORMAL_CLONE)


def _box(mask: np.ndarray, back: np.ndarray, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """Where in the frame the mask is not nought: left, top, right, bottom; None when that is nowhere."""
    left, top, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    if not width:
        return None
    ends = np.array([[x, y] for x in (left, left + width - 1) for y in (top, top + height - 1)])
    corners = ends @ back[:, :2].T + back[:, 2]
    limit = (shape[1], shape[0])
    x0, y0 = (int(value) for value in np.clip(np.floor(corners.min(0)) - 1, 0, limit))
    x1, y1 = (int(value) for value in np.clip(np.ceil(corners.max(0)) + 2, 0, limit))
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _moved(back: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """A way back into the frame, to the pixels of a box of it."""
    moved = back.copy()
    moved[:, 2] -= box[:2]
    return moved
