"""The paper's question, answered by measurement: how good is a swap by how many faces taught it, and of which kind?"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from understudy.errors import UserError
from understudy.flatten import flat_numbers
from understudy.metrics.compare import RunFigures, sheet
from understudy.metrics.figures import BETTER, SWAP, Figure
from understudy.metrics.page import environment
from understudy.metrics.svg import Points, curves

QUALITY, SUMMARY = "swap_quality.json", "swap_summary.json"
BESIDE = ("swap_reconstruction.json", "swap_detectability.json")
"""Further figures, used where they are."""

KINDS = {"synthetic": "ours", "real": "filmed", "mix": "other"}
"""Which faces taught a swap, and the colour of their line."""

HEADLINES = (
    "swap_quality.nearer_to_source",
    "swap_quality.distance_to_source_mean",
    "swap_quality.margin",
    "swap_quality.mouth.correlation",
    "swap_quality.pose.centred",
    "swap_quality.flicker.landmarks",
    "swap_reconstruction.ssim",
)
"""Columns of the table; the plots show every figure that there is."""


@dataclass(frozen=True)
class Swap:
    """One measured swap.

    Args:
        name: how it is shown, its folder's path below the one that was searched.
        kind: which faces taught it, a key of `KINDS`.
        count: how many faces of the source.
        figures: flat numbers under the keys of `figures.SWAP`.
    """

    name: str
    kind: str
    count: int
    figures: dict[str, float]


def find_swaps(folders: Sequence[Path]) -> list[Swap]:
    """All swaps that were measured below the given folders, by kind and number of faces.

    Raises:
        UserError: there are fewer than two, or a file is not as expected.
    """
    found = {path.resolve(): folder for folder in folders for path in sorted(folder.rglob(QUALITY))}
    if len(found) < 2:
        where = ", ".join(map(str, folders))
        raise UserError(
            f"A study needs two measured swaps or more and {len(found)} were found below {where}: run "
            "`kedro run --pipelines deepfake` with several values of deepfake.count, each with its own variant."
        )
    swaps = [_read(path.parent, folder) for path, folder in found.items()]
    return sorted(swaps, key=lambda one: (list(KINDS).index(one.kind), one.count, one.name))


def read_swap(path: Path) -> RunFigures:
    """The figures beside a `swap_quality.json`, for the comparison of runs.

    Raises:
        UserError: the file is not there or not such a file.
    """
    folder = path.parent
    name = "/".join(folder.resolve().parts[-2:])
    return RunFigures(str(path.resolve()), name, folder.resolve().name, _figures(folder), {}, {"file": str(path)})


def render(swaps: Sequence[Swap]) -> str:
    """The study as one self-contained HTML page."""
    columns = [figure for figure in SWAP if figure.key in HEADLINES and any(figure.key in one.figures for one in swaps)]
    return environment().get_template("study.html.j2").render(
        swaps=swaps,
        kinds=[(kind, KINDS[kind]) for kind in KINDS if any(one.kind == kind for one in swaps)],
        columns=[figure.name.removeprefix("Swap: ").capitalize() for figure in columns],
        rows=[(one, [figure.text(one.figures.get(figure.key)) for figure in columns]) for one in swaps],
        panels=[
            {
                "title": figure.name.removeprefix("Swap: ").capitalize(),
                "note": f"{figure.meaning} {BETTER[figure.better].capitalize()}.",
                "plot": curves("", _points(figure, swaps), "faces of the source", figure.scale),
            }
            for figure in _known(swaps)
        ],
    )  # fmt: skip


def draw(swaps: Sequence[Swap]) -> str:
    """The same plots as one SVG picture on white."""
    names = [figure.name.removeprefix("Swap: ").capitalize() for figure in _known(swaps)]
    return sheet(
        [
            curves(name, _points(figure, swaps, named=True), "faces", figure.scale)
            for name, figure in zip(names, _known(swaps), strict=True)
        ]
    )


def _known(swaps: Sequence[Swap]) -> list[Figure]:
    """The figures that at least two of the swaps hold."""
    return [figure for figure in SWAP if sum(figure.key in one.figures for one in swaps) >= 2]


def _points(figure: Figure, swaps: Sequence[Swap], named: bool = False) -> list[Points]:
    """A line a kind of faces; where several swaps were taught by as many faces, their mean."""
    series = []
    for kind, colour in KINDS.items():
        by_count: dict[int, list[float]] = {}
        for one in swaps:
            if one.kind == kind and figure.key in one.figures:
                by_count.setdefault(one.count, []).append(one.figures[figure.key])
        if by_count:
            counts = sorted(by_count)
            means = [float(np.mean(by_count[count])) for count in counts]
            series.append(Points(colour, counts, means, kind if named else ""))
    return series


def _read(folder: Path, below: Path) -> Swap:
    summary = _json(folder / SUMMARY)
    kind, count = summary.get("faces"), summary.get("source_faces")
    if kind not in KINDS or not isinstance(count, int):
        raise UserError(f"{folder / SUMMARY} does not say which faces taught the swap and how many: train it again.")
    name = str(folder.relative_to(below.resolve()))
    return Swap(folder.name if name == "." else name, kind, count, _figures(folder))


def _figures(folder: Path) -> dict[str, float]:
    """Flat numbers of the files in a folder, under the files' names."""
    paths = [folder / QUALITY, *(folder / name for name in BESIDE if (folder / name).is_file())]
    return dict(flat_numbers({path.stem: _json(path) for path in paths}))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: name folders of measured swaps.") from None
    except ValueError:
        raise UserError(f"{path} is no JSON file: delete it and run deepfake again.") from None
    if not isinstance(found, dict):
        raise UserError(f"{path} holds no figures: delete it and run deepfake again.")
    return found
