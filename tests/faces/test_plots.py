import json
from dataclasses import replace

import numpy as np
import pytest

from understudy.faces.config import SelectionConfig
from understudy.faces.describe import describe_crops
from understudy.faces.expression import EXPRESSION
from understudy.faces.plots import draw_coverage, measure_coverage, plot_coverage
from understudy.faces.selection import select


@pytest.fixture(scope="module")
def faces(hopper_crops, store):
    """24 faces of one clip."""
    return store(describe_crops(hopper_crops, clip="one.mp4"))


@pytest.fixture(scope="module")
def selection(faces):
    """20 of them are kept, 8 of these teach."""
    whole = select(faces, SelectionConfig(min_eye_distance=8, duplicates=False, count=8), 0)
    keep = np.arange(24) >= 4
    return replace(whole, keep=keep, training=whole.training & keep)


def test_every_kept_face_is_counted_once_in_each_view(faces, selection):
    coverage = measure_coverage(faces, selection)
    assert coverage.poses.sum() == 20
    for name in EXPRESSION:
        assert coverage.kept[name].sum() == pytest.approx(1) and coverage.teaching[name].sum() == pytest.approx(1)
    rows = np.digitize(selection.pitch[selection.rows], coverage.pitch_edges[1:-1])
    columns = np.digitize(selection.yaw[selection.rows], coverage.yaw_edges[1:-1])
    assert (coverage.poses[rows, columns] > 0).all()  # pitch down, yaw across


def test_where_all_teach_there_is_one_histogram(faces, selection):
    assert measure_coverage(faces, replace(selection, training=selection.keep)).teaching == {}


def test_both_drawings_show_the_same_numbers(faces, selection):
    coverage = measure_coverage(faces, selection)
    figure = json.loads(plot_coverage(coverage, "anna").to_json())
    assert len(figure["data"]) == 1 + 2 * len(EXPRESSION)
    assert figure["layout"]["title"]["text"] == "anna"
    with_line, without = (draw_coverage(each, "anna") for each in (coverage, replace(coverage, teaching={})))
    assert with_line.shape == (720, 1300, 3) and with_line.dtype == np.uint8
    green = [(np.abs(picture.astype(int) - (20, 128, 122)).max(2) < 8).sum() for picture in (with_line, without)]
    assert green[0] > 500 and green[1] == 0


def test_one_face_and_none_are_drawn(faces, selection):
    for count in (1, 0):
        few = replace(selection, keep=np.arange(24) < count, training=np.arange(24) < count)
        coverage = measure_coverage(faces, few)
        assert coverage.poses.sum() == count
        assert plot_coverage(coverage, "few").to_json()
    assert draw_coverage(coverage, "none").shape == (720, 1300, 3)
