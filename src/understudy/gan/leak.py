"""Do the changes that augmentation made show in the drawn faces?

A generator may learn the augmentation along with the faces: tilted heads, green skin, grey patches. Colour and geometry
of drawn and of filmed faces are compared, each by how its spread and its middle differ.
"""

from typing import Any

import cv2
import numpy as np

from understudy.faces.landmarks import LEFT_EYE, RIGHT_EYE, eye_distance, predict

COLOUR = ("brightness", "contrast", "saturation")
SHOWS = 1.0
"""A distribution that is moved or widened by this many of the filmed one's deviations shows."""
LEAST = {"brightness": 4.0, "contrast": 3.0, "saturation": 4.0, "roll": 2.0, "scale": 0.04}
"""The least deviation that is used as the unit: grey levels, degrees, and parts of the usual eye distance."""
TURNED = 0.02
"""Part of the drawn faces that look more like the filmed mean when turned by a quarter or two: more than this shows."""


def leak_figures(drawn: np.ndarray, filmed: np.ndarray, landmarks: np.ndarray) -> dict[str, Any]:
    """Compare faces (N, S, S, 3) with filmed ones (M, S, S, 3), both RGB uint8.

    Args:
        drawn: by the generator.
        filmed: those it learned from.
        landmarks: where those of a filmed face usually lie, (68, 2).

    Returns:
        For brightness, contrast, saturation, roll and scale how far the distributions are apart, in deviations of the
        filmed one; `turned`, the part that is turned by quarters; `shows`, the names of those that stand out.
    """
    ours, theirs = _describe(drawn, landmarks), _describe(filmed, landmarks)
    figures: dict[str, Any] = {name: _apart(ours[name], theirs[name], LEAST[name]) for name in ours}
    figures["turned"] = _turned(drawn, filmed)
    shows = [name for name in ours if figures[name] > SHOWS]
    figures["shows"] = [*shows, "turned"] if figures["turned"] > TURNED else shows
    return figures


def _describe(images: np.ndarray, landmarks: np.ndarray) -> dict[str, np.ndarray]:
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    box = (low[0], low[1], high[0], high[1])
    rows = []
    for image in images:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        colourful = image.max(axis=2).astype(np.int16) - image.min(axis=2)
        points = predict(cv2.resize(grey, None, fx=4, fy=4), [4 * value for value in box]) / 4
        across = points[RIGHT_EYE].mean(axis=0) - points[LEFT_EYE].mean(axis=0)
        roll = np.degrees(np.arctan2(across[1], across[0]))
        scale = eye_distance(points) / eye_distance(landmarks)
        rows.append((grey.mean(), grey.std(), colourful.mean(), roll, scale))
    return dict(zip(LEAST, np.array(rows, np.float64).T, strict=True))


def _apart(a: np.ndarray, b: np.ndarray, least: float) -> float:
    """Mean distance of the quantiles of two distributions, in deviations of `b`."""
    at = np.linspace(0.01, 0.99, 99)
    return float(np.abs(np.quantile(a, at) - np.quantile(b, at)).mean() / max(float(b.std()), least))


def _turned(drawn: np.ndarray, filmed: np.ndarray) -> float:
    small = [
        np.stack([cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA) for image in images])
        for images in (drawn, filmed)
    ]
    luma = [images.astype(np.float64).mean(axis=3) for images in small]
    mean = luma[1].mean(axis=0)
    mean = (mean - mean.mean()).ravel()
    likeness = []
    for turns in range(4):
        turned = np.rot90(luma[0], turns, (1, 2)).reshape(len(drawn), -1)
        likeness.append((turned - turned.mean(axis=1, keepdims=True)) @ mean)
    return float((np.argmax(likeness, axis=0) != 0).mean())
