"""Laying the new face into the frame: mask, colour, sharpness, and the way back."""

import cv2
import numpy as np

from understudy.faces.align import invert, warp_crop
from understudy.faces.masks import hull_mask
from understudy.swap.config import BlendConfig

FINE = 256
"""Masks and faces are laid in from at least this many pixels, so that edges stay smooth when enlarged."""

SPREAD = {"lightness": (0.8, 1.25), "colour": (0.67, 1.5)}
"""Limits of the change of spread in the colour transfer: light and shadow are part of who somebody is."""


def face_mask(predicted: np.ndarray, landmarks: np.ndarray, config: BlendConfig) -> np.ndarray:
    """The mask of the new face: where the network sees its face and the frame has one, drawn in and softened.

    Args:
        predicted: the network's mask (S, S), 0..1.
        landmarks: of the frame's face, in crop pixels (68, 2).
        config: lengths of erosion and feathering.

    Returns:
        (T, T) float32 in 0..1, with T the larger of S and `FINE`; zero at the border.
    """
    size = len(predicted)
    side = max(size, FINE)
    factor = side / size
    hull = hull_mask((landmarks + 0.5) * factor - 0.5, side)
    mask = np.minimum(cv2.resize(predicted.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC), hull)
    mask = mask.clip(0, 1)
    reach, sigma = config.erode * side, config.feather * side
    # The soft edge lies inside the face: half of it would otherwise show the target's skin beside a seam.
    pixels = round(reach + sigma)
    if pixels:
        mask = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1,) * 2))
    border = max(1, round(3 * sigma))
    mask[:border] = mask[-border:] = mask[:, :border] = mask[:, -border:] = 0
    if sigma > 0:
        mask = cv2.GaussianBlur(mask, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    mask[0] = mask[-1] = mask[:, 0] = mask[:, -1] = 0
    return mask


def match_colours(face: np.ndarray, frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Give `face` the mean and, within limits, the spread that `frame` has inside the mask, in L*a*b*.

    Reinhard et al., "Color transfer between images", IEEE CG&A 21(5), 2001.

    Args:
        face: RGB uint8 (S, S, 3).
        frame: RGB uint8 (S, S, 3).
        mask: weights (S, S).

    Returns:
        RGB float32 (S, S, 3) in 0..1.
    """
    weights = mask[..., None] / max(float(mask.sum()), 1e-6)
    a, b = (cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for image in (face, frame))
    mean_a, mean_b = (a * weights).sum((0, 1)), (b * weights).sum((0, 1))
    spread_a, spread_b = (np.sqrt(((x - mean) ** 2 * weights).sum((0, 1))) for x, mean in ((a, mean_a), (b, mean_b)))
    low, high = np.array([SPREAD["lightness"], SPREAD["colour"], SPREAD["colour"]]).T
    ratio = (spread_b / np.maximum(spread_a, 1e-3)).clip(low, high)
    return cv2.cvtColor(((a - mean_a) * ratio + mean_b).astype(np.float32), cv2.COLOR_LAB2RGB).clip(0, 1)


def sharpen(face: np.ndarray, strength: float) -> np.ndarray:
    """Unsharp mask with a width of 1/64 of the side, on float RGB in 0..1."""
    if strength == 0:
        return face
    soft = cv2.GaussianBlur(face, (0, 0), max(1.0, len(face) / 64))
    return (face + strength * (face - soft)).clip(0, 1)


def blend(
    frame: np.ndarray,
    face: np.ndarray,
    predicted: np.ndarray,
    landmarks: np.ndarray,
    matrix: np.ndarray,
    config: BlendConfig,
) -> np.ndarray:
    """A copy of the frame with the new face in it; not a pixel outside the mask changes.

    Args:
        frame: RGB uint8 (H, W, 3).
        face: the new face, RGB uint8 (S, S, 3).
        predicted: its mask (S, S), 0..1.
        landmarks: of the frame's own face, in crop pixels (68, 2).
        matrix: frame pixels to crop pixels, (2, 3).
        config: how.
    """
    size = len(face)
    mask = face_mask(predicted, landmarks, config)
    if config.colour_transfer == "rct":
        small = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)
        coloured = match_colours(face, warp_crop(frame, matrix, size), small)
    else:
        coloured = face.astype(np.float32) / 255
    side = len(mask)
    fine = sharpen(cv2.resize(coloured, (side, side), interpolation=cv2.INTER_CUBIC), config.sharpen)
    factor = side / size
    scaled = matrix * factor
    scaled[:, 2] += (factor - 1) / 2
    return _lay_in(frame, fine, mask, invert(scaled))


def _lay_in(frame: np.ndarray, face: np.ndarray, mask: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Warp face and mask into the frame and mix, within the mask's bounding rectangle alone."""
    inside = np.argwhere(mask > 0)
    if not len(inside):
        return frame.copy()
    (top, left), (bottom, right) = inside.min(0), inside.max(0)
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]]) @ back[:, :2].T + back[:, 2]
    height, width = frame.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int) - 1, 0, (width, height))
    x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int) + 2, 0, (width, height))
    if x0 >= x1 or y0 >= y1:
        return frame.copy()
    moved = back.copy()
    moved[:, 2] -= (x0, y0)
    size = (int(x1 - x0), int(y1 - y0))
    pixels = cv2.warpAffine(face, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    weight = cv2.warpAffine(mask, moved, size, flags=cv2.INTER_LINEAR)[..., None]
    out = frame.copy()
    under = out[y0:y1, x0:x1]
    mixed = under + weight * (255 * pixels - under)
    out[y0:y1, x0:x1] = np.where(weight > 0, np.round(mixed).clip(0, 255), under).astype(np.uint8)
    return out
