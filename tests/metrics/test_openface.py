from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.faces.detect import largest_face
from understudy.faces.faceset import Faceset
from understudy.faces.landmarks import predict
from understudy.metrics import openface_file
from understudy.metrics.config import OpenFaceConfig
from understudy.metrics.openface import ANCHORS, PLACES, InceptionBlock, OpenFace, cut, embed_crops
from understudy.metrics.openface_file import OPENFACE, find_openface, load_openface
from understudy.metrics.scores import openface_scores
from understudy.metrics.weights_file import checksum, home, place

TABLE = Path(__file__).parent / "openface_state_dict.tsv"
SAMPLES = {  # squared distances published in OpenFace's documentation, demo 2
    ("lennon-1", "lennon-2"): 0.763,
    ("lennon-1", "clapton-1"): 1.132,
    ("lennon-1", "clapton-2"): 1.145,
    ("lennon-2", "clapton-1"): 1.447,
    ("lennon-2", "clapton-2"): 1.521,
    ("clapton-1", "clapton-2"): 0.318,
}


@pytest.fixture(scope="module")
def network() -> OpenFace:
    """Random weights of full scale, so that activations neither vanish nor all look alike."""
    torch.manual_seed(0)
    made = OpenFace()
    for module in made.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return made


@pytest.fixture
def file(network: OpenFace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights file that passes for the official one."""
    path = tmp_path / OPENFACE.name
    torch.save(network.state_dict(), path)
    monkeypatch.setattr(openface_file, "OPENFACE", replace(OPENFACE, checksum=checksum(path, "md5")))
    return path


def test_every_key_and_shape_of_the_published_layout(network: OpenFace) -> None:
    rows = [line.split("\t") for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    published = {key: () if shape == "scalar" else tuple(map(int, shape.split("x"))) for key, shape in rows}
    assert {key: tuple(value.shape) for key, value in network.state_dict().items()} == published
    assert sum(parameter.numel() for parameter in network.parameters()) == 3_733_968


def test_sizes_along_the_way(network: OpenFace) -> None:
    sizes: dict[str, tuple[int, ...]] = {}
    names = ("conv1", "incept3a", "incept3b", "incept3c", "incept4a", "incept4e", "incept5a", "incept5b")
    hooks = [
        getattr(network, name).register_forward_hook(lambda _m, _i, out, name=name: sizes.update({name: out.shape[1:]}))
        for name in names
    ]
    out = network(torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(1)))
    for hook in hooks:
        hook.remove()
    assert [tuple(sizes[name]) for name in names] == [
        (64, 48, 48),
        (256, 12, 12),
        (320, 12, 12),
        (640, 6, 6),
        (640, 6, 6),
        (1024, 3, 3),
        (736, 3, 3),
        (736, 3, 3),
    ]
    torch.testing.assert_close(out.norm(dim=1), torch.ones(2))
    assert (out[0] - out[1]).norm() > 0.001


def unit(x: Tensor, state: dict[str, Tensor], branch: int, first: int, stride: int = 1) -> Tensor:
    """Convolution, batch norm and ReLU of a branch, written out with its entries of the file."""
    conv, norm = f"branches.{branch}.{first}.", f"branches.{branch}.{first + 1}."
    x = F.conv2d(x, state[conv + "weight"], state[conv + "bias"], stride, state[conv + "weight"].shape[-1] // 2)
    mean, variance = state[norm + "running_mean"], state[norm + "running_var"]
    x = (x - mean.view(-1, 1, 1)) / (variance.view(-1, 1, 1) + 1e-5).sqrt()
    return (x * state[norm + "weight"].view(-1, 1, 1) + state[norm + "bias"].view(-1, 1, 1)).clamp(min=0)


@pytest.mark.parametrize(
    ("name", "side", "stride", "pool", "bare"),
    [
        ("3a", 12, 1, "max", False),
        ("3b", 12, 1, "norm", False),
        ("3c", 12, 2, "max", True),
        ("5a", 3, 1, "norm", False),
    ],
)
def test_blocks_against_their_description(
    network: OpenFace, name: str, side: int, stride: int, pool: str, bare: bool
) -> None:
    block: InceptionBlock = getattr(network, f"incept{name}")
    state = block.state_dict()
    x = torch.rand(1, state["branches.0.0.weight"].shape[1], side, side, generator=torch.Generator().manual_seed(2))
    convolved = 1 if name == "5a" else 2
    parts = [unit(unit(x, state, branch, 0), state, branch, 3, stride) for branch in range(convolved)]
    windows = x.unfold(2, 3, 2 if pool == "max" else 3).unfold(3, 3, 2 if pool == "max" else 3)
    pooled = windows.amax((-1, -2)) if pool == "max" else (windows**2).sum((-1, -2)).sqrt()
    parts.append(pooled if bare else unit(pooled, state, convolved, 1))
    if not bare:
        parts.append(unit(x, state, convolved + 1, 0))
    found = block(x)
    largest, start = found.shape[-1], 0
    for part in parts:
        inside = found[:, start : start + part.shape[1]]
        border = (largest - part.shape[-1]) // 2
        kept = slice(border, border + part.shape[-1])
        torch.testing.assert_close(inside[:, :, kept, kept], part, rtol=1e-4, atol=1e-4)
        assert float(inside.abs().sum()) == pytest.approx(float(part.abs().sum()), rel=1e-4)  # zeros around
        start += part.shape[1]
    assert start == found.shape[1]


def test_eyes_and_nose_come_to_their_places(synthetic: Faceset) -> None:
    points = synthetic.landmarks()[0]
    down, across = np.mgrid[:64, :64].astype(np.uint8) * 4
    chip = cut(np.stack([across, down, down], 2), points)  # colours tell where a pixel comes from
    assert chip.shape == (96, 96, 3)
    for number, place_ in zip(ANCHORS, PLACES, strict=True):
        column, row = place_.round().astype(int)
        assert np.allclose(chip[row, column, :2] / 4, points[number], atol=0.6)
    assert np.allclose(PLACES[:2, 1].mean() - PLACES[2, 1], -33.7, atol=0.2)  # the nose is below the eyes


def test_faces_are_embedded_one_by_one_and_none_is_nan(network: OpenFace, synthetic: Faceset) -> None:
    crops, landmarks = synthetic.images(range(12)), synthetic.landmarks()
    vectors = embed_crops(network, crops, landmarks, batch=4)
    assert np.isfinite(vectors).all(1).tolist() == [True] * 10 + [False] * 2
    alone = network.embed(cut(crops[7], landmarks[7])[None])
    np.testing.assert_allclose(vectors[7], alone[0], atol=1e-5)


def test_distances_of_all_pairs_by_a_file(file: Path, synthetic: Faceset, filmed: Faceset, network: OpenFace) -> None:
    figures = openface_scores(synthetic, filmed, OpenFaceConfig(weights=str(file)))
    assert figures["missing"] is None and figures["weights_sha256"] == checksum(file, "sha256")
    vectors = embed_crops(network, synthetic.images(range(10)), synthetic.landmarks()[:10], 8).astype(np.float64)
    squared = np.array([((a - b) ** 2).sum() for a, b in combinations(vectors, 2)])
    assert figures["synthetic"]["pairs"] == 45 and figures["originals"]["pairs"] == 153
    assert figures["synthetic"]["squared_mean"] == pytest.approx(squared.mean(), rel=1e-4)
    assert figures["synthetic"]["squared_variance"] == pytest.approx(squared.var(), rel=1e-3)
    assert openface_scores(synthetic, filmed, OpenFaceConfig(weights=str(file), max_images=4))["synthetic"]["pairs"] < 7


def test_without_the_file_the_measure_names_url_and_place(
    synthetic: Faceset, filmed: Faceset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    figures = openface_scores(synthetic, filmed, OpenFaceConfig(download=False))
    assert OPENFACE.url in figures["missing"] and str(place(OPENFACE, None)) in figures["missing"]
    assert figures["synthetic"]["squared_mean"] is None
    off = openface_scores(synthetic, filmed, OpenFaceConfig(enabled=False))
    assert "evaluation.openface.enabled" in off["missing"]


def test_nobody_to_compare(file: Path, nobody: Faceset, filmed: Faceset, store: Callable[..., Faceset]) -> None:
    config = OpenFaceConfig(weights=str(file))
    for none in (nobody, store()):
        figures = openface_scores(none, filmed, config)
        assert figures["synthetic"]["squared_mean"] is None and figures["originals"]["squared_mean"] is not None
        assert "Fewer than two faces" in figures["missing"]


def test_published_distances_of_the_sample_pictures() -> None:
    if not place(OPENFACE, None).is_file():
        pytest.skip(f"the official file {place(OPENFACE, None)} is not there")
    folder = home() / "openface-images"
    names = sorted({name for pair in SAMPLES for name in pair})
    absent = [name for name in names if not (folder / f"{name}.jpg").is_file()]
    if absent:
        pytest.skip(f"OpenFace's picture {folder / absent[0]}.jpg is not there")
    network = load_openface(find_openface(OpenFaceConfig(download=False)))
    found = {}
    for name in names:
        rgb = np.ascontiguousarray(cv2.imread(str(folder / f"{name}.jpg"))[..., ::-1])
        points = predict(rgb, largest_face(rgb, upsample=1).box)
        found[name] = network.embed(cut(rgb, points)[None])[0]
    for (one, other), distance in SAMPLES.items():
        assert float(((found[one] - found[other]) ** 2).sum()) == pytest.approx(distance, abs=0.05)
