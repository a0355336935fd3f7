"""Two or more runs beside each other: every figure that they share as a dot plot, and the parameters that differ."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from understudy.errors import UserError
from understudy.files import fingerprint
from understudy.metrics.figures import BETTER, FIGURES, Figure
from understudy.metrics.page import environment
from understudy.metrics.svg import STYLE, WIDTH, Mark, dots

COLUMNS = 3
GAP = 24
COLOURS = (
    "svg{--page:#fff;--ink:#1d2127;--soft:#5b636d;--line:#e2dfd8;--card:#fff;--matched:#14807a;--other:#d08a2e;--filmed:#8a939d;"
    "--mark:#b3402e}"
)


@dataclass(frozen=True)
class RunFigures:
    """What is known of one run.

    Args:
        key: tells it from others.
        name: how it is shown.
        short: a short name for files.
        figures: flat numbers under the keys of the report.
        parameters: flat, as text; empty when they are not known.
        facts: further lines about it, such as when it started.
    """

    key: str
    name: str
    short: str
    figures: dict[str, float]
    parameters: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


def comparable(runs: Sequence[RunFigures]) -> list[Figure]:
    """The figures that at least two of the runs hold.

    Raises:
        UserError: a run holds no figure of an evaluation, or no figure is shared.
    """
    for run in runs:
        if not any(figure.key in run.figures for figure in FIGURES):
            raise UserError(
                f"The run '{run.name}' holds no figures of an evaluation: run `kedro run --pipelines evaluation` "
                "and name that run."
            )
    shared = [figure for figure in FIGURES if sum(figure.key in run.figures for run in runs) >= 2]
    if not shared:
        raise UserError("The runs have no figure in common: run the same measures in both.")
    return shared


def differing(runs: Sequence[RunFigures]) -> list[tuple[str, list[str]]]:
    """Parameters that are not the same in all runs whose parameters are known, by name; absent ones are empty."""
    names = sorted({name for run in runs for name in run.parameters})
    rows = [(name, [run.parameters.get(name, "") for run in runs]) for name in names]
    known = [bool(run.parameters) for run in runs]
    return [
        (name, values)
        for name, values in rows
        if len({value for value, told in zip(values, known, strict=True) if told}) > 1
    ]


def panels(runs: Sequence[RunFigures]) -> list[dict[str, Any]]:
    """One dot plot a figure, with its title, meaning and direction."""
    names = _names(runs)
    return [
        {
            "title": figure.name,
            "note": f"{figure.meaning} {BETTER[figure.better].capitalize()}.",
            "plot": _plot(figure, runs, names, ""),
        }
        for figure in comparable(runs)
    ]


def render(runs: Sequence[RunFigures]) -> str:
    """The comparison as one self-contained HTML page."""
    facts = [name for name in ("run", "file", "status", "started", "commit", "environment")
             if any(run.facts.get(name) for run in runs)]  # fmt: skip
    shown = [figure.key for figure in comparable(runs)]
    rest = {key for run in runs for key in run.figures if not key.startswith("seconds.")}
    return environment().get_template("compare.html.j2").render(
        names=_names(runs),
        facts=[(name, [run.facts.get(name, "") for run in runs]) for name in facts],
        panels=panels(runs),
        parameters=differing(runs),
        unknown=[run.name for run in runs if not run.parameters],
        figures=[(key, [_plain(run.figures.get(key)) for run in runs]) for key in [*shown, *sorted(rest - {*shown})]],
    )  # fmt: skip


def draw(runs: Sequence[RunFigures]) -> str:
    """The same dot plots as one SVG picture on white."""
    names = _names(runs)
    return sheet([_plot(figure, runs, names, figure.name) for figure in comparable(runs)])


def sheet(plots: Sequence[Markup]) -> str:
    """Plots beside each other as one SVG picture on white."""
    tall = max(_height(plot) for plot in plots) + GAP
    columns = min(COLUMNS, len(plots))
    width, height = columns * (WIDTH + GAP) + GAP, -(-len(plots) // columns) * tall + GAP
    placed = Markup("").join(
        Markup('<g transform="translate({},{})">{}</g>').format(
            GAP + place % columns * (WIDTH + GAP), GAP + place // columns * tall, _sized(plot)
        )
        for place, plot in enumerate(plots)
    )
    frame = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}">'
        '<style>{2}{3}</style><rect width="100%" height="100%" fill="#fff"/>{4}</svg>\n'
    )
    return str(frame.format(width, height, Markup(COLOURS), STYLE, placed))


def file_name(runs: Sequence[RunFigures]) -> str:
    """A file's name without suffix, made of the runs' short names."""
    name = "_".join(run.short for run in runs)
    return name if len(name) <= 100 else fingerprint([run.key for run in runs])


def _plot(figure: Figure, runs: Sequence[RunFigures], names: list[str], title: str) -> Markup:
    rows = [figure.dot(name, run.figures) for name, run in zip(names, runs, strict=True)]
    mark = None if figure.paper is None else Mark(figure.paper, f"the paper {figure.text(figure.paper)}")
    return dots(title, rows, mark, figure.scale)


def _names(runs: Sequence[RunFigures]) -> list[str]:
    """Names that tell the runs apart."""
    names = [run.name for run in runs]
    return [name if names.count(name) == 1 else f"{name} ({run.short})" for name, run in zip(names, runs, strict=True)]


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _height(plot: Markup) -> int:
    return int(str(plot).split('viewBox="0 0 ')[1].split('"')[0].split()[1])


def _sized(plot: Markup) -> Markup:
    """With its size in numbers: inside another picture it would else fill it."""
    return Markup(str(plot).replace("<svg ", f'<svg width="{WIDTH}" height="{_height(plot)}" ', 1))
