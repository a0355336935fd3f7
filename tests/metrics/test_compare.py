from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from understudy.errors import UserError
from understudy.metrics.compare import RunFigures, comparable, differing, draw, file_name, render

SVG = "{http://www.w3.org/2000/svg}"


def run(name: str, parameters: dict[str, str] | None = None, **figures: float) -> RunFigures:
    shown = {key.replace("__", "."): value for key, value in figures.items()}
    return RunFigures(f"id-{name}", name, name[:8], shown, parameters or {}, {"run": f"id-{name}"})


FIRST = run("first", {"kimg": "10", "seed": "0"}, identity__matched_share=0.8, identity__matched_low=0.7,
            identity__matched_high=0.9, frechet__distance=0.3, frechet__floor=0.01, seconds__train=9.0)  # fmt: skip
SECOND = run("second", {"kimg": "20", "seed": "0", "new": "x"}, identity__matched_share=0.95,
             identity__matched_low=0.9, identity__matched_high=0.99, frechet__distance=0.2)  # fmt: skip
THIRD = run("third", frechet__distance=0.25)


class Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def text_of(html: str) -> str:
    parser = Text()
    parser.feed(html)
    return " ".join(" ".join(parser.words).split())


def test_figures_that_two_runs_hold_are_compared():
    assert [figure.key for figure in comparable([FIRST, SECOND])] == ["identity.matched_share", "frechet.distance"]
    assert [figure.key for figure in comparable([FIRST, THIRD])] == ["frechet.distance"]


def test_runs_without_figures_or_without_a_common_one_are_told():
    with pytest.raises(UserError, match="'bare' holds no figures of an evaluation"):
        comparable([FIRST, run("bare", seconds__train=3.0)])
    with pytest.raises(UserError, match="no figure in common"):
        comparable([THIRD, run("other", identity__matched_share=1.0)])


def test_parameters_that_differ_are_listed_and_unknown_ones_are_no_difference():
    assert differing([FIRST, SECOND]) == [("kimg", ["10", "20"]), ("new", ["", "x"])]
    assert differing([FIRST, THIRD]) == []


def test_the_page_holds_every_run_its_figures_and_the_papers_value():
    html = render([FIRST, SECOND, THIRD])
    text = text_of(html)
    for words in ("3 runs", "80.0 %", "95.0 %", "the paper 92.9 %", "0.3000", "0.2000", "not measured", "kimg"):
        assert words in text, words
    assert "those of third are not known" in text
    assert "src=" not in html and "<script" not in html and "seconds.train" not in text


def test_the_picture_shows_all_panels_beside_each_other():
    root = ElementTree.fromstring(draw([FIRST, SECOND]))
    panels = root.findall(f"{SVG}g")
    assert len(panels) == 2
    inner = [panel.find(f"{SVG}svg") for panel in panels]
    assert all(float(svg.get("width")) > 0 and float(svg.get("height")) > 0 for svg in inner)
    dots = [circle for circle in inner[0].iter(f"{SVG}circle") if circle.get("class").startswith("dot")]
    assert len(dots) == 2 and float(dots[0].get("cx")) < float(dots[1].get("cx"))


def test_runs_of_one_name_are_told_apart_and_names_are_escaped():
    twins = [run("twin", identity__matched_share=value) for value in (0.1, 0.2)]
    twins = [RunFigures(f"{place}", "<b>twin", f"short{place}", twin.figures) for place, twin in enumerate(twins)]
    html = render(twins)
    assert "&lt;b&gt;twin (short0)" in html and "<b>twin" not in html
    assert file_name(twins) == "short0_short1"
    assert len(file_name(twins * 30)) <= 100
