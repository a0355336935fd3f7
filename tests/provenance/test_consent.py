"""The consent record: what it accepts, and the sentence it gives for each mistake."""

import hashlib
from datetime import date
from pathlib import Path

import pytest

from understudy.errors import UserError
from understudy.provenance.consent import Consent, check, check_kept, read_consent, write_consent

TODAY = date(2026, 6, 1)
GOOD = Consent("anna", "Anna Example", date(2026, 3, 1), date(2026, 12, 31), ("train", "swap"), "signed form")


def record(folder: Path, **changes: object) -> Path:
    """Write the good record with some fields changed; a change to `...` leaves the field out."""
    lines = {
        "person": "anna",
        "granted_by": "Anna Example",
        "granted_on": "2026-03-01",
        "expires_on": "2026-12-31",
        "scope": "[train, swap]",
        "how": "signed form",
        "signed_form_sha256": "null",
    } | changes
    text = "".join(f"{name}: {value}\n" for name, value in lines.items() if value is not ...)
    (folder / "consent.yml").write_text(text)
    return folder


def test_good_record_is_read(tmp_path: Path) -> None:
    assert check(record(tmp_path), "anna", ("train", "swap"), TODAY) == GOOD


def test_written_record_is_read_back(tmp_path: Path) -> None:
    path = write_consent(tmp_path, GOOD)
    assert read_consent(path) == GOOD
    assert GOOD.as_dict()["expires_on"] == "2026-12-31"
    assert GOOD.as_dict()["scope"] == ["train", "swap"]


def test_record_without_end_and_without_form(tmp_path: Path) -> None:
    record(tmp_path, expires_on=..., signed_form_sha256=...)
    assert check(tmp_path, "anna", (), date(2999, 1, 1)).expires_on is None


def test_last_day_still_holds(tmp_path: Path) -> None:
    assert check(record(tmp_path), "anna", ("swap",), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"granted_on": ...}, "'granted_on' is missing"),
        ({"granted_on": "soon"}, "'granted_on' is 'soon', not a date"),
        ({"granted_on": "2026-07-01"}, "still to come"),
        ({"expires_on": "2026-05-31"}, "'expires_on' is 2026-05-31"),
        ({"expire_on": "2027-01-01"}, "'expire_on' is not a field"),
        ({"scope": "[train]"}, "'scope' does not hold 'swap'"),
        ({"scope": "[train, swaps]"}, "'swaps', which is no known use"),
        ({"scope": "swap"}, "not a list"),
        ({"scope": "[]"}, "'scope' is empty"),
        ({"expires_on": "2026-02-01"}, "'expires_on' is 2026-02-01, before 'granted_on'"),
        ({"granted_by": "7"}, "'granted_by' is 7 where words are needed"),
        ({"how": ""}, "'how' is None"),
        ({"person": "bert"}, "'person' is 'bert'"),
        ({"signed_form_sha256": "abc"}, "not a SHA-256"),
        ({"scope": "[train"}, "not readable YAML"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    record(tmp_path, **changes)
    with pytest.raises(UserError) as caught:
        check(tmp_path, "anna", ("swap",), TODAY)
    message = str(caught.value)
    assert words in message
    assert str(tmp_path / "consent.yml") in message
    assert "\n" not in message


def test_missing_record_and_empty_record(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is missing: write down who agreed"):
        check(tmp_path, "anna", ("swap",), TODAY)
    (tmp_path / "consent.yml").write_text("\n")
    with pytest.raises(UserError, match="holds no fields"):
        check(tmp_path, "anna", ("swap",), TODAY)


def test_signed_form_must_match(tmp_path: Path) -> None:
    form = tmp_path / "signed_form.pdf"
    form.write_bytes(b"I agree.")
    digest = hashlib.sha256(b"I agree.").hexdigest()
    record(tmp_path, signed_form_sha256=f'"{digest}"')
    assert check(tmp_path, "anna", ("swap",), TODAY).signed_form_sha256 == digest
    form.write_bytes(b"I agree to more.")
    with pytest.raises(UserError, match=r"does not match signed_form\.pdf"):
        check(tmp_path, "anna", ("swap",), TODAY)
    record(tmp_path)
    with pytest.raises(UserError, match="is empty"):
        check(tmp_path, "anna", ("swap",), TODAY)


def test_a_kept_record_must_still_hold() -> None:
    check_kept(GOOD.as_dict(), ("train",), TODAY)
    with pytest.raises(UserError, match=r"kept consent record of 'anna': the consent expired, 'expires_on' is 2026"):
        check_kept(GOOD.as_dict(), ("train",), date(2027, 1, 1))
    with pytest.raises(UserError, match=r"'scope' does not hold 'synthesise'"):
        check_kept(GOOD.as_dict(), ("train", "synthesise"), TODAY)


def test_a_record_that_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'scope' is empty"):
        write_consent(tmp_path / "anna", Consent("anna", "Anna", TODAY, None, (), "by word"))
    assert not (tmp_path / "anna").exists()
