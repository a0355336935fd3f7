"""The official file of the Inception network."""

from pathlib import Path

from understudy.metrics.config import InceptionConfig
from understudy.metrics.inception import InceptionV3
from understudy.metrics.weights_file import MissingWeights, Official, find_file, load_into

NAME = "weights-inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{NAME}"

INCEPTION = Official(
    title="Inception",
    name=NAME,
    url=URL,
    megabytes=95.63,
    algorithm="sha256",
    checksum="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    parameters="evaluation.inception",
)


def load_inception(path: Path, antialias: bool = True) -> InceptionV3:
    """Build the network from the checked file.

    Raises:
        MissingWeights: the file does not hold this network.
    """
    return load_into(InceptionV3(antialias), INCEPTION, path)


def find_inception(config: InceptionConfig) -> Path:
    """The checked file, fetched if `config` allows it.

    Raises:
        MissingWeights: it is absent and could not be fetched, is not the official one, or the measure is switched off.
    """
    if not config.enabled:
        raise MissingWeights("Switched off: set evaluation.inception.enabled to true.")
    return find_file(INCEPTION, config.weights, config.download)
