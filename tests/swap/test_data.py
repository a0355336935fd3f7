"""Which filmed faces the swap learns from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.swap.config import SwapConfig
from understudy.swap.data import held_out_rows, source_tensors, tensors_of
from understudy.swap.training import Teachers, key_of


def test_filmed_faces_are_those_of_the_selection(tiny: SwapConfig, source_set: Faceset, target_set: Faceset) -> None:
    rows = np.arange(0, 24, 2)
    real = source_tensors(target_set, source_set, replace(tiny, faces="real"), rows)
    assert torch.equal(real.layers, tensors_of(source_set, rows).layers)
    both = source_tensors(target_set, source_set, replace(tiny, faces="mix"), rows)
    assert len(both) == 20 + 12  # the synthetic ones are all used
    assert len(source_tensors(target_set, source_set, replace(tiny, faces="synthetic"), rows)) == 20
    with pytest.raises(UserError, match="needs 8 faces of the source and only 3"):
        source_tensors(target_set, source_set, replace(tiny, faces="real"), rows[:3])


def test_another_selection_is_another_training(tiny: SwapConfig, source_set: Faceset, target_set: Faceset) -> None:
    choices = [(None, None), (np.arange(9), None), (np.arange(1, 10), None), (None, np.arange(9))]
    names = {key_of(Teachers(source_set, source_set, target_set, *rows), tiny, 64, 7) for rows in choices}
    assert len(names) == 4


class Rows:
    """The two columns that say where a face was filmed."""

    def __init__(self, clips: list[str], frames: list[int]) -> None:
        self.columns = {"clip": np.array(clips), "frame": np.array(frames)}

    def column(self, name: str) -> np.ndarray:
        return self.columns[name]


def test_held_out_are_the_last_whole_clips() -> None:
    faces = Rows(["c"] * 3 + ["a"] * 40 + ["b"] * 2, [*range(3), *range(40), *range(2)])
    assert held_out_rows(faces, np.arange(45)).tolist() == [0, 1, 2], "with b it would be more than a tenth"
    assert held_out_rows(faces, np.arange(3, 45)).tolist() == [43, 44], "what is not fit for use does not count"


def test_held_out_of_one_clip_are_its_last_frames() -> None:
    faces = Rows(["a"] * 20, [*range(19, -1, -1)])
    assert held_out_rows(faces, np.arange(20)).tolist() == [0, 1]
    assert held_out_rows(faces, np.arange(9)).tolist() == []
