"""Which filmed faces the swap learns from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from understudy.errors import UserError
from understudy.faces.describe import head_pose
from understudy.faces.expression import EXPRESSION, SCALES, expression_features, mean_distance
from understudy.faces.faceset import Faceset
from understudy.swap.config import AugmentConfig, SwapConfig
from understudy.swap.data import (
    PITCH,
    YAW,
    _turned_alike,
    chosen_rows,
    draw,
    held_out_rows,
    source_tensors,
    tensors_of,
    turned_towards,
)
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


def test_which_faces_teach(tiny: SwapConfig, source_set: Faceset, target_set: Faceset) -> None:
    few = replace(tiny, faces="real", count=9)
    spread = source_tensors(target_set, source_set, few)
    assert torch.equal(spread.layers, tensors_of(source_set, np.linspace(0, 23, 9).round().astype(int)).layers)
    assert len(source_tensors(target_set, source_set, replace(few, faces="mix"))) == 9
    with pytest.raises(UserError, match=r"'deepfake\.count' = 3 is too few"):
        source_tensors(target_set, source_set, replace(few, count=3))


def test_varied_faces_lie_farther_apart_than_homogeneous_ones() -> None:
    faces = Measured(60)
    features = expression_features(faces)
    apart = {}
    for variety in ("varied", "homogeneous"):
        rows = chosen_rows(faces, 12, None, variety, seed=1)
        assert len(set(rows.tolist())) == 12 and (np.diff(rows) > 0).all()
        apart[variety] = mean_distance(features[rows])
    assert apart["varied"] > 2 * apart["homogeneous"]


class Measured(Rows):
    """Faces with expressions of all kinds."""

    def __init__(self, count: int) -> None:
        super().__init__(["a"] * count, list(range(count)))
        rng = np.random.default_rng(0)
        scales = zip(EXPRESSION, SCALES, strict=True)
        self.columns |= {name: scale * rng.normal(size=count) for name, scale in scales}

    def __len__(self) -> int:
        return len(self.columns["clip"])

    def found(self) -> np.ndarray:
        return np.ones(len(self), bool)

    def landmarks(self) -> np.ndarray:
        return np.zeros((len(self), 68, 2))


def test_mirrored_faces_look_the_other_way(source_set: Faceset) -> None:
    faces = tensors_of(source_set, np.arange(24))
    faces.expression[:, YAW] = 2
    never, always = (
        draw(faces, faces, 8, AugmentConfig(flip_source=flip, flip_target=0), True, torch.Generator().manual_seed(0))
        for flip in (0, 1)
    )
    assert never.expression[:, YAW].tolist() == [2] * 16
    assert always.expression[:, YAW].tolist() == [-2] * 8 + [2] * 8
    assert torch.equal(never.expression[:, :YAW], always.expression[:, :YAW])


def yaws(values: torch.Tensor) -> torch.Tensor:
    """Poses with these yaws, without pitch."""
    return torch.stack([values, torch.zeros_like(values)], 1)


def test_source_faces_turned_like_the_target_s_are_drawn(source_set: Faceset) -> None:
    faces = tensors_of(source_set, np.arange(24))
    source = replace(faces, pose=yaws(torch.linspace(2, 13, 24)), expression=torch.arange(120.0).view(24, 5))
    target = replace(faces, pose=yaws(torch.full((24,), -5.0)))
    config = AugmentConfig(flip_source="pose", flip_target=0, nearest=16)
    rows, mirrored = _turned_alike(source, target.pose[:8, 0], config, torch.Generator().manual_seed(0))
    assert mirrored.tolist() == [1] * 8
    assert float((-source.pose[rows, 0] - -5).abs().max()) < 2.5
    rows, mirrored = _turned_alike(source, -target.pose[:8, 0], config, torch.Generator().manual_seed(0))
    assert mirrored.tolist() == [0] * 8
    assert float((source.pose[rows, 0] - 5).abs().max()) < 2.5
    sides = draw(source, target, 8, config, True, torch.Generator().manual_seed(0))
    assert (sides.expression[:8, YAW] < 0).all()


def test_source_faces_are_turned_to_the_target_s_poses(source_set: Faceset, target_set: Faceset) -> None:
    faces, target = tensors_of(source_set, np.arange(24)), tensors_of(target_set, np.arange(10))
    own = np.array([head_pose(points)[:2] for points in faces.landmarks.numpy()])
    source = replace(faces, pose=torch.from_numpy(own).float())
    wanted = torch.tensor([float(own[:, 0].mean()) - 6, float(own[:, 1].mean()) + 4])
    target = replace(target, pose=wanted.repeat(10, 1), expression=torch.full((10, 5), 1.5))
    config = AugmentConfig(flip_source=0, turn=12)
    once, again = (turned_towards(source, target, config, 3) for _ in range(2))
    assert torch.equal(once.layers, again.layers)
    assert float((once.pose - wanted).abs().max()) < 0.5
    assert once.expression[:, [YAW, PITCH]].eq(1.5).all()
    assert torch.equal(once.expression[:, :YAW], source.expression[:, :YAW])
    assert not once.layers[:, 3:, 0].any() and not once.layers[:, 3:, :, -1].any()
    assert float((once.layers.float() - source.layers.float()).abs().mean()) > 1


def test_source_faces_are_turned_to_the_mirror_image_when_that_is_nearer(
    source_set: Faceset, target_set: Faceset
) -> None:
    faces, target = tensors_of(source_set, np.arange(8)), tensors_of(target_set, np.arange(10))
    own = np.array([head_pose(points)[:2] for points in faces.landmarks.numpy()])
    source = replace(faces, pose=torch.from_numpy(own).float())
    yaw, pitch = float(own[:, 0].mean()), float(own[:, 1].mean())
    looks_away = torch.tensor([-yaw - 1 if yaw > 0 else -yaw + 1, pitch])
    target = replace(target, pose=looks_away.repeat(10, 1), expression=torch.full((10, 5), 1.5))
    mirrored = turned_towards(source, target, AugmentConfig(flip_source="pose", turn=12), 3)
    nearer = np.abs(own[:, 0] + float(looks_away[0])) < np.abs(own[:, 0] - float(looks_away[0]))
    assert nearer.any()
    assert mirrored.expression[:, YAW].tolist() == [-1.5 if away else 1.5 for away in nearer]
