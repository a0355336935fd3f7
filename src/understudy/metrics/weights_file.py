"""Finding, fetching and checking the official weights files of others' networks."""

import hashlib
import logging
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import torch
from torch import nn

from understudy.errors import UserError
from understudy.files import atomic_path, require_space
from understudy.progress import meter

PAGE = 1 << 18
TIMEOUT = 15.0
"""Seconds without an answer after which a download counts as failed."""

Network = TypeVar("Network", bound=nn.Module)

logger = logging.getLogger(__name__)


class MissingWeights(UserError):
    """The file is not there or is not the official one. One sentence with file, URL and place."""


@dataclass(frozen=True)
class Official:
    """An official file.

    Args:
        title: the network's name.
        name: the file's.
        url: where it is published.
        megabytes: about how large it is.
        algorithm: of the published checksum.
        checksum: in hex.
        parameters: the parameters that say where to look for it and whether to fetch it.
    """

    title: str
    name: str
    url: str
    megabytes: float
    algorithm: Literal["sha256", "md5"]
    checksum: str
    parameters: str


def home() -> Path:
    """Where torch keeps downloaded weights: `$TORCH_HOME/hub/checkpoints`, by default in `~/.cache/torch`."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def place(official: Official, weights: str | None) -> Path:
    """Where the file should be: at `weights`, or in torch's home."""
    return Path(weights).expanduser() if weights else home() / official.name


def find_file(official: Official, weights: str | None, download: bool) -> Path:
    """The checked file: at `weights`, or in torch's home, or fetched to there when `download` allows it.

    A file that is not the official one is named and left as it is.

    Raises:
        MissingWeights: it is absent and could not be fetched, or its checksum differs.
    """
    path = place(official, weights)
    if not path.is_file():
        if weights:
            raise MissingWeights(
                f"The {official.title} file {path} does not exist: put {official.url} there or empty "
                f"{official.parameters}.weights."
            )
        if not download:
            raise MissingWeights(
                f"The {official.title} file {official.name} is not there: download {official.url} to {path}, "
                f"or set {official.parameters}.download to true."
            )
        _download(official, path)
    if checksum(path, official.algorithm) != official.checksum:
        raise MissingWeights(
            f"{path} is not the official {official.title} file ({official.algorithm.upper()} differs): "
            f"fetch {official.url} again to {path}."
        )
    return path


def load_into(network: Network, official: Official, path: Path) -> Network:
    """Fill `network` from the checked file, without its pickled code. Counts of training batches may be missing.

    Raises:
        MissingWeights: the file does not hold this network.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        result = network.load_state_dict(state, strict=False)
    except Exception as error:  # torch has no common ancestor for what a wrong file makes it raise
        cause = str(error).strip().splitlines()[-1].strip()
        raise MissingWeights(
            f"{path} does not hold the {official.title} network ({cause}): fetch {official.url} again to {path}."
        ) from error
    lacking = [key for key in result.missing_keys if not key.endswith("num_batches_tracked")]
    if lacking or result.unexpected_keys:
        odd = (lacking + list(result.unexpected_keys))[0]
        raise MissingWeights(
            f"{path} does not hold the {official.title} network (entry {odd}): fetch {official.url} again to {path}."
        )
    return network


def checksum(path: Path, algorithm: str) -> str:
    """Checksum of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _download(official: Official, path: Path) -> None:
    """Fetch the official file to `path`, whole or not at all."""
    logger.info("Downloading %s to %s", official.url, path)
    request = urllib.request.Request(official.url, headers={"User-Agent": "understudy"})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        require_space(path.parent, round(2e6 * official.megabytes))
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer, atomic_path(path) as temporary:
            size = float(answer.headers.get("Content-Length") or official.megabytes * 1e6)
            with temporary.open("wb") as file, meter(f"Downloading {official.title}, MB", size / 1e6) as shown:
                while block := answer.read(PAGE):
                    file.write(block)
                    shown.step(len(block) / 1e6)
            if checksum(temporary, official.algorithm) != official.checksum:
                raise MissingWeights(
                    f"What {official.url} sent is not the official {official.title} file: copy it to {path} yourself."
                )
    except OSError as error:  # no network, no such host, refused, timed out, no right to write
        reason = getattr(error, "reason", error)
        raise MissingWeights(
            f"The {official.title} file could not be downloaded ({reason}): "
            f"download {official.url} on another machine to {path}."
        ) from error
