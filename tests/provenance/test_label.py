"""The label: legible, in its corner, and nowhere else."""

import numpy as np
import pytest

from understudy.provenance.label import burn_label, label_height


@pytest.mark.parametrize(("height", "width"), [(288, 360), (512, 512), (1080, 1920), (64, 64)])
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_label_is_seen_on_any_ground_and_stays_in_its_corner(height: int, width: int, shade: int) -> None:
    ground = np.full((height, width, 3), shade, np.uint8)
    labelled = burn_label(ground)
    changed = (labelled != ground).any(2)
    rows, columns = np.nonzero(changed)
    assert rows.min() >= height - label_height(height, width)
    if width >= 360:
        assert columns.min() > width / 2 and rows.min() > 0.8 * height
        letters = labelled[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].mean(2)
        assert letters.max() - np.median(letters) > 120, "white words on a dark box"
        assert 0.02 < (letters > 200).mean() < 0.5 or shade == 255
    assert (ground == shade).all(), "the picture that was given stays as it is"


def test_letters_are_three_to_five_percent_high() -> None:
    black = np.zeros((1000, 1600, 3), np.uint8)
    rows = np.nonzero((burn_label(black, "HHH") > 128).any((1, 2)))[0]
    assert 28 <= rows.max() - rows.min() + 1 <= 48
