"""The likeness of a crop is that of dlib's own chip."""

import numpy as np
import pytest
import torch

from understudy.faces.align import crop_matrix, transform_points, warp_crop
from understudy.faces.detect import largest_face
from understudy.faces.embedding import embed_faces
from understudy.faces.landmarks import predict
from understudy.swap.likeness import Likeness

SIZE = 128


@pytest.fixture(scope="module")
def portraits(astronaut: np.ndarray, hopper: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Crop, landmarks in it and embedding by dlib's chip, of two people."""
    found = []
    for image in (astronaut, hopper):
        face = largest_face(image)
        assert face is not None
        points = predict(image, face.box)
        matrix = crop_matrix(points, SIZE)
        found.append(
            (warp_crop(image, matrix, SIZE), transform_points(points, matrix), embed_faces([image], [points])[0])
        )
    return found


def as_tensor(crop: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 127.5 - 1


def test_near_to_oneself_and_far_from_another(portraits) -> None:
    (own, points, person), (other, *_) = portraits
    likeness = Likeness(person, np.stack([points] * 2), SIZE)
    assert float(likeness(as_tensor(own))) < 0.3
    assert float(likeness(as_tensor(other))) > 0.6


def test_descending_it_leads_to_the_person(portraits) -> None:
    (_, points, person), (other, *_) = portraits
    likeness = Likeness(person, points[None], SIZE)
    face = as_tensor(other).requires_grad_()
    before = likeness(face).sum()
    (slope,) = torch.autograd.grad(before, face)
    assert torch.isfinite(slope).all()
    outside = slope[..., :4, :4].abs().max()
    assert float(outside) == 0, "the corner of the crop is not looked at"
    assert float(likeness(face.detach() - 0.02 * slope.sign())) < float(before.detach())
