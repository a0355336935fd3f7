from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torchmetrics import Metric
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from understudy.metrics.inception import InceptionFeature, InceptionV3, Layer
from understudy.metrics.inception_file import INCEPTION, load_inception
from understudy.metrics.weights_file import find_file, place

TABLE = Path(__file__).parent / "inception_fid_state_dict.tsv"


def published() -> dict[str, tuple[int, ...]]:
    """Keys and shapes of the official file."""
    rows = [line.split("\t") for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return {key: () if shape == "scalar" else tuple(map(int, shape.split("x"))) for key, shape in rows}


@pytest.fixture(scope="module")
def network() -> InceptionV3:
    torch.manual_seed(0)
    made = InceptionV3()
    for module in made.modules():  # keep activations alive through 94 random convolutions
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    return made


def test_every_key_and_shape_of_the_published_layout(network: InceptionV3) -> None:
    ours = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert ours == published()
    assert sum(parameter.numel() for parameter in network.parameters()) == 23_850_960


def test_layers_have_their_widths_and_pool_as_the_graph_does(network: InceptionV3) -> None:
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    found = network.features(images)
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "64": (2, 64),
        "192": (2, 192),
        "768": (2, 768),
        "2048": (2, 2048),
        "logits_unbiased": (2, 1008),
    }
    assert all(value.isfinite().all() and value.std() > 0 for value in found.values())
    torch.testing.assert_close(found["logits_unbiased"], found["2048"] @ network.fc.weight.T)
    torch.testing.assert_close(InceptionFeature(network, "768")(images), found["768"])


def test_pool_branches_leave_padding_out_and_the_last_takes_the_maximum(network: InceptionV3) -> None:
    x = torch.ones(1, 192, 35, 35)
    pooled = network.Mixed_5b(x)[:, -32:]
    expected = network.Mixed_5b.branch_pool(x)  # a mean without padding leaves a constant as it is, borders too
    torch.testing.assert_close(pooled, expected)
    y = torch.randn(1, 2048, 8, 8, generator=torch.Generator().manual_seed(2))
    maxima = network.Mixed_7c.branch_pool(F.max_pool2d(y, 3, 1, 1))
    torch.testing.assert_close(network.Mixed_7c(y)[:, -192:], maxima)


def test_pixels_are_scaled_by_128_and_resized_only_when_needed(network: InceptionV3) -> None:
    flat = torch.full((1, 3, 64, 64), 192, dtype=torch.uint8)
    assert network.prepare(flat).shape == (1, 3, 299, 299)
    torch.testing.assert_close(network.prepare(flat), torch.full((1, 3, 299, 299), 0.5))
    exact = torch.randint(0, 256, (1, 3, 299, 299), dtype=torch.uint8)
    torch.testing.assert_close(network.prepare(exact), (exact.float() - 128) / 128)
    with pytest.raises(ValueError, match="uint8"):
        network.features(torch.zeros(1, 3, 64, 64))


@pytest.fixture(scope="module")
def official() -> InceptionV3:
    path = place(INCEPTION, None)
    if not path.is_file():
        pytest.skip(f"the official file {path} is not there")
    return load_inception(find_file(INCEPTION, None, download=False))


def noise(low: int, high: int) -> torch.Tensor:
    return torch.randint(low, high, (100, 3, 299, 299), dtype=torch.uint8)


@pytest.mark.parametrize(
    ("make", "layer", "mean", "std", "near"),
    [
        (FrechetInceptionDistance, "64", 12.6388, None, 0.005),
        (lambda feature: KernelInceptionDistance(feature=feature, subset_size=50), "2048", 0.0312, 0.0025, 0.001),
        (lambda feature: InceptionScore(feature=feature), "logits_unbiased", 1.0549, 0.0121, 0.001),
    ],
)
def test_the_examples_of_torchmetrics(
    official: InceptionV3, make: Callable[..., Metric], layer: Layer, mean: float, std: float | None, near: float
) -> None:
    metric = make(feature=InceptionFeature(official, layer))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(42)
        if std is None or layer == "2048":
            metric.update(noise(0, 200), real=True)
            metric.update(noise(100, 255), real=False)
        else:
            metric.update(noise(0, 255))
        found = metric.compute()
    if std is None:
        assert float(found) == pytest.approx(mean, abs=near)
    else:
        assert [float(value) for value in found] == pytest.approx([mean, std], abs=near)
