"""The study of swaps by how many faces taught them, on made files."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from understudy.cli import understudy
from understudy.errors import UserError
from understudy.metrics.compare import comparable
from understudy.metrics.study import draw, find_swaps, read_swap, render
from understudy.runs import find_runs

SVG = "{http://www.w3.org/2000/svg}"


def measured(folder: Path, kind: str, count: int, nearer: float, mouth: float | None = 0.8) -> Path:
    folder.mkdir(parents=True)
    quality = {"nearer_to_source": nearer, "mouth": {"correlation": mouth}, "missing": {}}
    (folder / "swap_quality.json").write_text(json.dumps(quality))
    (folder / "swap_summary.json").write_text(json.dumps({"faces": kind, "source_faces": count}))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind, count, nearer in (("real", 1000, 1.0), ("synthetic", 1000, 0.9), ("synthetic", 100, 0.4)):
        measured(tmp_path / "pair" / f"{kind}-{count}", kind, count, nearer)
    measured(tmp_path / "pair" / "again", "synthetic", 100, 0.6, None)
    (tmp_path / "pair" / "real-1000" / "swap_reconstruction.json").write_text('{"ssim": 0.9}')
    return tmp_path / "pair"


def test_swaps_are_found_by_kind_and_number(folder):
    swaps = find_swaps([folder])
    assert [(one.name, one.kind, one.count) for one in swaps] == [
        ("again", "synthetic", 100), ("synthetic-100", "synthetic", 100), ("synthetic-1000", "synthetic", 1000),
        ("real-1000", "real", 1000),
    ]  # fmt: skip
    assert swaps[3].figures["swap_reconstruction.ssim"] == 0.9
    assert (
        find_swaps([folder, folder.parent]) == find_swaps([folder.parent, folder]) or len(find_swaps([folder] * 2)) == 4
    )


def test_the_page_has_a_line_a_kind_and_a_row_a_swap(folder):
    html = render(find_swaps([folder]))
    for words in ("synthetic faces", "real faces", "1,000 real", "100 synthetic", "40.0 %", "not measured"):
        assert words in html, words
    assert "mix faces" not in html and "src=" not in html and "<script" not in html


def test_equal_numbers_are_averaged_in_the_plots(folder):
    root = ElementTree.fromstring(draw(find_swaps([folder])))
    panels = {svg.find(f"{SVG}text").text: svg for svg in root.iter(f"{SVG}svg") if svg.get("class") == "plot"}
    assert set(panels) == {"Nearer to the source", "Mouth follows"}
    dots = [(float(one.get("cx")), float(one.get("cy"))) for one in panels["Nearer to the source"].iter(f"{SVG}circle")]
    ours, real = dots[:2], dots[2]
    assert len(dots) == 3 and ours[0][0] < ours[1][0] == real[0]
    (low, mid, top) = ours[0][1], ours[1][1], real[1]
    assert low > mid > top, "0.5 lies below 0.9, which lies below 1"
    assert (low - top) / (low - mid) == pytest.approx(0.5 / 0.4, rel=0.02)


def test_what_is_missing_or_broken_is_told(folder, tmp_path):
    with pytest.raises(UserError, match="needs two measured swaps or more and 1 were found"):
        find_swaps([folder / "real-1000"])
    (folder / "again" / "swap_summary.json").write_text('{"faces": "synthetic"}')
    with pytest.raises(UserError, match="does not say which faces taught the swap"):
        find_swaps([folder])
    (folder / "again" / "swap_summary.json").unlink()
    with pytest.raises(UserError, match=r"swap_summary.json does not exist"):
        find_swaps([folder])
    (folder / "again" / "swap_quality.json").write_text("{")
    with pytest.raises(UserError, match="is no JSON file"):
        read_swap(folder / "again" / "swap_quality.json")


def test_the_command_writes_page_and_picture_and_compare_takes_the_files(folder, tmp_path):
    result = CliRunner().invoke(understudy, ["study", str(folder), "--out", str(tmp_path / "made.html")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "made.html").stat().st_size and (tmp_path / "made.svg").stat().st_size
    runs = find_runs([str(folder / name / "swap_quality.json") for name in ("real-1000", "synthetic-1000")], "none")
    assert comparable(runs)[0].key == "swap_quality.nearer_to_source"
    assert runs[0].name == "pair/real-1000"
