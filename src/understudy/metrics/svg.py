"""Small plots as SVG text: they take the page's colours, scale without blur, print, and need no script.

Every plot is WIDTH units wide and drawn for about that many pixels, so that it reads alike beside others on a wide
screen and alone on a telephone. What colour a series has is the business of the page's style: `ours`, `filmed`, `mark`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

WIDTH = 360
LEFT, RIGHT, TOP, BOTTOM = 42, 12, 22, 36
ROW = 34
"""Height of one row of a dot plot."""

STYLE = Markup(
    ".plot text{font-family:system-ui,sans-serif;font-size:11px;fill:var(--soft)}"
    ".plot text.name,.plot text.value{paint-order:stroke;stroke:var(--page);stroke-width:3px}"
    ".plot text.name{fill:var(--ink)}.plot text.value{fill:var(--ink);font-variant-numeric:tabular-nums}"
    ".plot text.title{fill:var(--ink);font-size:13px;font-weight:600}"
    ".plot .grid{stroke:var(--line);stroke-width:1}.plot .axis{stroke:var(--soft);stroke-width:1}"
    ".plot .mark{stroke:var(--mark);stroke-width:1.5;stroke-dasharray:4 3}.plot text.mark{fill:var(--mark);stroke:none}"
    ".plot .column.ours{fill:var(--matched);fill-opacity:.6}.plot .column.filmed{fill:var(--filmed);fill-opacity:.5}"
    ".plot .line{fill:none;stroke-width:2}.plot .line.ours{stroke:var(--matched)}"
    ".plot .line.filmed{stroke:var(--filmed)}.plot .line.other{stroke:var(--other)}"
    ".plot .dot{fill:var(--matched)}.plot .dot.filmed{fill:var(--filmed)}.plot .dot.other{fill:var(--other)}"
    ".plot .error{stroke:var(--matched);stroke-width:2;stroke-opacity:.55}.plot .error.filmed{stroke:var(--filmed)}"
    ".plot .reference{fill:var(--card);stroke:var(--filmed);stroke-width:1.8}"
)


@dataclass(frozen=True)
class Series:
    """A curve or a set of bars.

    Args:
        kind: `ours`, `filmed` or `other`: its colour.
        values: heights over the common x.
    """

    kind: str
    values: Sequence[float]


@dataclass(frozen=True)
class Points:
    """A curve through measured points.

    Args:
        kind: `ours`, `filmed` or `other`: its colour.
        x: places.
        y: values there.
        name: stands at its end; empty for none.
    """

    kind: str
    x: Sequence[float]
    y: Sequence[float]
    name: str = ""


@dataclass(frozen=True)
class Mark:
    """A dashed line with a word: `at` on the x axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    """One row of a dot plot.

    Args:
        name: stands at the left above the dot.
        text: the value in words, at the right.
        value: None where it was not measured.
        low: lower end of the error bar.
        high: upper end.
        reference: a hollow dot in the same row.
        kind: `ours` or `filmed`.
    """

    name: str
    text: str
    value: float | None
    low: float | None = None
    high: float | None = None
    reference: float | None = None
    kind: str = "ours"


def bars(edges: Sequence[float], series: Sequence[Series], label: str, mark: Mark | None = None) -> Markup:
    """Overlaid histograms over common `edges` (B + 1); the height has no scale, each set sums to one."""
    highest = max([float(value) for one in series for value in one.values] + [1e-12])
    frame = _Frame(edges[0], edges[-1], 0, highest * 1.04, left=RIGHT)
    drawn = [
        Markup('<rect class="column {}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
            one.kind,
            frame.x(left),
            frame.y(value),
            max(frame.x(right) - frame.x(left) - 0.4, 0.3),
            frame.y(0) - frame.y(value),
        )
        for one in series
        for left, right, value in zip(edges[:-1], edges[1:], one.values, strict=True)
        if value > 0
    ]
    return frame.plot(Markup("").join(drawn) + frame.mark(mark), label)


def lines(
    x: Sequence[float], series: Sequence[Series], label: str, mark: Mark | None = None, shares: bool = True
) -> Markup:
    """Curves over common `x`: of shares, 0 to 100 %, or of anything, over the range that is shown."""
    values = [float(value) for one in series for value in one.values]
    low, high = (0.0, 1.0) if shares or not values else (min(values), max(values))
    frame = _Frame(x[0], x[-1], low, high)
    drawn = Markup("").join(
        Markup('<polyline class="line {}" points="{}"/>').format(
            one.kind,
            " ".join(f"{frame.x(at):.2f},{frame.y(value):.2f}" for at, value in zip(x, one.values, strict=True)),
        )
        for one in series
    )
    grid = Markup("").join(
        Markup('<line class="grid" x1="{0}" x2="{1}" y1="{2:.2f}" y2="{2:.2f}"/><text x="{3}" y="{4:.2f}" '
               'text-anchor="end">{5}</text>').format(
            frame.left, WIDTH - RIGHT, frame.y(at), frame.left - 4, frame.y(at) + 4,
            f"{100 * at:.0f} %" if shares else f"{at:g}",
        )
        for at in ((0.25, 0.5, 0.75, 1.0) if shares else ticks(low, high, 5))
    )  # fmt: skip
    return frame.plot(grid + drawn + frame.mark(mark), label)


def curves(title: str, series: Sequence[Points], label: str, scale: float = 1.0) -> Markup:
    """Measured points joined by straight lines, each series over an x of its own.

    Args:
        title: above; empty for none.
        series: at least one, none of them empty.
        label: of the x axis.
        scale: ticks of the y axis are labelled with the value times this.
    """
    across = [at for one in series for at in one.x]
    up = [value for one in series for value in one.y]
    room = (max(up) - min(up)) * 0.08 or abs(max(up)) * 0.1 or 1.0
    side = (max(across) - min(across)) * 0.05 or 1.0
    low, high = min(up) - room, max(up) + room
    frame = _Frame(min(across) - side, max(across) + side, low, high, top=36 if title else TOP)
    drawn = Markup('<text class="title" x="0" y="16">{}</text>').format(title) if title else Markup("")
    for value in ticks(low * scale, high * scale, 5):
        at = frame.y(value / scale)
        drawn += Markup('<line class="grid" x1="{0}" x2="{1}" y1="{2:.2f}" y2="{2:.2f}"/><text x="{3}" y="{4:.2f}" '
                        'text-anchor="end">{5}</text>').format(frame.left, WIDTH - RIGHT, at, frame.left - 4, at + 4,
                                                               f"{value:g}")  # fmt: skip
    for one in series:
        places = [(frame.x(at), frame.y(value)) for at, value in zip(one.x, one.y, strict=True)]
        drawn += Markup('<polyline class="line {}" points="{}"/>').format(
            one.kind, " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
        )
        for x, y in places:
            drawn += Markup('<circle class="dot {}" cx="{:.2f}" cy="{:.2f}" r="4"/>').format(one.kind, x, y)
        if one.name:
            drawn += Markup('<text class="name" x="{:.2f}" y="{:.2f}" text-anchor="end">{}</text>').format(
                places[-1][0] + 4, places[-1][1] - 8, one.name
            )
    return frame.plot(drawn, label)


def dots(title: str, rows: Sequence[Dot], mark: Mark | None = None, scale: float = 1.0) -> Markup:
    """Values beside each other, a row each, over a common axis that spans what is shown.

    Args:
        title: above; empty for none.
        rows: what is shown.
        mark: a value to compare with.
        scale: ticks are labelled with the value times this.
    """
    known = [
        value
        for row in rows
        for value in (row.value, row.low, row.high, row.reference)
        if value is not None and math.isfinite(value)
    ]
    if mark is not None:
        known.append(mark.at)
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    top = (26 if title else 6) + (14 if mark is not None else 0)
    frame = _Frame(low - room, high + room, 0, 1, height=top + ROW * len(rows) + 30, left=8, top=top, bottom=30)
    body = frame.mark(mark)  # beneath the rows
    if title:
        body += Markup('<text class="title" x="0" y="16">{}</text>').format(title)
    for number, row in enumerate(rows):
        body += _dot(frame, row, top + number * ROW)
    return frame.plot(body, "", scale)


def _dot(frame: "_Frame", row: Dot, top: float) -> Markup:
    at = top + 25
    drawn = Markup('<text class="name" x="0" y="{:.1f}">{}</text>').format(top + 13, row.name)
    drawn += Markup('<text class="value" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
        WIDTH - RIGHT, top + 13, row.text
    )
    drawn += Markup('<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>').format(
        frame.left, WIDTH - RIGHT, at
    )
    if row.low is not None and row.high is not None:
        drawn += Markup('<line class="error {0}" x1="{1:.2f}" x2="{2:.2f}" y1="{3:.1f}" y2="{3:.1f}"/>').format(
            row.kind, frame.x(row.low), frame.x(row.high), at
        )
    if row.reference is not None:
        drawn += Markup('<circle class="reference" cx="{:.2f}" cy="{:.1f}" r="4"/>').format(frame.x(row.reference), at)
    if row.value is not None:
        drawn += Markup('<circle class="dot {}" cx="{:.2f}" cy="{:.1f}" r="4.5"/>').format(
            row.kind, frame.x(row.value), at
        )
    return drawn


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers in [low, high], one, two or five times a power of ten apart, at most `most`."""
    if not high > low:
        return [low]
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    while (high - low) / step > most:
        step *= 2.5 if f"{step:e}".startswith("2") else 2
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


class _Frame:
    """The axes: data to plot units."""

    def __init__(
        self, x0: float, x1: float, y0: float, y1: float, *,
        height: float = 220, left: float = LEFT, top: float = TOP, bottom: float = BOTTOM,
    ) -> None:  # fmt: skip
        self.x0, self.x1, self.y0, self.y1 = x0, x1 if x1 > x0 else x0 + 1, y0, y1
        self.height, self.left, self.top, self.bottom = height, left, top, bottom

    def x(self, value: float) -> float:
        return float(np.interp(value, (self.x0, self.x1), (self.left, WIDTH - RIGHT)))

    def y(self, value: float) -> float:
        return float(np.interp(value, (self.y0, self.y1), (self.height - self.bottom, self.top)))

    def mark(self, mark: Mark | None) -> Markup:
        """A dashed line with its word above."""
        if mark is None:
            return Markup("")
        at = self.x(mark.at)
        anchor = "end" if at > WIDTH * 0.7 else "start" if at < WIDTH * 0.3 else "middle"
        line = Markup('<line class="mark" x1="{0:.2f}" x2="{0:.2f}" y1="{1}" y2="{2}"/>')
        word = Markup('<text class="mark" x="{:.2f}" y="{}" text-anchor="{}">{}</text>')
        return line.format(at, self.top - 2, self.height - self.bottom) + word.format(
            at, self.top - 6, anchor, mark.text
        )

    def plot(self, body: Markup, label: str, scale: float = 1.0) -> Markup:
        """The SVG element around `body`: x axis with ticks, label below."""
        base = self.height - self.bottom
        values = ticks(self.x0 * scale, self.x1 * scale)
        places = max(0, -math.floor(math.log10(values[1] - values[0]) + 1e-9)) if len(values) > 1 else 3
        text = Markup('<text x="{:.2f}" y="{}" text-anchor="middle">{}</text>')
        parts = [
            Markup('<svg class="plot" viewBox="0 0 {} {:.0f}" xmlns="http://www.w3.org/2000/svg">').format(
                WIDTH, self.height
            ),
            body,
            Markup('<line class="axis" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>').format(self.left, WIDTH - RIGHT, base),
            *(text.format(self.x(value / scale), base + 14, f"{value:z.{places}f}") for value in values),
        ]
        if label:
            parts.append(text.format((self.left + WIDTH - RIGHT) / 2, base + 30, label))
        return Markup("").join([*parts, Markup("</svg>")])
