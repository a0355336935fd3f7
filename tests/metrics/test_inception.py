from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from understudy.metrics import inception_file
from understudy.metrics.config import InceptionConfig
from understudy.metrics.inception import InceptionFeature, InceptionV3
from understudy.metrics.inception_file import NAME, URL, MissingWeights, find_file, load_inception

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


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    """A file in the published layout whose tensors are views of one number each, so that it stays small."""
    state = {
        key: torch.full((), 0.01 if key.endswith("weight") else 0.5).expand(shape)
        for key, shape in published().items()
        if not key.endswith("num_batches_tracked")
    }
    path = tmp_path / NAME
    torch.save(state, path)
    return path


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


def test_a_right_file_is_found_in_torch_home_and_loads(
    small_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    place = tmp_path / "home" / "hub" / "checkpoints" / NAME
    place.parent.mkdir(parents=True)
    place.write_bytes(small_file.read_bytes())
    monkeypatch.setattr(inception_file, "SHA256", inception_file.sha256(small_file))
    assert find_file(InceptionConfig(download=False)) == place
    loaded = load_inception(place)
    assert float(loaded.Mixed_6e.branch7x7_2.conv.weight.mean()) == pytest.approx(0.01)
    assert not loaded.training


def test_a_file_with_one_byte_changed_is_refused(small_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception_file, "SHA256", inception_file.sha256(small_file))
    data = bytearray(small_file.read_bytes())
    data[len(data) // 2] ^= 1
    small_file.write_bytes(data)
    with pytest.raises(MissingWeights, match="SHA-256 differs") as told:
        find_file(InceptionConfig(weights=str(small_file)))
    assert str(small_file) in str(told.value) and URL in str(told.value)


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"fc.weight": torch.zeros(1008, 2048)}, path)
    with pytest.raises(MissingWeights, match=r"does not hold the Inception network \(entry Conv2d_1a_3x3"):
        load_inception(path)


@pytest.mark.parametrize("named", [True, False])
def test_an_absent_file_is_named_with_its_url_and_place(
    named: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = str(tmp_path / "mine.pth") if named else None
    with pytest.raises(MissingWeights) as told:
        find_file(InceptionConfig(weights=weights, download=False))
    assert str(tmp_path) in str(told.value) and URL in str(told.value)


def test_no_network_is_one_sentence_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(inception_file, "URL", "http://127.0.0.1:9/nothing.pth")
    with pytest.raises(MissingWeights, match="could not be downloaded"):
        find_file(InceptionConfig(download=True))
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_download_that_is_not_the_official_file_is_thrown_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.pth"
    wrong.write_bytes(b"an error page")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(inception_file, "URL", wrong.as_uri())
    with pytest.raises(MissingWeights, match="not the official"):
        find_file(InceptionConfig(download=True))
    assert not list((tmp_path / "home").rglob("*.pth"))
    monkeypatch.setattr(inception_file, "SHA256", inception_file.sha256(wrong))
    monkeypatch.setattr(inception_file, "BYTES", wrong.stat().st_size)
    assert find_file(InceptionConfig(download=True)).read_bytes() == b"an error page"
