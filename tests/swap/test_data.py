"""Which filmed faces the swap learns from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from understudy.errors import UserError
from understudy.faces.faceset import Faceset
from understudy.swap.config import SwapConfig
from understudy.swap.data import face_tensors, source_tensors
from understudy.swap.training import key_of


def test_filmed_faces_are_those_of_the_selection(tiny: SwapConfig, source_set: Faceset, target_set: Faceset) -> None:
    rows = np.arange(0, 24, 2)
    real = source_tensors(target_set, source_set, replace(tiny, faces="real"), rows)
    assert torch.equal(real.layers, face_tensors(source_set, 1000).layers[rows])
    both = source_tensors(target_set, source_set, replace(tiny, faces="mix"), rows)
    assert len(both) == 20 + 12  # the synthetic ones are all used
    assert len(source_tensors(target_set, source_set, replace(tiny, faces="synthetic"), rows)) == 20
    with pytest.raises(UserError, match="Only 3 faces of the source"):
        source_tensors(target_set, source_set, replace(tiny, faces="real"), rows[:3])


def test_another_selection_is_another_training(tiny: SwapConfig, source_set: Faceset, target_set: Faceset) -> None:
    names = {key_of([source_set], target_set, tiny, 64, 7, rows) for rows in (None, np.arange(9), np.arange(1, 10))}
    assert len(names) == 3
