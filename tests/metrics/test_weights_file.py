from dataclasses import replace
from pathlib import Path

import pytest
import torch

from understudy.metrics.inception_file import INCEPTION
from understudy.metrics.openface_file import OPENFACE
from understudy.metrics.weights_file import MissingWeights, Official, checksum, find_file, load_into, place

BOTH = pytest.mark.parametrize("official", [INCEPTION, OPENFACE], ids=lambda official: official.title)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "hub" / "checkpoints"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.pth"
    torch.save(torch.nn.BatchNorm1d(3).state_dict(), path)
    return path


def same(official: Official, path: Path) -> Official:
    """The official file, if it were `path`."""
    return replace(official, checksum=checksum(path, official.algorithm))


@BOTH
def test_a_right_file_is_found_in_torch_home_or_where_it_is_said_to_be(
    official: Official, small: Path, home: Path
) -> None:
    official = same(official, small)
    assert find_file(official, str(small), download=False) == small
    home.mkdir(parents=True)
    (home / official.name).write_bytes(small.read_bytes())
    assert find_file(official, None, download=False) == place(official, None) == home / official.name


@BOTH
def test_a_file_with_one_byte_changed_is_refused_named_and_kept(official: Official, small: Path) -> None:
    official = same(official, small)
    data = bytearray(small.read_bytes())
    data[len(data) // 2] ^= 1
    small.write_bytes(data)
    with pytest.raises(MissingWeights, match="differs") as told:
        find_file(official, str(small), download=True)
    assert str(small) in str(told.value) and official.url in str(told.value)
    assert small.read_bytes() == data


@BOTH
@pytest.mark.parametrize("named", [True, False])
def test_an_absent_file_is_named_with_its_url_and_place(official: Official, named: bool, tmp_path: Path) -> None:
    weights = str(tmp_path / "mine.pth") if named else None
    with pytest.raises(MissingWeights) as told:
        find_file(official, weights, download=False)
    assert str(place(official, weights)) in str(told.value) and official.url in str(told.value)


@BOTH
def test_no_network_is_one_sentence_and_leaves_nothing(official: Official, tmp_path: Path) -> None:
    official = replace(official, url="http://127.0.0.1:9/nothing.pth")
    with pytest.raises(MissingWeights, match="could not be downloaded") as told:
        find_file(official, None, download=True)
    assert official.url in str(told.value) and str(place(official, None)) in str(told.value)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@BOTH
def test_a_download_that_is_not_the_official_file_is_thrown_away(official: Official, small: Path, home: Path) -> None:
    official = replace(official, url=small.as_uri())
    with pytest.raises(MissingWeights, match="not the official"):
        find_file(official, None, download=True)
    assert not any(path.is_file() for path in home.iterdir())
    assert find_file(same(official, small), None, download=True).read_bytes() == small.read_bytes()


def test_counts_of_batches_may_be_missing_and_nothing_else(small: Path) -> None:
    state = torch.load(small, weights_only=True)
    state["weight"] += 1
    del state["num_batches_tracked"]
    torch.save(state, small)
    assert load_into(torch.nn.BatchNorm1d(3), INCEPTION, small).weight.tolist() == [2, 2, 2]
    del state["bias"]
    torch.save(state, small)
    with pytest.raises(MissingWeights, match=r"does not hold the Inception network \(entry bias"):
        load_into(torch.nn.BatchNorm1d(3), INCEPTION, small)
    with pytest.raises(MissingWeights, match="size mismatch"):
        load_into(torch.nn.BatchNorm1d(4), INCEPTION, small)


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str, bytes]]:
            return Path.write_bytes, (tmp_path / "sprung", b"")

    path = tmp_path / "trap.pth"
    torch.save({"weight": Trap()}, path)
    with pytest.raises(MissingWeights, match="does not hold the OpenFace network"):
        load_into(torch.nn.BatchNorm1d(3), OPENFACE, path)
    assert not (tmp_path / "sprung").exists()
