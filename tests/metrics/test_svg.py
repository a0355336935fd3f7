import re
from xml.etree import ElementTree

import pytest

from understudy.metrics.svg import WIDTH, Dot, Mark, Series, bars, dots, lines, ticks

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.3, 0.8, [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]),
        (-3.0, 12.0, [0, 5, 10]),
        (88.0, 101.0, [90, 95, 100]),
        (2.0, 2.0, [2.0]),
    ],
)
def test_ticks_are_round_and_inside(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_a_dot_stands_where_its_value_is_and_its_bar_spans_the_interval():
    rows = [Dot("ours", "0.5", 0.5, 0.4, 0.6, reference=0.2), Dot("theirs", "not measured", None)]
    root = ElementTree.fromstring(dots("Title", rows, Mark(0.3, "the paper")))
    circles = {node.get("class").split()[0]: float(node.get("cx")) for node in root.iter(f"{SVG}circle")}
    bar = next(node for node in root.iter(f"{SVG}line") if node.get("class") == "error ours")
    mark = next(node for node in root.iter(f"{SVG}line") if node.get("class") == "mark")
    assert circles["reference"] < float(mark.get("x1")) < float(bar.get("x1")) < circles["dot"] < float(bar.get("x2"))
    assert circles["dot"] == pytest.approx((float(bar.get("x1")) + float(bar.get("x2"))) / 2, abs=0.1)
    assert sum(1 for _ in root.iter(f"{SVG}circle")) == 2, "what was not measured has no dot"
    assert [node.text for node in root.iter(f"{SVG}text") if node.get("class") == "value"] == ["0.5", "not measured"]


def test_columns_have_the_heights_of_the_shares():
    root = ElementTree.fromstring(
        bars([0, 1, 2, 3], [Series("ours", [0.5, 0.25, 0]), Series("filmed", [0, 0, 1])], "x")
    )
    heights = [float(node.get("height")) for node in root.iter(f"{SVG}rect")]
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.01) and heights[2] == pytest.approx(
        2 * heights[0], rel=0.01
    )
    assert all(0 <= float(node.get("x")) <= WIDTH for node in root.iter(f"{SVG}rect"))


@pytest.mark.parametrize("shares", [True, False])
def test_a_curve_keeps_to_its_frame(shares):
    root = ElementTree.fromstring(lines([0, 1, 2], [Series("ours", [0.0, 0.5, 1.0])], "x", shares=shares))
    (curve,) = root.iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in curve.get("points").split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points) and points[0][1] > points[1][1] > points[2][1]
    assert points[1][1] == pytest.approx((points[0][1] + points[2][1]) / 2, abs=0.02)


@pytest.mark.parametrize(
    "rows", [[], [Dot("a", "not measured", None)], [Dot("a", "0", 0.0)], [Dot("a", "7", 7.0, 7.0, 7.0)]]
)
def test_nothing_to_show_and_a_single_value_are_plots_too(rows):
    ElementTree.fromstring(dots("", rows))


def test_words_are_escaped():
    drawn = dots("a < b", [Dot("<script>", "&", 1.0)], Mark(1.0, "<i>"))
    ElementTree.fromstring(drawn)
    assert not re.search(r"<script|<i>", drawn) and "&lt;script&gt;" in drawn
