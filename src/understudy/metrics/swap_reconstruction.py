"""How well the source's decoder draws faces of the source that never taught it: there the true picture is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
from skimage.metrics import structural_similarity

from understudy.faces.faceset import Faceset
from understudy.faces.masks import hull_mask
from understudy.metrics.crops import read_crops
from understudy.metrics.swap_perceptual import perceptual_distances

Reconstruct = Callable[[np.ndarray], np.ndarray]
"""Draws crops RGB uint8 (N, S, S, 3) anew with the source's decoder, in the same form."""

FEWEST = 2
NETWORK = (
    "dlib's face network at five depths, unit-normalised by position as in LPIPS, all channels alike: comparable "
    "between runs of this project, not with LPIPS"
)


def reconstruction_scores(faces: Faceset, rows: np.ndarray, reconstruct: Reconstruct, most: int) -> dict[str, Any]:
    """SSIM, PSNR and a perceptual distance of filmed faces drawn anew, inside the face.

    Args:
        faces: filmed faces of the source.
        rows: those of them that never taught.
        reconstruct: the trained network.
        most: at most this many, spread evenly.

    Returns:
        `faces`; `ssim`, `psnr` (decibels) and `perceptual`, means over faces, and their standard deviations `*_std`;
        `other_ssim`, `other_psnr` and `other_perceptual`: the same between each face and another held-out face of the
        same person, which is what a picture of the right person with the wrong expression scores; `network`, by which
        the perceptual distance is measured; `missing`.
    """
    landmarks = faces.landmarks()
    rows = rows[np.isfinite(landmarks[rows]).all((1, 2))]
    if most and len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    names = ("ssim", "psnr", "perceptual")
    figures: dict[str, Any] = {"faces": len(rows) if most else 0, "network": NETWORK}
    figures |= dict.fromkeys([f"{name}{end}" for name in names for end in ("", "_std")])
    figures |= dict.fromkeys([f"other_{name}" for name in names])
    if not most:
        return figures | {"missing": "Switched off: set swap_quality.held_out above 0."}
    if len(rows) < FEWEST:
        return figures | {
            "missing": f"Only {len(rows)} filmed faces of the source were kept from teaching and {FEWEST} are needed: "
            "add footage of the source."
        }
    truth = read_crops(faces, rows)
    masks = np.stack([hull_mask(landmarks[row], truth.shape[1]) for row in rows])
    found = compare(truth, reconstruct(truth), masks)
    other = compare(truth, np.roll(truth, len(truth) // 2, axis=0), masks)
    for name in names:
        figures |= {name: float(found[name].mean()), f"{name}_std": float(found[name].std())}
        figures[f"other_{name}"] = float(other[name].mean())
    return figures | {"missing": None}


def compare(truth: np.ndarray, made: np.ndarray, masks: np.ndarray) -> dict[str, np.ndarray]:
    """`ssim`, `psnr` (at most 100) and `perceptual` of pairs of pictures (N, S, S, 3), weighted by masks (N, S, S)."""
    return {
        "ssim": np.array([_ssim(*pair) for pair in zip(truth, made, masks, strict=True)]),
        "psnr": np.array([_psnr(*pair) for pair in zip(truth, made, masks, strict=True)]),
        "perceptual": perceptual_distances(truth, made, masks),
    }


def _ssim(truth: np.ndarray, made: np.ndarray, mask: np.ndarray) -> float:
    """Structural similarity with Wang's Gaussian window of 1.5 pixels, averaged inside the mask."""
    _, local = structural_similarity(
        truth, made, channel_axis=2, data_range=255, gaussian_weights=True, use_sample_covariance=False, full=True
    )
    return float((local.mean(2) * mask).sum() / mask.sum())


def _psnr(truth: np.ndarray, made: np.ndarray, mask: np.ndarray) -> float:
    squared = ((truth.astype(np.float64) - made) ** 2).mean(2)
    error = max(float((squared * mask).sum() / mask.sum()), 255**2 / 1e10)
    return float(10 * np.log10(255**2 / error))
