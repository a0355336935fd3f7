"""Probes trained afresh to tell one set of pictures from another, and how well chance alone would do.

Works on arrays, so that synthetic faces, the frames of a swap or anything else can be judged by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from understudy.errors import UserError
from understudy.faces.faceset import decode_image
from understudy.metrics.auc import Ranked, auc_figures, rank
from understudy.metrics.config import DetectabilityConfig
from understudy.metrics.groups import assign_folds, halve
from understudy.metrics.probe_cnn import cnn_scores
from understudy.metrics.spectrum import power_profile, spectral_scores
from understudy.progress import Meter, meter

FEWEST = 8
"""Pictures of either kind below which nothing is told."""


@dataclass(frozen=True)
class Labelled:
    """Pictures to be told apart.

    Args:
        images: RGB uint8 (N, S, S, 3).
        fake: which are synthetic, (N,) bool.
        groups: label of what belongs together, such as a clip, (N,) int. No group is both taught and asked about. The
            frames of a clip and what a swap made of them share a label; synthetic faces of a seed each have their own.
    """

    images: np.ndarray
    fake: np.ndarray
    groups: np.ndarray


def tell_apart(data: Labelled, config: DetectabilityConfig, seed: int) -> dict[str, Any]:
    """How well probes tell the synthetic pictures from the others, k-fold by group.

    Both kinds are coded as JPEG once more, alike. Their number, size and colour are the caller's to make equal.

    Args:
        data: the pictures.
        config: folds, epochs and draws; `max_faces` is the caller's business.
        seed: of folds, networks and draws.

    Returns:
        `spectrum` and `cnn`: figures of `auc_figures`. `quality`: the smaller of both, since one probe that sees the
        difference is enough. `faces` of each kind and `folds`.

    Raises:
        UserError: fewer than 8 pictures of a kind or 2 groups, or pictures that are not uint8.
    """
    _check(data, FEWEST)
    folds = min(config.folds, *(len(np.unique(data.groups[data.fake == kind])) for kind in (False, True)))
    with meter("Telling synthetic from filmed", _work(len(data.fake), folds, config)) as shown:
        probed = _probe(_equalised(data, config.jpeg), folds, config, seed, shown)
    return _summary([probed], data.fake, folds)


def chance_level(images: np.ndarray, groups: np.ndarray, config: DetectabilityConfig, seed: int) -> dict[str, Any]:
    """The same for pictures of one kind: random halves of their groups are told apart, as often as `halvings` says.

    Args:
        images: RGB uint8 (N, S, S, 3).
        groups: label of each, (N,) int; at least four.
        config: as for `tell_apart`.
        seed: of the halves, folds, networks and draws.

    Returns:
        As `tell_apart`; the AUC is the mean of all halvings and its interval that of all their draws.

    Raises:
        UserError: as `tell_apart`.
    """
    sides = [halve(groups, seed + number) for number in range(config.halvings)]
    _check(Labelled(images, sides[0], groups), FEWEST // 2)
    folds = min(config.folds, len(np.unique(groups)) // 2)
    data = _equalised(Labelled(images, sides[0], groups), config.jpeg)
    with meter("Telling filmed from filmed", config.halvings * _work(len(images), folds, config)) as shown:
        probed = [
            _probe(Labelled(data.images, side, groups), folds, config, seed + number, shown)
            for number, side in enumerate(sides)
        ]
    return _summary(probed, sides[0], folds)


def _equalised(data: Labelled, jpeg: int) -> Labelled:
    """Give all pictures the same last step: JPEG 4:4:4 at one quality, its blocks on the same grid."""
    how = [cv2.IMWRITE_JPEG_QUALITY, jpeg]
    how += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    images = np.empty_like(data.images)
    for number, image in enumerate(data.images):
        _, coded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), how)
        images[number] = decode_image(coded.tobytes())
    return Labelled(images, data.fake, data.groups)


def _probe(data: Labelled, folds: int, config: DetectabilityConfig, seed: int, shown: Meter) -> dict[str, Ranked]:
    fold = assign_folds(data.groups, data.fake, folds, seed)
    scores = {
        "spectrum": spectral_scores(power_profile(data.images), data.fake, fold),
        "cnn": cnn_scores(data.images, data.fake, fold, config.epochs, seed, shown),
    }
    return {name: rank(values, data.fake, data.groups, fold, config.draws, seed) for name, values in scores.items()}


def _summary(probed: Sequence[dict[str, Ranked]], fake: np.ndarray, folds: int) -> dict[str, Any]:
    figures: dict[str, Any] = {name: auc_figures([one[name] for one in probed]) for name in probed[0]}
    worst = min(value["quality"] for value in figures.values())
    return {"faces": int(min(fake.sum(), (~fake).sum())), "folds": folds, "quality": worst, **figures}


def _work(count: int, folds: int, config: DetectabilityConfig) -> int:
    """Pictures that are shown to all networks."""
    return count * (folds - 1) * config.epochs


def _check(data: Labelled, fewest: int) -> None:
    if data.images.dtype != np.uint8:
        raise UserError(
            f"The pictures to be told apart are of type {data.images.dtype}: give uint8, whole numbers from 0 to 255."
        )
    fake, real = data.groups[data.fake], data.groups[~data.fake]
    if min(len(fake), len(real)) < fewest:
        raise UserError(
            f"Probes need {fewest} synthetic and {fewest} filmed faces and there are {len(fake)} and {len(real)}: "
            "raise gan_training.synthesis.count or add footage."
        )
    if min(len(np.unique(fake)), len(np.unique(real))) < 2:
        raise UserError(
            "Probes need pictures of two groups of either kind, to be taught by one and asked by the other."
        )
