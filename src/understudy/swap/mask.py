"""The mask of the new face: where it may be seen in the frame."""

import cv2
import numpy as np

from understudy.faces.masks import hull_mask
from understudy.swap.config import BlendConfig

FINE = 128
"""Masks have at least this many pixels, so that their soft edges stay smooth when they are enlarged."""


def face_mask(predicted: np.ndarray, landmarks: np.ndarray, config: BlendConfig) -> np.ndarray:
    """Where the network sees its face and the frame has one, drawn in and softened.

    What the network leaves out, such as hair, a hand or glasses in front of the face, stays the frame's.

    Args:
        predicted: the network's mask (S, S), 0..1.
        landmarks: of the frame's face, in crop pixels (68, 2).
        config: lengths of erosion and feathering.

    Returns:
        (T, T) float32 in 0..1, with T the larger of S and `FINE`; zero at the border.
    """
    size = len(predicted)
    side = max(size, FINE)
    hull = hull_mask((landmarks + 0.5) * side / size - 0.5, side)
    mask = np.minimum(cv2.resize(predicted.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC), hull)
    mask = mask.clip(0, 1)
    reach, sigma = config.erode * side, config.feather * side
    # The soft edge lies inside the face: half of it would otherwise show what the network paints beside the jaw. Not so
    # at its upper edge, where the target's own brows would show above the new ones.
    pixels = round(reach + sigma)
    if pixels:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1,) * 2)
        kernel[:pixels] = 0
        mask = cv2.erode(mask, kernel)
    border = max(1, round(3 * sigma))
    mask[:border] = mask[-border:] = mask[:, :border] = mask[:, -border:] = 0
    if sigma > 0:
        mask = cv2.GaussianBlur(mask, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    mask[0] = mask[-1] = mask[:, 0] = mask[:, -1] = 0
    return mask
