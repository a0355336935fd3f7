"""The frame's sharpness for the new face: a small network paints softly, a face in motion is filmed softly."""

import cv2
import numpy as np


def measure(face: np.ndarray, frame: np.ndarray, mask: np.ndarray, sigma: float, limit: float) -> float:
    """Strength of the unsharp mask after which the new face's detail has the energy of the frame's.

    With d the detail of the face (what a blur takes off) and e the detail of d, an unsharp mask of strength s makes it
    d + s e, so that s solves |d|^2 + 2 s d.e + s^2 |e|^2 = |detail of the frame|^2.

    Args:
        face: RGB uint8 (T, T, 3).
        frame: the frame's own face in the same crop, RGB uint8 (T, T, 3).
        mask: where they are compared, weights (T, T).
        sigma: of the blur, in pixels.
        limit: no more than this, either way, and never more than the blur itself.

    Returns:
        The strength; less than nought softens.
    """
    if limit == 0:
        return 0.0
    grey, other = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) for x in (face, frame))
    detail, wanted = _detail(grey, sigma), _detail(other, sigma)
    again = _detail(detail, sigma)
    weighted = mask * again
    square, mixed = float((weighted * again).sum()), float((weighted * detail).sum())
    missing = float((mask * (detail**2 - wanted**2)).sum())
    if square <= 0:
        return 0.0
    # Where no strength makes so little detail, the one that makes the least, at -mixed / square, is taken.
    strength = (np.sqrt(max(mixed**2 - square * missing, 0.0)) - mixed) / square
    return float(np.clip(strength, -min(1.0, limit), limit))


def apply(face: np.ndarray, strength: float, sigma: float) -> np.ndarray:
    """The face, RGB uint8 (T, T, 3), with an unsharp mask; one of less than nought softens."""
    if strength == 0:
        return face
    soft = cv2.GaussianBlur(face, (0, 0), sigma)
    return cv2.addWeighted(face, 1 + strength, soft, -strength, 0)


def _detail(grey: np.ndarray, sigma: float) -> np.ndarray:
    return grey - cv2.GaussianBlur(grey, (0, 0), sigma)
