"""The clips of one person, found in a folder."""

from dataclasses import dataclass
from pathlib import Path

from understudy.errors import UserError

SUFFIXES = frozenset(".mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ts .mts .m2ts .wmv .flv .ogv .3gp .vob .mxf".split())
"""What counts as a clip; whether it can be read is found out by `understudy.video.probe`."""


@dataclass(frozen=True)
class Footage:
    """All clips of one person, in the order of their file names."""

    name: str
    folder: Path
    clips: tuple[Path, ...]


def find_footage(folder: Path) -> Footage:
    """List the clips in a person's folder; the person is named by the folder.

    Raises:
        UserError: the folder is missing, or holds no clip.
    """
    if not folder.is_dir():
        raise UserError(
            f"The folder {folder} does not exist: make it and put the clips of '{folder.name}' and a consent.yml "
            f"into it, or choose {_people(folder.parent)}."
        )
    clips = tuple(
        sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
        )
    )
    if not clips:
        raise UserError(
            f"The folder {folder} holds no video: put at least one clip of '{folder.name}' into it "
            f"({', '.join(sorted(SUFFIXES))})."
        )
    return Footage(folder.name, folder, clips)


def _people(parent: Path) -> str:
    """Name the folders that could have been meant."""
    folders = parent.iterdir() if parent.is_dir() else ()
    people = sorted(path.name for path in folders if path.is_dir() and not path.name.startswith("."))
    return f"one of the people that exist ({', '.join(people)})" if people else "a person (none exists yet)"
