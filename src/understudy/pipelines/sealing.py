"""What the nodes need to have their videos and pictures marked and signed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from understudy.config import parse
from understudy.datasets.picture import SealedPicture
from understudy.provenance.config import ProvenanceConfig
from understudy.provenance.origin import Origin, describe
from understudy.provenance.seal import Seal
from understudy.weights import Weights, digest

Parameters = Mapping[str, Any]


def seal_of(weights: Weights, consents: Mapping[str, Any], parameters: Parameters) -> Seal:
    """The seal of what these weights make, for the people whose consent records are given."""
    config = parse(ProvenanceConfig, parameters, "provenance")
    return Seal(describe(digest(weights), consents, config), config)


def seal_from(origin: Mapping[str, Any], parameters: Parameters) -> Seal:
    """The seal of an origin as read from the catalog."""
    return Seal(parse(Origin, origin, "swap_origin"), parse(ProvenanceConfig, parameters, "provenance"))


def seal_picture(seal: Seal, rgb: np.ndarray, name: str, labelled: bool = False) -> SealedPicture:
    """A picture for the catalog, marked, and signed when it is written; see `Seal.picture`."""
    return SealedPicture(*seal.picture(rgb, name, labelled))
