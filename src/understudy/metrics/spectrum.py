"""The spectral probe: azimuthally averaged power spectra, told apart by logistic regression.

Generators leave marks in the highest frequencies, since they enlarge step by step (Durall et al., CVPR 2020,
arXiv:2003.01826, whose features these are, but for our own probe and no resampling).
"""

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def power_profile(images: np.ndarray) -> np.ndarray:
    """Log power over spatial frequency, averaged around the circle.

    The picture is not resized, as this would write its own mark into the spectrum. A Hann window keeps the seam
    between opposite borders, which a Fourier transform takes for an edge, from drowning the high frequencies.

    Args:
        images: RGB uint8 (N, S, S, 3).

    Returns:
        (N, S // 2) float64: mean of the log10 power over all frequencies whose distance from zero rounds to 1, 2 …
        S // 2 cycles a picture. The mean brightness (0 cycles) is left out.
    """
    side = images.shape[1]
    window = np.outer(np.hanning(side + 2)[1:-1], np.hanning(side + 2)[1:-1])
    across = np.fft.fftfreq(side, 1 / side)
    radius = np.hypot(across[:, None], across[: side // 2 + 1][None]).round().astype(np.int64)  # S x (S / 2 + 1)
    twice = np.ones(radius.shape)  # rfft holds one of each pair of opposite frequencies, but for two columns
    twice[:, 1 : (side + 1) // 2] = 2
    counts = np.bincount(radius.ravel(), twice.ravel())[: side // 2 + 1]
    profiles = np.empty((len(images), side // 2))
    for number, image in enumerate(images):
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64) / 255
        spectrum = np.fft.rfft2((grey - grey.mean()) * window)
        power = np.log10(np.abs(spectrum) ** 2 + 1e-10) * twice  # a flat picture has no power, and a finite log
        profiles[number] = (np.bincount(radius.ravel(), power.ravel())[: side // 2 + 1] / counts)[1:]
    return profiles


def spectral_scores(profiles: np.ndarray, fake: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Score each face by a logistic regression that was taught by the other folds, (N,): large looks synthetic.

    Args:
        profiles: what `power_profile` returns, (N, D).
        fake: what is synthetic, (N,) bool.
        fold: fold of each face, (N,).
    """
    scores = np.empty(len(fake))
    for number in np.unique(fold):
        held = fold == number
        probe = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
        probe.fit(profiles[~held], fake[~held])
        scores[held] = probe.decision_function(profiles[held])
    return scores
