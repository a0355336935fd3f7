import cv2
import numpy as np
import pytest

from understudy.faces import describe
from understudy.faces.align import crop_matrix, transform_points, warp_crop
from understudy.faces.detect import largest_face
from understudy.faces.faceset import SCHEMA, decode_image
from understudy.faces.landmarks import predict


@pytest.fixture(scope="module")
def faces(astronaut, hopper):
    """Crop, landmarks and matrix of both portraits at 128 pixels."""
    out = []
    for image in (astronaut, hopper):
        points = predict(image, largest_face(image).box)
        matrix = crop_matrix(points, 128)
        out.append((warp_crop(image, matrix, 128), transform_points(points, matrix), matrix))
    return out


@pytest.mark.parametrize("pose", [(0, 0, 0), (20, 0, 0), (-12, 8, 0), (5, -15, 10)])
def test_pose_of_a_turned_model_is_recovered(pose):
    yaw, pitch, roll = np.radians(pose)
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    points = np.zeros((68, 2))
    # Seen from far away: the mean face's own picture when it is not turned.
    points[describe._NUMBERS] = (describe._MODEL @ (about_z @ about_y @ about_x).T)[:, :2] * 300 + (400, 90)
    for eye in (36, 42):  # the model holds only the corners
        points[[eye + 1, eye + 2, eye + 4, eye + 5]] = (points[eye] + points[eye + 3]) / 2
    found = describe.head_pose(points)
    assert np.allclose(found[:2], pose[:2], atol=2)
    assert abs(found[2] - pose[2]) < 1


def test_portraits_have_a_plausible_pose_and_roll_is_the_heads_own(faces):
    for crop, points, matrix in faces:
        scores = describe.score_face(crop, points, matrix)
        assert abs(scores.yaw) < 12 and abs(scores.pitch) < 15 and abs(scores.roll) < 10
    crop, points, matrix = faces[0]
    turned = cv2.getRotationMatrix2D((0, 0), 20, 1)  # anticlockwise in the image
    onto = np.hstack([matrix[:, :2] @ np.linalg.inv(turned[:, :2]), matrix[:, 2:]])
    change = describe.score_face(crop, points, onto).roll - describe.score_face(crop, points, matrix).roll
    assert abs(change + 20) < 1e-3


def test_blur_falls_with_blurring_and_ignores_the_background(faces):
    crop, points, _ = faces[0]
    sharp = describe.score_face(crop, points)
    soft = describe.score_face(cv2.GaussianBlur(crop, (0, 0), 2), points)
    assert soft.blur < sharp.blur / 10
    noisy = crop.copy()
    noisy[:12] = np.random.default_rng(0).integers(0, 255, noisy[:12].shape)
    assert describe.score_face(noisy, points).blur == sharp.blur
    assert describe.score_face(crop // 2, points).exposure == pytest.approx(sharp.exposure / 2, abs=1)


def test_mouth_eyes_and_brows_are_measured(faces):
    _, points, _ = faces[1]
    closed = describe.mouth_open(points)
    opened = points.copy()
    opened[65:68, 1] += 8
    assert describe.mouth_open(opened) > closed + 0.1
    raised = points.copy()
    raised[17:27, 1] -= 4
    assert describe.brow_height(raised) > describe.brow_height(points) + 0.05
    shut = points.copy()
    shut[[37, 38, 43, 44], 1] = shut[[41, 40, 47, 46], 1]
    assert describe.eye_open(shut) < describe.eye_open(points) / 2
    assert describe.mouth_open(points * 3 + 7) == pytest.approx(closed, rel=1e-4)


def test_crops_become_rows_and_faceless_ones_are_nan(faces):
    small = [cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA) for crop, _, _ in faces]
    images = np.stack([small[0], np.full((64, 64, 3), 90, np.uint8), small[1]])
    table = describe.describe_crops(images, first_frame=10, seeds=[7, 8, 9])
    assert table.schema == SCHEMA
    rows = table.to_pylist()
    assert [row["frame"] for row in rows] == [10, 11, 12] and [row["seed"] for row in rows] == [7, 8, 9]
    assert np.isfinite([row["score"] for row in rows]).tolist() == [True, False, True]
    assert np.isnan(rows[1]["embedding"]).all() and np.isnan(rows[1]["landmarks"]).all() and np.isnan(rows[1]["blur"])
    assert np.abs(decode_image(rows[2]["image"]).astype(int) - images[2]).mean() < 4
    for row, (_, points, _) in zip((rows[0], rows[2]), faces, strict=True):
        seen = np.reshape(row["landmarks"], (68, 2))
        assert np.abs(seen - (points + 0.5) / 2 + 0.5).mean() < 1.5  # the same face at half the size


def test_embeddings_of_crops_are_those_of_face_recognition(faces):
    face_recognition = pytest.importorskip("face_recognition")
    crop = faces[0][0]
    large = cv2.resize(crop, (256, 256), interpolation=cv2.INTER_CUBIC)
    theirs = face_recognition.face_encodings(large)
    ours = describe.describe_crops(crop[None]).column("embedding")[0].as_py()
    assert len(theirs) == 1 and np.abs(theirs[0] - ours).max() < 1e-5
