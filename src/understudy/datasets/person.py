"""Kedro dataset of who is wanted: found out once, and again when the footage or the reference picture has changed."""

import logging
from pathlib import Path

from understudy.datasets.measure import Measure, MeasureDataset
from understudy.files import write_json

logger = logging.getLogger(__name__)


class PersonDataset(MeasureDataset):
    """The person wanted as JSON; see `understudy.faces.person`. Unlike a measure, it cannot be done without.

    Args:
        filepath: the file.
        metadata: for Kedro-Viz and other plugins.
    """

    def save(self, data: Measure) -> None:
        """Find out, unless it is known; raise what goes wrong."""
        if self._exists() and self._read().get("key") == data.key:
            logger.info("Kept '%s': footage and reference picture are the same.", self._filepath.name)
            return
        write_json(Path(self._filepath), {"key": data.key} | data.make())
