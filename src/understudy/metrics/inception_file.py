"""Finding, fetching and checking the official file of the Inception network."""

import logging
import os
import urllib.request
from pathlib import Path

import torch

from understudy.errors import UserError
from understudy.files import atomic_path, require_space, sha256
from understudy.metrics.config import InceptionConfig
from understudy.metrics.inception import InceptionV3
from understudy.progress import meter

NAME = "weights-inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{NAME}"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
BYTES = 95_628_359
PAGE = 1 << 18
TIMEOUT = 15.0
"""Seconds without an answer after which a download counts as failed."""

logger = logging.getLogger(__name__)


class MissingWeights(UserError):
    """The file is not there or is not the official one. One sentence with file, URL and place."""


def home() -> Path:
    """Where torch keeps downloaded weights: `$TORCH_HOME/hub/checkpoints`, by default in `~/.cache/torch`."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def find_file(config: InceptionConfig) -> Path:
    """The checked weights file, fetched if `config` allows it.

    Raises:
        MissingWeights: it is absent and could not be fetched, or its SHA-256 differs.
    """
    path = Path(config.weights).expanduser() if config.weights else home() / NAME
    if not path.is_file():
        if config.weights:
            raise MissingWeights(
                f"The Inception file {path} does not exist: put {URL} there or empty evaluation.inception.weights."
            )
        if not config.download:
            raise MissingWeights(
                f"The Inception file {NAME} is not there: download {URL} to {path}, "
                "or set evaluation.inception.download to true."
            )
        _download(path)
    if sha256(path) != SHA256:
        raise MissingWeights(
            f"{path} is not the official Inception file (SHA-256 differs): fetch {URL} again to {path}."
        )
    return path


def load_inception(path: Path, antialias: bool = True) -> InceptionV3:
    """Build the network from the checked file. Entries that count training batches may be there or not.

    Raises:
        MissingWeights: the file does not hold this network.
    """
    network = InceptionV3(antialias)
    state = torch.load(path, map_location="cpu", weights_only=True)
    result = network.load_state_dict(state, strict=False)
    lacking = [key for key in result.missing_keys if not key.endswith("num_batches_tracked")]
    if lacking or result.unexpected_keys:
        odd = (lacking + list(result.unexpected_keys))[0]
        raise MissingWeights(f"{path} does not hold the Inception network (entry {odd}): fetch {URL} again to {path}.")
    return network


def _download(path: Path) -> None:
    """Fetch the official file to `path`, whole or not at all."""
    logger.info("Downloading %s to %s", URL, path)
    request = urllib.request.Request(URL, headers={"User-Agent": "understudy"})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        require_space(path.parent, 2 * BYTES)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer, atomic_path(path) as temporary:
            with temporary.open("wb") as file, meter("Downloading Inception, MB", BYTES / 1e6) as shown:
                while block := answer.read(PAGE):
                    file.write(block)
                    shown.step(len(block) / 1e6)
            if os.path.getsize(temporary) != BYTES or sha256(temporary) != SHA256:
                raise MissingWeights(f"What {URL} sent is not the official Inception file: copy it to {path} yourself.")
    except OSError as error:  # no network, no such host, refused, timed out, no right to write
        reason = getattr(error, "reason", error)
        raise MissingWeights(
            f"The Inception file could not be downloaded ({reason}): download {URL} on another machine to {path}."
        ) from error
