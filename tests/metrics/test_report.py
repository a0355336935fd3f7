import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.metrics import scores
from understudy.metrics.collect import collect
from understudy.metrics.config import EvaluationConfig, InceptionConfig
from understudy.metrics.copies import copy_scores
from understudy.metrics.coverage import coverage_scores
from understudy.metrics.identity import compare, pair_figures
from understudy.metrics.inception_file import NAME, URL
from understudy.metrics.pictures import choose_rows, copy_row, draw_rows
from understudy.metrics.quality import Features, inception_figures
from understudy.metrics.report import render
from understudy.metrics.report_plots import histogram
from understudy.metrics.report_text import missing
from understudy.metrics.viz import plot_coverage, plot_detectability, plot_histogram, plot_thresholds

CONFIG = EvaluationConfig(repeats=3, pictures=4, inception=InceptionConfig(download=False))


class Page(HTMLParser):
    """Checks that tags are closed in order, and gathers what would be fetched, text, and pictures."""

    VOID = frozenset({"meta", "link", "img", "br", "rect", "line", "circle", "polyline"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.alts: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in {"img", "script", "iframe", "link"}:
            self.fetched.append(found.get("src") or found.get("href") or "")
        if tag == "img":
            self.alts.append(found["alt"] or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(autouse=True)
def no_file(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


def figures(synthetic: Faceset, originals: Faceset, source: str = "grace_hopper") -> dict:
    return collect(
        source,
        64,
        identity=scores.identity_scores(synthetic, originals, CONFIG),
        distance=scores.distance_scores(synthetic, originals),
        frechet=scores.frechet_scores(synthetic, originals, CONFIG, 0),
        inception=scores.inception_scores(synthetic, originals, CONFIG, 0),
    )


@pytest.fixture(scope="module")
def full(synthetic: Faceset, filmed: Faceset) -> dict:
    return everything(synthetic, filmed)


def page_of(found: dict, synthetic: Faceset, originals: Faceset) -> tuple[str, Page]:
    compared = compare(synthetic.column("embedding"), originals.column("embedding"))
    rows = choose_rows(synthetic, originals, compared, CONFIG.tolerance, CONFIG.pictures)
    nearest = copy_row(found.get("copies", {}), synthetic, originals, CONFIG.pictures)
    rows += [nearest] if nearest else []
    html = render(found, histogram(compared, CONFIG.tolerance), rows)
    page = Page()
    page.feed(html)
    page.close()
    assert not page.open
    return html, page


def everything(synthetic: Faceset, originals: Faceset) -> dict:
    """Scores with all measures, those that need files or minutes under their keys with figures made up."""
    clips, config = originals.column("clip"), CONFIG.inception
    torch.manual_seed(0)
    sets = [Features(torch.rand(count, 64), torch.randn(count, 1008)) for count in (12, 18)]
    pairs = pair_figures(np.random.default_rng(0).normal(size=(12, 128)))
    auc = {"auc": 0.83, "auc_low": 0.71, "auc_high": 0.92, "quality": 0.34, "eer": 0.2}
    pair = {"name": "1999", "pictures": ["a.jpg", "b.jpg"], "distance": 0.41, "same": True, "openface_distance": 0.6}
    return collect(
        "grace_hopper",
        64,
        identity=scores.identity_scores(synthetic, originals, CONFIG, synthetic),
        distance=scores.distance_scores(synthetic, originals),
        frechet=scores.frechet_scores(synthetic, originals, CONFIG, 0),
        inception=inception_figures(*sets, clips, config, 3, 0, "6726825d0af5f729"),
        openface={"synthetic": pairs, "originals": pairs},
        variety={name: {"rows": 100, "expression_distance": 0.3, "dlib": pairs, "openface": pairs}
                 for name in ("monotone", "varied")},
        years_apart={"measured": 1, "same": 1, "distance_mean": 0.41, "pairs": [pair]},
        copies=copy_scores(synthetic, originals, originals, 4),
        coverage=coverage_scores(synthetic, originals, 2, 0),
        detectability={"spectrum": auc, "cnn": auc, "quality": 0.34, "faces": 12, "folds": 2, "grouped_by": "clip",
                       "control": {"spectrum": auc | {"auc": 0.52}, "cnn": auc},
                       "profile": {"synthetic": [3.0, 1.0, 0.5], "filmed": [3.0, 1.2, 0.7]}},
    )  # fmt: skip


def shape(value: object) -> object:
    return {key: shape(part) for key, part in value.items()} if isinstance(value, dict) else None


def test_the_page_says_what_the_scores_say_and_fetches_nothing(synthetic: Faceset, filmed: Faceset) -> None:
    html, page = page_of(figures(synthetic, filmed), synthetic, filmed)
    assert "6 of 12 synthetic faces are recognised as grace_hopper, 4 as somebody else, and 2 show no face" in page.text
    assert "929 of 1000 · 92.9 %" in page.text and "29.318" in page.text
    assert NAME in page.text and URL in html
    assert all(source.startswith("data:") for source in page.fetched)
    assert not re.search(r"url\(|@import|<script", html)
    assert page.alts.count("nearest filmed face") == 3 + 4 + 4  # of "as they came" one is no face
    assert len(html) < 5_000_000


def test_the_scores_are_plain_json_with_the_same_keys_whatever_is_missing(
    synthetic: Faceset, filmed: Faceset, nobody: Faceset, store: Callable[..., Faceset]
) -> None:
    full = figures(synthetic, filmed)
    assert json.loads(json.dumps(full, allow_nan=False)) == full
    assert set(full["missing"]) == {"inception"}
    empty = store()
    for ours, theirs in ((nobody, filmed), (synthetic, nobody), (empty, filmed)):
        bare = figures(ours, theirs)
        json.dumps(bare, allow_nan=False)
        missing = bare.pop("missing")
        assert set(missing) >= {"inception", "identity", "frechet"}
        assert shape(bare) == shape({key: value for key, value in full.items() if key != "missing"})


def test_a_page_without_any_face_explains_itself(
    filmed: Faceset, nobody: Faceset, store: Callable[..., Faceset]
) -> None:
    _, page = page_of(figures(nobody, filmed), nobody, filmed)
    assert "0 of 3 synthetic faces are recognised" in page.text and "the generator needs more training" in page.text
    _, page = page_of(figures(filmed, nobody), filmed, nobody)
    assert "No face was found in any filmed crop" in page.text
    empty = store()
    _, page = page_of(figures(empty, filmed), empty, filmed)
    assert "There is no synthetic face to show" in page.text


def test_measured_inception_figures_are_shown(synthetic: Faceset, filmed: Faceset) -> None:
    torch.manual_seed(0)
    sets = [Features(torch.rand(count, 64), torch.randn(count, 1008)) for count in (12, 18)]
    found = figures(synthetic, filmed)
    found["inception"] = inception_figures(*sets, filmed.column("clip"), CONFIG.inception, 3, 0)
    del found["missing"]["inception"]
    _, page = page_of(found, synthetic, filmed)
    assert f"{found['inception']['fid']:.2f}" in page.text and "N = 12" in page.text
    assert NAME not in page.text


def test_names_are_escaped(synthetic: Faceset, filmed: Faceset) -> None:
    html, _ = page_of(figures(synthetic, filmed, "<b>x</b>"), synthetic, filmed)
    assert "<b>x</b>" not in html and "&lt;b&gt;x" in html


def test_rows_are_ordered_by_distance_and_pair_the_nearest(synthetic: Faceset, filmed: Faceset) -> None:
    compared = compare(synthetic.column("embedding"), filmed.column("embedding"))
    rows = {row.title: row for row in choose_rows(synthetic, filmed, compared, 0.6, 4)}
    assert list(rows) == ["As they came", "Best", "Worst", "No face"]
    best, worst = ([tile.distance for tile in rows[name].tiles] for name in ("Best", "Worst"))
    assert best == sorted(best) and worst == sorted(worst, reverse=True) and max(best) < 0.6 < min(worst)
    assert {tile.number for tile in rows["No face"].tiles} == {10, 11}
    tile = rows["Best"].tiles[0]
    np.testing.assert_array_equal(tile.nearest, filmed.images([compared.nearest[tile.number]])[0])
    picture = draw_rows(list(rows.values()))
    assert picture.dtype == np.uint8 and picture.shape[2] == 3 and picture.shape[1] >= 4 * 128


def test_the_histogram_holds_every_face_once(synthetic: Faceset, filmed: Faceset) -> None:
    compared = compare(synthetic.column("embedding"), filmed.column("embedding"))
    shares = histogram(compared, 0.6)
    assert shares.synthetic.sum() == pytest.approx(1) and shares.originals.sum() == pytest.approx(1)
    assert shares.originals[0] == 0  # the medoid's distance to itself is no distance
    beyond = shares.synthetic[shares.edges[:-1] >= 0.6].sum()
    assert beyond == pytest.approx(0.4, abs=0.01)
    assert len(plot_histogram(shares, 0.6).data) == 2


def test_a_sample_that_matches_throughout_has_no_worst_row(hopper_crops: np.ndarray, store: Callable[..., Faceset],
                                                           filmed: Faceset) -> None:  # fmt: skip
    same = store(describe_crops(hopper_crops[18:]))
    compared = compare(same.column("embedding"), filmed.column("embedding"))
    titles = [row.title for row in choose_rows(same, filmed, compared, 0.6, 3)]
    assert titles == ["As they came", "Best", "Least alike"]


def test_all_measures_stand_on_the_page_beside_the_papers_tables(
    full: dict, synthetic: Faceset, filmed: Faceset
) -> None:
    assert full["missing"] == {}
    html, page = page_of(full, synthetic, filmed)
    for words in (
        "Table 1: monotone and varied footage", "0.234 · variance 0.019", "0.019 · variance 0.000",
        "Table 2: the synthetic faces", "1.635 · variance 0.011", "29.318", "0.401 · variance 0.068", "66 of 1000",
        "Nearest to a filmed frame", "Recognised at other tolerances", "Precision", "Recall", "FID at endless N",
        "0.830 (0.710", "Control: power spectrum", "Mouth opening", "Turned left or right",
        "Selected faces, recognised", "0.410 · OpenFace 0.600 · same person", "SHA-256 6726825d0af5",
    ):  # fmt: skip
        assert words in page.text.replace("\u2060", ""), words
    assert "Not measured" not in page.text and "not measured" not in page.text
    assert all(source.startswith("data:") for source in page.fetched) and len(html) < 5_000_000


@pytest.mark.parametrize("name", ["identity", "distance", "frechet", "inception", "openface", "variety", "years_apart",
                                  "copies", "coverage", "detectability"])  # fmt: skip
def test_no_missing_measure_stops_the_page(name: str, full: dict, synthetic: Faceset, filmed: Faceset) -> None:
    """Neither one that says why nor one that was never heard of."""
    reason = f"No {name} today: fetch https://example.org/file to /models."
    told = full | {name: {}, "missing": {name: reason}}
    _, page = page_of(told, synthetic, filmed)
    assert reason in page.text and "Table 2" in page.text
    unheard = {key: value for key, value in full.items() if key != name} | ({name: {}} if name == "identity" else {})
    page_of(unheard, synthetic, filmed)
    for plot in (plot_thresholds, plot_coverage, plot_detectability):
        plot(unheard).to_json()


def test_parts_that_are_missing_are_collected_under_their_names() -> None:
    found = collect("anna", 64, variety={"monotone": {"openface": {"missing": "No file."}}, "missing": None})
    assert found["missing"] == {"variety.monotone.openface": "No file."}
    assert missing(found) == [("Monotone and varied footage: monotone, openface", "No file.")]


def test_the_plots_for_kedro_viz_hold_what_the_page_shows(full: dict) -> None:
    curve, bars, areas = plot_thresholds(full), plot_coverage(full), plot_detectability(full)
    assert {trace.name for trace in curve.data} == {"filmed", "synthetic"} and len(curve.data[0].x) >= 26
    assert len(bars.data) == 10 and [trace.visible for trace in bars.data].count(True) == 2
    assert list(areas.data[0].x) == [0.83, 0.83] and list(areas.data[1].x) == [0.52, 0.83]
    assert "not measured" in plot_thresholds({}).layout.annotations[0].text


def test_pairs_that_belong_to_other_faces_are_not_shown(full: dict, synthetic: Faceset, filmed: Faceset) -> None:
    row = copy_row(full["copies"], synthetic, filmed, 3)
    assert row is not None and len(row.tiles) == 3
    pair = full["copies"]["pairs"][0]
    frame = filmed.images([pair["filmed"]])[0]
    np.testing.assert_array_equal(row.tiles[0].nearest, frame[:, ::-1] if pair["mirrored"] else frame)
    assert copy_row({"pairs": [pair | {"filmed": len(filmed)}]}, synthetic, filmed, 3) is None
    assert copy_row({}, synthetic, filmed, 3) is None
