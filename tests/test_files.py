import json

import pytest

from understudy.errors import UserError
from understudy.files import atomic_path, fingerprint, require_space, safe_name, sha256, write_json


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("killed")
    assert json.loads(path.read_text()) == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path):
    (tmp_path / ".result.tmpabc.json").write_text("half")
    (tmp_path / ".other.tmpabc.json").write_text("half")
    write_json(tmp_path / "result.json", {})
    assert sorted(file.name for file in tmp_path.iterdir()) == [".other.tmpabc.json", "result.json"]


def test_nan_is_refused_in_json(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../etc", "a/b", "", ".hidden", "-rf", "a b", "x" * 65])
def test_a_name_that_would_leave_its_folder_is_refused(name):
    with pytest.raises(UserError, match="folder's name"):
        safe_name(name, "source")


def test_fingerprints_depend_on_values_and_not_on_the_order_of_keys():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1}) != fingerprint({"a": 1, "b": 3})


def test_a_full_disk_is_named_with_what_is_needed(tmp_path):
    with pytest.raises(UserError, match="needs 1000000000000000 MB"):
        require_space(tmp_path, 10**21)


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256(tmp_path / "x").startswith("ba7816bf8f01cfea")
