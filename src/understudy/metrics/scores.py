"""One function a measure: facesets in, plain figures out.

Every function returns a dictionary with stable keys. A figure that could not be measured is None, and `missing` says
why in one sentence.
"""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from understudy.faces.faceset import Faceset
from understudy.metrics.config import EvaluationConfig, InceptionConfig
from understudy.metrics.frechet import compare_sets, frechet_distance, kernel_distance
from understudy.metrics.identity import compare, has_face, identity_figures, pair_figures
from understudy.metrics.inception_file import MissingWeights, find_file, load_inception
from understudy.metrics.quality import Features, extract, inception_figures

logger = logging.getLogger(__name__)


def identity_scores(synthetic: Faceset, originals: Faceset, config: EvaluationConfig) -> dict[str, Any]:
    """How many synthetic faces are the source, somebody else, or no face."""
    ours, theirs = synthetic.column("embedding"), originals.column("embedding")
    figures = identity_figures(compare(ours, theirs), config.tolerance)
    return figures | _reason(_lack(ours, theirs))


def distance_scores(synthetic: Faceset, originals: Faceset) -> dict[str, Any]:
    """Mean and variance of the distances of all pairs within each set."""
    figures = {"synthetic": pair_figures(synthetic.column("embedding"))}
    figures["originals"] = pair_figures(originals.column("embedding"))
    short = [name for name, value in figures.items() if value["l2_mean"] is None]
    return figures | _reason(f"Fewer than two faces were found among the {' and the '.join(short)}." if short else None)


def frechet_scores(synthetic: Faceset, originals: Faceset, config: EvaluationConfig, seed: int) -> dict[str, Any]:
    """Fréchet and kernel distance of the 128-d embeddings, each with its floor."""
    ours, theirs = synthetic.column("embedding"), originals.column("embedding")
    clips = originals.column("clip")[has_face(theirs)]
    sets = (ours[has_face(ours)], theirs[has_face(theirs)], clips)
    figures: dict[str, Any] = compare_sets(*sets, frechet_distance, config.repeats, seed)
    floor = figures["floor"]
    figures["ratio"] = figures["distance"] / floor if floor and figures["distance"] is not None else None
    figures["kernel"] = compare_sets(*sets, kernel_distance, config.repeats, seed)
    few = figures["distance"] is None
    return figures | _reason(
        f"Two synthetic and four filmed faces are needed; {len(sets[0])} and {len(sets[1])} were found."
        if few
        else None
    )


def inception_scores(synthetic: Faceset, originals: Faceset, config: EvaluationConfig, seed: int) -> dict[str, Any]:
    """Inception Score, FID and KID; when the network's file cannot be had, only `missing`."""
    asked = config.inception
    if not asked.enabled:
        return _no_inception(asked) | _reason("Switched off: set evaluation.inception.enabled to true.")
    try:
        network = load_inception(find_file(asked), asked.antialias)
    except MissingWeights as error:
        logger.warning("%s The other figures are measured all the same.", error)
        return _no_inception(asked) | _reason(str(error))
    features = []
    rows = [faces.sample(asked.max_images) for faces in (synthetic, originals)]
    for faces, chosen, name in zip((synthetic, originals), rows, ("synthetic", "filmed"), strict=True):
        images = _images(faces, chosen, asked.batch)
        features.append(extract(network, images, len(chosen), asked.batch, f"Inception of {name} faces"))
    clips = originals.column("clip")[rows[1]]
    figures = inception_figures(features[0], features[1], clips, asked, config.repeats, seed)
    return figures | _reason("Two images of each kind are needed." if figures["fid"] is None else None)


def _no_inception(config: InceptionConfig) -> dict[str, Any]:
    """The same keys as a measurement has, without figures."""
    nothing = Features(torch.empty(0, 2048), torch.empty(0, 1008))
    return inception_figures(nothing, nothing, np.empty(0, str), config, 2, 0)


def _images(faces: Faceset, rows: np.ndarray, batch: int) -> Iterator[np.ndarray]:
    """Images of the chosen rows in order, reading a shard at a time."""
    start = 0
    for shard in faces.shards:
        inside = rows[(rows >= start) & (rows < start + shard.rows)]
        for first in range(0, len(inside), batch):
            yield faces.images(inside[first : first + batch])
        start += shard.rows


def _lack(synthetic: np.ndarray, originals: np.ndarray) -> str | None:
    if not has_face(originals).any():
        return "No face was found in any filmed crop, so there is nothing to compare with: check the contact sheet."
    if not len(synthetic):
        return "The set of synthetic faces is empty: set gan_training.synthesis.count above 0."
    if not has_face(synthetic).any():
        return "No face was found in any synthetic picture: the generator needs more training."
    return None


def _reason(text: str | None) -> dict[str, Any]:
    return {"missing": text}
