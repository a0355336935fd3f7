import json

import pytest
import torch

from understudy.errors import UserError
from understudy.files import sha256
from understudy.weights import Weights, digest, load_weights, save_weights


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "net"
    save_weights(path, Weights("stylegan2", {"size": 64}, {"w": torch.arange(6.0).reshape(2, 3)}, {"kimg": 1.5}))
    return path


def test_weights_come_back_as_they_were(saved):
    weights = load_weights(saved, "stylegan2")
    assert weights.arguments == {"size": 64}
    assert weights.notes == {"kimg": 1.5}
    assert torch.equal(weights.tensors["w"], torch.arange(6.0).reshape(2, 3))


def test_digest_is_that_of_the_file(saved):
    assert digest(load_weights(saved)) == sha256(saved.with_suffix(".safetensors"))
    several = Weights("df", {}, {"z": torch.ones(3).half(), "a": torch.zeros(2, 2), "b": torch.tensor(4)})
    save_weights(saved, several)
    assert digest(several) == digest(load_weights(saved)) == sha256(saved.with_suffix(".safetensors"))


def test_one_flipped_byte_is_found(saved):
    file = saved.with_suffix(".safetensors")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(UserError, match="does not match the SHA-256"):
        load_weights(saved)


def test_a_missing_file_another_kind_and_a_damaged_card_are_named(saved):
    with pytest.raises(UserError, match="holds a 'stylegan2' network where 'df'"):
        load_weights(saved, "df")
    card = saved.with_suffix(".json")
    card.write_text(json.dumps({"kind": "stylegan2"}))
    with pytest.raises(UserError, match="is not a network of this project"):
        load_weights(saved)
    card.unlink()
    with pytest.raises(UserError, match=r"net\.json does not exist"):
        load_weights(saved)
