"""Faces that are turned, read with the same landmarks as any other face."""

import cv2
import numpy as np
import pytest
import torch

from understudy.faces.align import crop_matrix, transform_points, warp_crop
from understudy.faces.describe import head_pose
from understudy.faces.detect import largest_face
from understudy.faces.embedding import embed_faces
from understudy.faces.landmarks import predict
from understudy.faces.masks import hull_mask
from understudy.swap.turn import depth, turned

SIZE = 128


@pytest.fixture(scope="module", params=["astronaut", "hopper"])
def crop(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """An aligned portrait (S, S, 3) and its landmarks (68, 2)."""
    image = request.getfixturevalue(request.param)
    face = largest_face(image)
    assert face is not None
    points = predict(image, face.box)
    matrix = crop_matrix(points, SIZE)
    return warp_crop(image, matrix, SIZE), transform_points(points, matrix)


def found(crop: np.ndarray) -> np.ndarray:
    """Landmarks in a crop of known place."""
    return predict(crop, (0.2 * SIZE, 0.25 * SIZE, 0.8 * SIZE, 0.85 * SIZE))


def turn(
    crop: np.ndarray, points: np.ndarray, by: tuple[float, float], most: float = 15
) -> tuple[np.ndarray, np.ndarray]:
    """The crop turned by so many degrees, (S, S, 3), and the pose that it should have."""
    layers = torch.from_numpy(crop.transpose(2, 0, 1).copy())[None]
    wanted = np.array(head_pose(points)[:2]) + by
    out, reached = turned(layers, points[None], wanted[None], most)
    return out[0].permute(1, 2, 0).numpy(), reached[0]


@pytest.mark.parametrize("by", [(7, 0), (-7, 0), (0, 7), (0, -7), (-5, 5)])
def test_the_pose_that_is_read_afterwards_is_the_one_asked_for(
    crop: tuple[np.ndarray, np.ndarray], by: tuple[float, float]
) -> None:
    image, points = crop
    picture, reached = turn(image, points, by)
    before = np.array(head_pose(points)[:2])
    np.testing.assert_allclose(reached - before, by, atol=0.3)
    moved = np.array(head_pose(found(picture))[:2]) - np.array(head_pose(found(image))[:2])
    np.testing.assert_allclose(moved, by, atol=5)  # the landmark finder reads strange poses too small
    assert np.dot(moved, by) / np.dot(by, by) > 0.35
    same, other = embed_faces([image, picture], [points, found(picture)])
    assert np.linalg.norm(same - other) < 0.4  # the same person to face_recognition is up to 0.6


def test_a_face_in_the_wanted_pose_stays_as_it_is(crop: tuple[np.ndarray, np.ndarray]) -> None:
    picture, _ = turn(*crop, (0, 0))
    assert cv2.absdiff(picture, crop[0]).max() <= 1


def test_no_face_turns_farther_than_is_allowed(crop: tuple[np.ndarray, np.ndarray]) -> None:
    little, reached = turn(*crop, (40, 0), most=4)
    assert 1 < reached[0] - head_pose(crop[1])[0] < 5
    assert cv2.absdiff(little, crop[0]).max() > 10


def test_the_mask_turns_with_the_face(crop: tuple[np.ndarray, np.ndarray]) -> None:
    image, points = crop
    layers = np.concatenate([image.transpose(2, 0, 1), 255 * hull_mask(points, SIZE)[None]]).astype(np.uint8)
    wanted = np.array(head_pose(points)[:2]) + 6
    out, _ = turned(torch.from_numpy(layers)[None], points[None], wanted[None], 15)
    seen = hull_mask(found(out[0, :3].permute(1, 2, 0).numpy()), SIZE) > 0.5
    mask = out[0, 3].numpy() > 127
    assert (seen & mask).sum() / (seen | mask).sum() > 0.85


def test_the_tip_of_the_nose_is_nearest_and_beside_the_head_lies_nothing() -> None:
    side = np.stack(np.meshgrid(np.linspace(-1, 2, 61), np.linspace(-1.5, 2, 71)), -1)
    map_ = depth(side)
    y, x = np.unravel_index(map_.argmax(), map_.shape)
    np.testing.assert_allclose(side[y, x], (0.49, 0.515), atol=0.06)
    assert map_.min() == 0 and map_[:, 0].max() < 1e-6


def test_a_face_of_unknown_pose_is_left_alone(crop: tuple[np.ndarray, np.ndarray]) -> None:
    image, points = crop
    layers = torch.from_numpy(image.transpose(2, 0, 1).copy())[None]
    out, _ = turned(layers, points[None], np.full((1, 2), np.nan), 15)
    assert int((out.int() - layers.int()).abs().max()) <= 1
