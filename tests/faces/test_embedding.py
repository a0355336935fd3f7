import dlib
import numpy as np
import pytest
import torch

from understudy.errors import UserError
from understudy.faces.detect import largest_face
from understudy.faces.dlib_weights import Reader, read_network
from understudy.faces.embedding import chip, embed_faces, load_embedder
from understudy.faces.identity import TOLERANCE, distances, medoid, medoid_row
from understudy.faces.landmarks import predict, predict5
from understudy.faces.models import model_path, shape_predictor


def shades():
    row, column = np.mgrid[:150, :150]
    return np.stack([row, column, (row + column) // 2], -1).astype(np.uint8)


@pytest.mark.parametrize(
    ("image", "first", "length"),
    [
        (np.full((150, 150, 3), 128, np.uint8), [-0.0390527, 0.1228131, 0.0530471, -0.0078095], 1.3428062),
        (shades(), [-0.0761956, 0.1301114, 0.0313395, -0.0744697], 1.3556220),
    ],
)
def test_vectors_of_plain_images_are_dlibs(image, first, length):
    vector = load_embedder().embed_chips(image[None])[0]
    assert np.abs(vector[:4] - first).max() < 1e-6
    assert abs(np.linalg.norm(vector) - length) < 1e-6


def test_weights_read_are_the_stated_ones():
    layers = read_network(model_path("embedding")).layers
    values = np.concatenate([part.reshape(-1) for layer in layers for part in (layer.weight, layer.bias)]).astype(float)
    assert len(values) == 5_614_592
    assert abs(values.sum() - 28099.428485) < 1e-5
    assert abs(np.abs(values).sum() - 39989.701023) < 1e-5


@pytest.mark.parametrize("points", ["5", "68"])
def test_faces_get_dlibs_own_vectors(astronaut, hopper, points):
    network = dlib.face_recognition_model_v1(str(model_path("embedding")))
    vectors = []
    for image in (astronaut, hopper):
        box = largest_face(image).box
        landmarks = (predict if points == "68" else predict5)(image, box)
        shape = shape_predictor(points)(image, dlib.rectangle(*map(int, box)))
        assert (chip(image, landmarks) == dlib.get_face_chip(image, shape, 150, 0.25)).all()
        theirs = np.array(network.compute_face_descriptor(image, shape))
        vectors.append(embed_faces([image], [landmarks])[0])
        assert np.abs(vectors[-1] - theirs).max() < 1e-5
    assert np.linalg.norm(vectors[0] - vectors[1]) > TOLERANCE


def test_batches_of_any_size_agree_and_none_is_fine():
    chips = np.random.default_rng(0).integers(0, 256, (17, 150, 150, 3), dtype=np.uint8)
    together = load_embedder().embed_chips(chips)
    assert together.shape == (17, 128)
    assert np.abs(together[16] - load_embedder().embed_chips(chips[16:])[0]).max() < 1e-5
    assert embed_faces([], []).shape == (0, 128)


def test_wrong_chips_are_refused():
    with pytest.raises(ValueError, match="chips must be uint8"):
        load_embedder().embed_chips(np.zeros((1, 3, 150, 150), np.uint8))


def test_gradients_reach_the_image():
    image = torch.from_numpy(shades()).permute(2, 0, 1)[None] / 127.5 - 1
    image.requires_grad_(True)
    vector = load_embedder()(image)
    assert np.abs(vector.detach().numpy() - load_embedder().embed_chips(shades()[None])).max() < 1e-5
    vector.square().sum().backward()
    assert image.grad is not None and image.grad.abs().max() > 0


@pytest.mark.parametrize("damage", ["short", "other", "flipped"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    data = bytearray(model_path("embedding").read_bytes())
    if damage == "short":
        data = data[:-40_000]
    elif damage == "other":
        data = data.replace(b"affine_", b"affine2")
    else:
        data[335] ^= 0x7F
    path = tmp_path / "net.dat"
    path.write_bytes(data)
    with pytest.raises(UserError, match="not dlib's face network"):
        read_network(path)


def test_primitive_types_of_the_format():
    assert Reader(bytes.fromhex("0100")).integer() == 0
    assert Reader(bytes.fromhex("02 00 01")).integer() == 256
    assert Reader(bytes.fromhex("81 1c")).integer() == -28
    assert Reader(bytes.fromhex("03 0a d7 a3 81 1c")).real() == float(np.float32(0.04))
    assert Reader(bytes.fromhex("01 10 81 04")).real() == 1.0


def test_distances_and_medoid():
    points = np.array([[0, 0], [3, 4], [0.1, 0], [np.nan, 0]], np.float32)
    away = distances(points[:3], points[:2])
    assert np.allclose(away, [[0, 5], [5, 0], [0.1, np.hypot(2.9, 4)]], atol=1e-6)
    assert medoid_row(points) == 2
    assert np.allclose(medoid(points), [0.1, 0])
    with pytest.raises(ValueError, match="no embedding"):
        medoid(points[3:])
