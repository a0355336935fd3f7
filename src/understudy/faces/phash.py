"""Perceptual hashes: 64 bits that stay nearly the same while a picture looks the same."""

import cv2
import imagehash
import numpy as np
from PIL import Image

SIDE = 32
"""The hash looks at so many grey pixels a side; pHash keeps the 8 x 8 lowest frequencies of them."""


def perceptual_hash(rgb: np.ndarray) -> int:
    """The pHash of a picture as a signed 64-bit number.

    The picture is averaged down with OpenCV first: the same hash for a fraction of the time of PIL's resize.

    Args:
        rgb: uint8 (H, W, 3).
    """
    small = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    bits = imagehash.phash(Image.fromarray(small)).hash  # 8 x 8 bool
    return int(np.packbits(bits).view(">i8")[0])


def hash_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Number of bits, 0..64, in which int64 hashes differ; arrays of any shapes that broadcast."""
    return np.bitwise_count(np.bitwise_xor(a, b).view(np.uint64))
