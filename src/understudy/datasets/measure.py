"""Kedro dataset of one measure's figures: a plan is saved, and computed only when what it depends on has changed."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.files import fingerprint, write_json

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Measure:
    """What a node returns to have figures made.

    Args:
        key: names all that the figures depend on; see `measure`.
        make: returns the figures, plain values under stable keys. `missing` says in one sentence what could not be
            measured and why, None where everything could.
    """

    key: str
    make: Callable[[], dict[str, Any]]


def measure(
    name: str, version: int, facesets: Sequence[Faceset], settings: Sequence[Any], make: Callable[[], dict[str, Any]]
) -> Measure:
    """A measure with the key of its inputs.

    Args:
        name: the measure.
        version: of its code; raised whenever the same inputs give other figures.
        facesets: what it looks at; their shards' checksums enter the key.
        settings: the parameters that matter to it and the seed, plain values or frozen configurations.
        make: as in `Measure`.
    """
    content = [[shard.sha256 for shard in faces.shards] for faces in facesets]
    return Measure(fingerprint(name, version, content, list(settings)), make)


class MeasureDataset(AbstractDataset[Measure, dict[str, Any]]):
    """One measure's figures as JSON.

    Figures on disk under the same key are kept, unless they say that something was missing: a file or a network may
    have come since. A user's mistake becomes the reason why the measure is missing, so that the others still run.
    Figures that were never made load as missing too, with the command that makes them.

    Args:
        filepath: the file; its stem is the measure's name and tag.
        metadata: for Kedro-Viz and other plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def load(self) -> dict[str, Any]:
        """The figures."""
        if not self._exists():
            name = self._filepath.stem
            return {"missing": f"Not measured yet: run `kedro run --pipelines evaluation --tags {name}` first."}
        return {name: value for name, value in self._read().items() if name != "key"}

    def save(self, data: Measure) -> None:
        """Make the figures, unless they are there."""
        name = self._filepath.stem
        if self._exists():
            found = self._read()
            if found.get("key") == data.key and not lacks(found):
                logger.info("Kept the measure '%s': what it depends on has not changed.", name)
                return
        try:
            figures = data.make()
        except UserError as error:
            logger.warning("The measure '%s' is missing: %s", name, error)
            figures = {"missing": str(error)}
        write_json(Path(self._filepath), {"key": data.key} | figures)

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(Path(self._filepath).read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise UserError(
                f"The figures {self._filepath} are damaged ({error}): delete the file and run again."
            ) from None
        if not isinstance(found, dict):
            raise UserError(f"The figures {self._filepath} are damaged (no mapping): delete the file and run again.")
        return found

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def lacks(figures: Any) -> bool:
    """Whether anything in nested figures says that it is missing."""
    if isinstance(figures, Mapping):
        return bool(figures.get("missing")) or any(lacks(value) for value in figures.values())
    return False
