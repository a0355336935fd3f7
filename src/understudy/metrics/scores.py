"""One function a measure: facesets in, plain figures out.

Every function returns a dictionary with stable keys. A figure that could not be measured is None, and `missing` says
why in one sentence.
"""

import logging
from typing import Any

import numpy as np
import torch

from understudy.faces.faceset import Faceset
from understudy.metrics.config import EvaluationConfig, InceptionConfig, OpenFaceConfig
from understudy.metrics.crops import crop_batches
from understudy.metrics.frechet import compare_sets, extrapolate, frechet_distance, kernel_distance
from understudy.metrics.identity import (
    Comparison,
    compare,
    has_face,
    identity_figures,
    odd_rows,
    pair_figures,
    threshold_curve,
)
from understudy.metrics.inception_file import find_inception, load_inception
from understudy.metrics.openface import OpenFace, embed_crops
from understudy.metrics.openface_file import OPENFACE, find_openface, load_openface
from understudy.metrics.precision import precision_figures
from understudy.metrics.quality import Features, extract, inception_figures
from understudy.metrics.weights_file import MissingWeights, checksum
from understudy.progress import meter

logger = logging.getLogger(__name__)


def identity_scores(
    synthetic: Faceset, originals: Faceset, config: EvaluationConfig, selected: Faceset | None = None
) -> dict[str, Any]:
    """How many synthetic faces are the source, somebody else, or no face.

    Args:
        synthetic: the sample as it came from the generator.
        originals: filmed crops of the source, judged in the same way.
        config: the tolerance.
        selected: the faces chosen from the sample, if any were, to stand beside it.

    Returns:
        `identity_figures`, with `curve` (`threshold_curve`), `rows` (`odd_rows`) and `selected` (the same keys for the
        selected faces, or None).
    """
    theirs = originals.column("embedding")
    ours = synthetic.column("embedding")
    figures = _identity(compare(ours, theirs), config.tolerance)
    chosen = None if selected is None else _identity(compare(selected.column("embedding"), theirs), config.tolerance)
    return figures | {"selected": chosen} | _reason(_lack(ours, theirs))


def distance_scores(synthetic: Faceset, originals: Faceset) -> dict[str, Any]:
    """Mean and variance of the distances of all pairs within each set, by face_recognition's network."""
    figures = {"synthetic": pair_figures(synthetic.column("embedding"))}
    figures["originals"] = pair_figures(originals.column("embedding"))
    return figures | _reason(_short(figures))


def openface_scores(synthetic: Faceset, originals: Faceset, config: OpenFaceConfig) -> dict[str, Any]:
    """Mean and variance of the distances of all pairs within each set, by OpenFace's network as in the paper.

    The paper's figures are the squared ones. The network's input is cut out of the crops by the landmarks that the
    facesets hold, so that small crops are enlarged.

    Returns:
        `synthetic` and `originals` as `pair_figures`; `weights_sha256`, `published_md5`, `input`.
    """
    figures: dict[str, Any] = {"synthetic": pair_figures(np.empty((0, 128)))}
    figures |= {"originals": figures["synthetic"], "weights_sha256": None, "published_md5": OPENFACE.checksum}
    try:
        path = find_openface(config)
        network = load_openface(path)
    except MissingWeights as error:
        logger.warning("%s The other figures are measured all the same.", error)
        return figures | _reason(str(error))
    figures["weights_sha256"] = checksum(path, "sha256")
    for faces, name in ((synthetic, "synthetic"), (originals, "originals")):
        figures[name] = pair_figures(_openface(network, faces, config, name))
    return figures | _reason(_short(figures))


def frechet_scores(synthetic: Faceset, originals: Faceset, config: EvaluationConfig, seed: int) -> dict[str, Any]:
    """Fréchet and kernel distance, precision and recall of the 128-d embeddings, each beside its floor or ceiling.

    Returns:
        `compare_sets` of the Fréchet distance, `ratio` to its floor, `infinity` and `infinity_error` (`extrapolate`),
        `kernel` (`compare_sets`) and `precision_recall` (`precision_figures`).
    """
    ours, theirs = synthetic.column("embedding"), originals.column("embedding")
    clips = originals.column("clip")[has_face(theirs)]
    ours, theirs = ours[has_face(ours)], theirs[has_face(theirs)]
    figures: dict[str, Any] = compare_sets(ours, theirs, clips, frechet_distance, config.repeats, seed)
    floor = figures["floor"]
    figures["ratio"] = figures["distance"] / floor if floor and figures["distance"] is not None else None
    figures |= extrapolate(ours, theirs, seed)
    figures["kernel"] = compare_sets(ours, theirs, clips, kernel_distance, config.repeats, seed)
    figures["precision_recall"] = precision_figures(ours, theirs, clips, seed)
    few = figures["distance"] is None
    return figures | _reason(
        f"Two synthetic and four filmed faces are needed; {len(ours)} and {len(theirs)} were found." if few else None
    )


def inception_scores(synthetic: Faceset, originals: Faceset, config: EvaluationConfig, seed: int) -> dict[str, Any]:
    """Inception Score, FID, KID, precision and recall; when the network's file cannot be had, only `missing`."""
    asked = config.inception
    try:
        path = find_inception(asked)
        network = load_inception(path, asked.antialias)
    except MissingWeights as error:
        logger.warning("%s The other figures are measured all the same.", error)
        return _no_inception(asked) | _reason(str(error))
    features = []
    rows = [faces.sample(asked.max_images) for faces in (synthetic, originals)]
    for faces, chosen, name in zip((synthetic, originals), rows, ("synthetic", "filmed"), strict=True):
        images = crop_batches(faces, chosen)
        features.append(extract(network, images, len(chosen), asked.batch, f"Inception of {name} faces"))
    clips = originals.column("clip")[rows[1]]
    hashed = checksum(path, "sha256")
    figures = inception_figures(features[0], features[1], clips, asked, config.repeats, seed, hashed)
    return figures | _reason("Two images of each kind are needed." if figures["fid"] is None else None)


def _identity(compared: Comparison, tolerance: float) -> dict[str, Any]:
    figures = identity_figures(compared, tolerance)
    return figures | {"curve": threshold_curve(compared), "rows": odd_rows(compared, tolerance)}


def _openface(network: OpenFace, faces: Faceset, config: OpenFaceConfig, name: str) -> np.ndarray:
    """Unit vectors of up to `max_images` faces, (N, 128); NaN where there is no face."""
    rows = faces.sample(config.max_images) if len(faces) else np.empty(0, np.int64)
    landmarks = faces.landmarks()[rows]
    parts, start = [np.empty((0, 128), np.float32)], 0
    with meter(f"OpenFace of {name} faces", len(rows)) as shown:
        for crops in crop_batches(faces, rows):
            parts.append(embed_crops(network, crops, landmarks[start : start + len(crops)], config.batch))
            start += len(crops)
            shown.step(len(crops))
    return np.concatenate(parts)


def _no_inception(config: InceptionConfig) -> dict[str, Any]:
    """The same keys as a measurement has, without figures."""
    nothing = Features(torch.empty(0, 2048), torch.empty(0, 1008))
    return inception_figures(nothing, nothing, np.empty(0, str), config, 2, 0)


def _short(figures: dict[str, Any]) -> str | None:
    short = [name for name in ("synthetic", "originals") if figures[name]["l2_mean"] is None]
    return f"Fewer than two faces were found among the {' and the '.join(short)}." if short else None


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
