"""Things in front of faces."""

from dataclasses import replace

import numpy as np
import torch

from understudy.faces.faceset import Faceset
from understudy.swap.config import AugmentConfig
from understudy.swap.data import draw, tensors_of
from understudy.swap.occlude import occlude


def test_what_is_covered_leaves_the_mask_and_nothing_else_changes(source_set: Faceset) -> None:
    before = tensors_of(source_set, np.arange(16)).layers.float()
    before[:, :3] = before[:, :3] / 127.5 - 1
    before[:, 3:] /= 255
    after = before.clone()
    occlude(after, 0.5, torch.Generator().manual_seed(0))
    changed = (after != before).flatten(1).any(1)
    assert int(changed.sum()) == 8
    covered = (after[:, :3] != before[:, :3]).any(1)
    assert 0.01 < float(covered[changed].float().mean()) < 0.25
    holes = after[:, 3] < before[:, 3]
    assert holes[changed].any() and not (holes & ~covered).any()
    assert (after[:, 3:] <= before[:, 3:]).all()
    assert float(after[:, :3].abs().max()) <= 1


def test_no_face_is_touched_by_default(source_set: Faceset) -> None:
    layers = torch.rand(4, 5, 16, 16)
    before = layers.clone()
    occlude(layers, AugmentConfig().occlude, torch.Generator().manual_seed(0))
    assert torch.equal(layers, before)


def test_input_and_mask_agree_on_where_the_patch_is(source_set: Faceset) -> None:
    faces = tensors_of(source_set, np.arange(24))
    still = AugmentConfig(warp=0, colour_jitter=0, colour_transfer=0, flip_source=0, flip_target=0)
    plain, covered = (
        draw(faces, faces, 8, replace(still, occlude=share), True, torch.Generator().manual_seed(1))
        for share in (0.0, 1.0)
    )
    # What is drawn after the patches differs between the two, so each is compared with itself alone.
    assert float(covered.mask.mean()) < 0.95 * float(plain.mask.mean())
    torch.testing.assert_close(covered.inputs, covered.target, atol=1e-4, rtol=0)
