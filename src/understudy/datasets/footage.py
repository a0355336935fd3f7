"""Kedro dataset of one person's footage: lists the clips; saves demo footage that was made on this machine."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from understudy.errors import UserError
from understudy.files import atomic_folder, fingerprint, write_json
from understudy.video.footage import Footage, find_footage

MARK = "demo.json"
"""Marks a folder as demo footage, which may be replaced; it names the recipe."""


@dataclass(frozen=True)
class FootagePlan:
    """What a node returns to have footage made: `make(folder)` fills a new folder, `recipe` says what with."""

    recipe: dict[str, Any]
    make: Callable[[Path], None]


class FootageDataset(AbstractDataset[FootagePlan, Footage]):
    """The folder of one person's clips.

    Args:
        filepath: the folder, named after the person.
        metadata: for Kedro-Viz and other plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Footage:
        """List the clips; raise UserError when the folder is missing or empty."""
        return find_footage(self._filepath)

    def save(self, data: FootagePlan) -> None:
        """Make the footage in a temporary folder and put it in place whole.

        Nothing is done when the same recipe has been made already. Footage that is not marked as demo footage is
        never touched.

        Raises:
            UserError: the folder holds somebody's own footage.
        """
        folder = self._filepath
        recipe = fingerprint(data.recipe)
        if folder.is_dir() and any(folder.iterdir()):
            made = _made_recipe(folder)
            if made is None:
                raise UserError(
                    f"The folder {folder} holds footage that is not demo footage and is kept: move it away, or choose "
                    "another source or target."
                )
            if made == recipe:
                return
        with atomic_folder(folder) as temporary:
            data.make(temporary)
            write_json(temporary / MARK, {"fingerprint": recipe, "recipe": data.recipe})

    def _exists(self) -> bool:
        return self._filepath.is_dir() and any(self._filepath.iterdir())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


def _made_recipe(folder: Path) -> str | None:
    """The fingerprint of the recipe that a demo folder was made with; None if it is not demo footage."""
    mark = folder / MARK
    if not mark.is_file():
        return None
    try:
        return str(json.loads(mark.read_text(encoding="utf-8"))["fingerprint"])
    except (ValueError, KeyError):
        raise UserError(f"The file {mark} is damaged: remove the folder {folder} and start again.") from None
