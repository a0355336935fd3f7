"""The visible label that says that a picture is synthetic."""

from functools import lru_cache

import cv2
import numpy as np

HEIGHT = 0.04
"""Height of the letters, as a share of the picture's smaller side."""

SMALLEST = 10
"""Letters are never lower than this many pixels, so that they can be read."""

DARKNESS = 0.65
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def burn_label(rgb: np.ndarray, text: str = "synthetic") -> np.ndarray:
    """Return a copy of the picture with `text` in a rounded dark box in its lower right corner.

    Args:
        rgb: uint8 (H, W, 3).
        text: plain ASCII.
    """
    (top, left), alpha, light = _overlay(*rgb.shape[:2], text)
    height, width = alpha.shape[:2]
    out = rgb.copy()
    under = out[top : top + height, left : left + width].astype(np.float32)
    out[top : top + height, left : left + width] = np.round(under * (1 - alpha) + light)
    return out


def label_height(height: int, width: int) -> int:
    """Pixels at the lower edge within which the label of a picture lies."""
    (top, _), _, _ = _overlay(height, width, "synthetic")
    return height - top


@lru_cache(maxsize=16)
def _overlay(height: int, width: int, text: str) -> tuple[tuple[int, int], np.ndarray, np.ndarray]:
    """Where the label goes (top, left), how much it covers (h, w, 1), and its light times that (h, w, 1)."""
    letters = max(SMALLEST, round(HEIGHT * min(height, width)))
    fine = 4  # drawn four times as large and averaged down: smooth at any size
    pixels = letters * fine
    scale = cv2.getFontScaleFromHeight(_FONT, pixels, max(1, pixels // 8))
    (wide, high), base = cv2.getTextSize(text, _FONT, scale, max(1, pixels // 8))
    pad = pixels // 2
    box_width, box_height = wide + 2 * pad, high + base + 2 * pad
    box, ink = np.zeros((2, box_height, box_width), np.uint8)
    _rounded(box, pad)
    cv2.putText(ink, text, (pad, pad + high), _FONT, scale, 255, max(1, pixels // 8), cv2.LINE_AA)
    margin = letters // 2
    # A picture too narrow for the words gets them smaller rather than cut off.
    shrink = min(1.0, (width - 2) / (box_width / fine), (height - 2) / (box_height / fine))
    size = (max(1, int(box_width / fine * shrink)), max(1, int(box_height / fine * shrink)))
    cover = cv2.resize(box, size, interpolation=cv2.INTER_AREA)[..., None].astype(np.float32) / 255
    words = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)[..., None].astype(np.float32) / 255
    alpha = np.maximum(DARKNESS * cover, words)
    place = (max(0, height - size[1] - margin), max(0, width - size[0] - margin))
    return place, alpha, 255 * words


def _rounded(canvas: np.ndarray, radius: int) -> None:
    height, width = canvas.shape
    cv2.rectangle(canvas, (radius, 0), (width - 1 - radius, height - 1), 255, -1)
    cv2.rectangle(canvas, (0, radius), (width - 1, height - 1 - radius), 255, -1)
    for x in (radius, width - 1 - radius):
        for y in (radius, height - 1 - radius):
            cv2.circle(canvas, (x, y), radius, 255, -1)
