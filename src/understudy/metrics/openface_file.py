"""The official file of the OpenFace network."""

from pathlib import Path

from understudy.metrics.config import OpenFaceConfig
from understudy.metrics.openface import OpenFace
from understudy.metrics.weights_file import MissingWeights, Official, checksum, find_file, load_into, place

OPENFACE = Official(
    title="OpenFace",
    name="nn4.small2.v1.pt",
    url="https://storage.cmusatyalab.org/openface-models/nn4.small2.v1.pt",
    megabytes=15.0,
    algorithm="md5",  # no other checksum is published
    checksum="8de23b5e35e49df171175d28847c67c4",
    parameters="evaluation.openface",
)


def load_openface(path: Path) -> OpenFace:
    """Build the network from the checked file.

    Raises:
        MissingWeights: the file does not hold this network.
    """
    return load_into(OpenFace(), OPENFACE, path)


def find_openface(config: OpenFaceConfig) -> Path:
    """The checked file, fetched if `config` allows it.

    Raises:
        MissingWeights: it is absent and could not be fetched, is not the official one, or the measure is switched off.
    """
    if not config.enabled:
        raise MissingWeights("Switched off: set evaluation.openface.enabled to true.")
    return find_file(OPENFACE, config.weights, config.download)


def openface_state(config: OpenFaceConfig) -> str | None:
    """Checksum of the file that is where it should be; None where there is none or the network is switched off."""
    path = place(OPENFACE, config.weights)
    return checksum(path, OPENFACE.algorithm) if config.enabled and path.is_file() else None


def openface_at_hand(config: OpenFaceConfig) -> OpenFace | None:
    """The network, if its file is there and right; nothing is fetched. What is wrong, `find_openface` tells."""
    if openface_state(config) != OPENFACE.checksum:
        return None
    return load_openface(place(OPENFACE, config.weights))
