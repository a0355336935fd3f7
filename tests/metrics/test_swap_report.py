"""The page about a swap, from made figures, and one with nothing to show."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from understudy.metrics.swap_frames import COLUMNS
from understudy.metrics.swap_people import People
from understudy.metrics.swap_quality import swap_figures
from understudy.metrics.swap_report import SwapResult, render

PEOPLE = People(np.eye(2, 128), np.zeros((5, 128)))
STILLS = np.full((60, 90, 3), 120, np.uint8)
AUC = {"auc": 0.93, "auc_low": 0.9, "auc_high": 0.96, "eer": 0.1}


def table(count: int) -> pd.DataFrame:
    """A swap that is the source in all frames but one and opens its mouth half as far."""
    steps = np.arange(count)
    frames = pd.DataFrame({name: np.full(count, 0.5) for name in COLUMNS})
    frames["frame"], frames["time"] = steps, steps / 25
    frames[["spread", "run", "found_original", "found_swap"]] = True
    frames["to_source"], frames["to_target"], frames["to_other"] = 0.3, 0.7, 0.6
    frames.loc[0, "to_source"] = 0.8
    frames[["openface_to_source", "openface_to_target"]] = np.nan
    frames["mouth_original"], frames["mouth_swap"] = 0.1 * np.sin(steps), 0.05 * np.sin(steps)
    return frames.astype(COLUMNS)


def result(frames: pd.DataFrame, reconstruction: dict, detected: dict) -> SwapResult:
    quality = swap_figures(frames, PEOPLE, len(frames)) | {"provenance": {"label": True, "consents": {"source": "ab"}}}
    json.dumps(quality, allow_nan=False)
    return SwapResult("<anna>", "ben", 64, quality, frames, reconstruction, detected, {"source_faces": 1000})


def test_the_page_says_what_was_measured_and_loads_nothing():
    drawn = {"faces": 9, "ssim": 0.81, "ssim_std": 0.02, "other_ssim": 0.7, "psnr": None, "missing": None}
    detected = {"faces": 40, "folds": 4, "spectrum": AUC, "cnn": AUC, "control": {"cnn": AUC}, "missing": None}
    html = render(result(table(20), drawn, detected), STILLS)
    for words in ("19 of 20 judged frames", "correlation of 1.00", "0.810 ± 0.020", "0.930", "DeepFaceLab", "1000",
                  "source ab", "opens 50 %", "OpenFace&#39;s file", "FaceForensics++"):  # fmt: skip
        assert words in html, words
    assert "&lt;anna&gt;" in html and "<anna>" not in html
    assert html.count('src="data:') == html.count("src=") == 1 and "<script" not in html
    assert html.count("<polyline") == 12, "two curves in each of six plots"


def test_a_page_without_any_face_says_why():
    empty = table(3)
    numbers = [name for name, kind in COLUMNS.items() if kind == "float64" and name != "time"]
    empty[numbers] = np.nan
    empty["found_swap"] = False
    html = render(result(empty, {"missing": "No film."}, {"missing": "Switched off: set it."}), STILLS)
    for words in ("No judged frame of the swap shows a face", "No film.", "Switched off: set it.", "3 of 3"):
        assert words in html, words
    assert "<polyline" not in html and "nan" not in html.replace("provenance", "")


def test_a_mouth_that_never_moves_has_no_correlation_and_says_so():
    frames = table(20)
    frames["mouth_swap"] = 0.04
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = swap_figures(frames, PEOPLE, 20)
    assert found["mouth"]["correlation"] is None and found["mouth"]["amplitude"] == 0
    assert found["missing"]["mouth"] == "In the swap the mouth hardly moves, so the correlation is undefined."


@pytest.mark.parametrize("step", [1, 3])
def test_figures_of_a_made_table(step):
    found = swap_figures(table(20 * step), PEOPLE, 20 * step)
    assert found["mouth"]["amplitude"] == pytest.approx(0.5) and found["rank_1"] == 1 - 1 / (20 * step)
    assert found["distance_to_source"] == pytest.approx(0.3) and found["distance_to_source_mean"] > 0.3
    assert found["identity_std"] > 0 and found["margin"] == pytest.approx(0.4 - 0.5 / (20 * step))
