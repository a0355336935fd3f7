"""Can synthetic faces be told from filmed ones of the same person?

What may not betray them is made equal: both sets have as many faces, of one size and colour, and pass the same JPEG
coding last. Filmed crops went through a camera, a video codec and a resampling before. A generator that learnt from
these very crops has to bring the traces of that with it, so they are not taken away.
"""

from typing import Any

import numpy as np

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.metrics.config import DetectabilityConfig
from understudy.metrics.crops import read_crops
from understudy.metrics.groups import group_by_clip
from understudy.metrics.probes import FEWEST, Labelled, chance_level, tell_apart
from understudy.metrics.spectrum import power_profile

NOT_EQUALISED = "camera, video codec and resampling of the filmed crops, which the generator learnt with them"


def detectability_scores(
    synthetic: Faceset, filmed: Faceset, rows: np.ndarray, config: DetectabilityConfig, seed: int
) -> dict[str, Any]:
    """How well probes tell synthetic faces from filmed ones of clips that they were not taught by.

    Args:
        synthetic: an unselected sample of the generator.
        filmed: crops of the person, coded as the synthetic ones are: once, by `encode_image`.
        rows: rows of the filmed crops to choose from, such as those that a selection kept.
        config: folds, sizes and epochs.
        seed: of folds, networks and draws.

    Returns:
        Figures of `tell_apart`; `control`: those of `chance_level` for the same filmed faces, half against half;
        `profile`: mean spectra for a plot; `equalised` and `not_equalised`: what was made equal, what could not be.

    Raises:
        UserError: crops of unlike sizes.
    """
    if not config.enabled:
        return {"missing": "Switched off: set evaluation.detectability.enabled to true."}
    count = min(len(synthetic), len(rows), config.max_faces)
    if count < FEWEST:
        return {
            "missing": f"Probes need {FEWEST} synthetic and {FEWEST} filmed faces; "
            f"{len(synthetic)} and {len(rows)} were found."
        }
    clips = filmed.column("clip")
    near = _evenly(rows, count)
    ours, theirs = read_crops(synthetic, synthetic.sample(count)), read_crops(filmed, near)
    if ours.shape != theirs.shape:
        raise UserError(
            f"The synthetic faces {synthetic.path} have {ours.shape[1]} pixels and the filmed ones {theirs.shape[1]}: "
            "make both at one `size`, since resizing would betray one of them."
        )
    known, chance = group_by_clip(clips[near], 2), group_by_clip(clips[near], 2 * config.folds)
    labels = np.r_[-1 - np.arange(count), known.labels]  # each synthetic face is a group of its own
    figures = tell_apart(Labelled(np.concatenate([ours, theirs]), np.arange(2 * count) < count, labels), config, seed)
    control = chance_level(theirs, chance.labels, config, seed)
    profiles = {"synthetic": power_profile(ours).mean(0), "filmed": power_profile(theirs).mean(0)}
    return {
        **figures,
        "clips": len(np.unique(clips[near])),
        "grouped_by": known.kind,
        "control": {**control, "grouped_by": chance.kind, "halvings": config.halvings},
        "profile": {name: np.round(values, 4).tolist() for name, values in profiles.items()},
        "equalised": f"number, size, colour; JPEG 4:4:4 at quality {config.jpeg} as the last step",
        "not_equalised": NOT_EQUALISED,
        "missing": None,
    }


def _evenly(rows: np.ndarray, count: int) -> np.ndarray:
    """Up to `count` of `rows`, spread evenly, rising."""
    places = np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(np.int64)
    chosen: np.ndarray = np.unique(rows)[places]
    return chosen
