"""The consent record of a person: `consent.yml` beside their clips.

    person: anna
    granted_by: Anna Example
    granted_on: 2026-03-01
    expires_on: 2027-03-01        # or null: no end
    scope: [train, synthesise, swap]
    how: signed form
    signed_form_sha256: null      # SHA-256 of the signed form, if there is one

When the form itself lies beside the record as `signed_form.<suffix>`, its bytes must match the stated SHA-256.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from understudy.errors import UserError
from understudy.files import sha256, write_text

FILE = "consent.yml"
USES = ("train", "synthesise", "swap")
"""What a person can agree to: training on their face, making synthetic faces of it, putting a face in or on a video."""

NEEDS = {"source": ("train", "synthesise", "swap"), "target": ("swap",)}
"""What each of the two people must have agreed to."""

_OPTIONAL = {"expires_on", "signed_form_sha256"}
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Consent:
    """One person's consent, as read from their record.

    Args:
        person: the folder's name of the person.
        granted_by: who agreed: the person, or whoever may agree for them.
        granted_on: first day on which it holds.
        expires_on: last day on which it holds; None when it has no end.
        scope: some of `USES`.
        how: how it was given, in words.
        signed_form_sha256: SHA-256 of the signed form in hex; None when there is none.
    """

    person: str
    granted_by: str
    granted_on: date
    expires_on: date | None
    scope: tuple[str, ...]
    how: str
    signed_form_sha256: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON and YAML: dates as ISO text, the scope as a list."""
        values = asdict(self) | {"scope": list(self.scope), "granted_on": self.granted_on.isoformat()}
        values["expires_on"] = self.expires_on.isoformat() if self.expires_on else None
        return values


def check(folder: Path, person: str, needs: tuple[str, ...], today: date | None = None) -> Consent:
    """Read the consent record of `person` in `folder` and see that it covers `needs`.

    Args:
        folder: the folder of the person's clips.
        person: the name the record must bear.
        needs: some of `USES`.
        today: the day it must hold on; the present day when left out.

    Raises:
        UserError: the record is missing, unreadable, incomplete, of someone else, not yet or no longer valid, does not
            cover a need, or does not match the signed form beside it.
    """
    path = Path(folder) / FILE
    consent = read_consent(path)
    if consent.person != person:
        raise UserError(
            f"{path}: 'person' is '{consent.person}' but the folder is of '{person}': "
            f"put the record of '{person}' there, or correct the name."
        )
    _require(consent, path, needs, today or date.today())
    _check_form(path, consent)
    return consent


def check_kept(record: Mapping[str, Any], needs: tuple[str, ...], today: date | None = None) -> None:
    """See that a record that was kept with results, as `as_dict` gave it, covers `needs` and still holds.

    Args:
        record: its plain values.
        needs: some of `USES`.
        today: the day it must hold on; the present day when left out.

    Raises:
        UserError: it does not.
    """
    where = f"The kept consent record of '{record.get('person')}'"
    _require(_parse(where, dict(record)), where, needs, today or date.today())


def _require(consent: Consent, path: Path | str, needs: tuple[str, ...], today: date) -> None:
    """See that a record holds on a day, and for certain uses."""
    if consent.granted_on > today:
        raise UserError(f"{path}: 'granted_on' is {consent.granted_on}, still to come: wait until then or correct it.")
    if consent.expires_on is not None and consent.expires_on < today:
        raise UserError(
            f"{path}: the consent expired, 'expires_on' is {consent.expires_on}: "
            f"ask {consent.granted_by} again and renew the record."
        )
    if missing := [use for use in needs if use not in consent.scope]:
        raise UserError(
            f"{path}: 'scope' does not hold {_names(missing)}, which this run needs: "
            f"ask {consent.granted_by} and add it, or do not use this footage so."
        )


def read_consent(path: Path) -> Consent:
    """Read a record and check its form, not whether it holds today.

    Raises:
        UserError: it is missing or unreadable, or a field is missing, unknown or of the wrong kind.
    """
    if not path.is_file():
        raise UserError(
            f"{path} is missing: write down who agreed to the use of this face, with 'understudy consent new "
            f"{path.parent.name}'."
        )
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        cause = " ".join(str(error).split())
        raise UserError(f"{path} is not readable YAML ({cause}): correct it in a text editor.") from error
    return _parse(path, values)


def _parse(path: Path | str, values: Any) -> Consent:
    """The record that plain values make, each field checked."""
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no fields: write one 'name: value' a line, beginning with 'person: <name>'.")
    known = [field.name for field in fields(Consent)]
    if unknown := [str(name) for name in values if name not in known]:
        raise UserError(f"{path}: {_names(unknown)} is not a field of a consent record: use only {', '.join(known)}.")
    if absent := [name for name in known if name not in values and name not in _OPTIONAL]:
        raise UserError(f"{path}: the field {_names(absent)} is missing: add it.")
    consent = Consent(
        person=_text(path, values, "person"),
        granted_by=_text(path, values, "granted_by"),
        granted_on=_date(path, values, "granted_on"),
        expires_on=None if values.get("expires_on") is None else _date(path, values, "expires_on"),
        scope=_scope(path, values["scope"]),
        how=_text(path, values, "how"),
        signed_form_sha256=_hash(path, values.get("signed_form_sha256")),
    )
    if consent.expires_on is not None and consent.expires_on < consent.granted_on:
        raise UserError(
            f"{path}: 'expires_on' is {consent.expires_on}, before 'granted_on', {consent.granted_on}: correct one."
        )
    return consent


def write_consent(folder: Path, consent: Consent) -> Path:
    """Write `consent` as `consent.yml` in `folder`, atomically; return its path.

    Raises:
        UserError: a field is such that the record could not be read again.
    """
    path = Path(folder) / FILE
    values = asdict(consent) | {"scope": list(consent.scope)}  # YAML knows dates
    _parse(path, values)
    write_text(path, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    return path


def _text(path: Path | str, values: dict[str, Any], name: str) -> str:
    value = values[name]
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{path}: '{name}' is {value!r} where words are needed: fill it in (numbers need quotes).")
    return value.strip()


def _date(path: Path | str, values: dict[str, Any], name: str) -> date:
    value = values[name]
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise UserError(f"{path}: '{name}' is {value!r}, not a date: write it as YYYY-MM-DD.") from None


def _scope(path: Path | str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        cause = "is empty" if value == [] else f"is {value!r}, not a list"
        raise UserError(f"{path}: 'scope' {cause}: write some of [{', '.join(USES)}].")
    if wrong := [str(use) for use in value if use not in USES]:
        raise UserError(f"{path}: 'scope' holds {_names(wrong)}, which is no known use: use {', '.join(USES)}.")
    return tuple(use for use in USES if use in value)


def _hash(path: Path | str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _SHA256.fullmatch(value.lower()):
        raise UserError(
            f"{path}: 'signed_form_sha256' is {value!r}, not a SHA-256: write its 64 hex digits in quotes, or null."
        )
    return value.lower()


def _check_form(path: Path, consent: Consent) -> None:
    forms = sorted(form for form in path.parent.glob("signed_form*") if form.stem == "signed_form" and form.is_file())
    for form in forms:
        if consent.signed_form_sha256 is None:
            raise UserError(
                f"{path}: {form.name} lies beside it but 'signed_form_sha256' is empty: write {sha256(form)} there."
            )
        if sha256(form) != consent.signed_form_sha256:
            raise UserError(
                f"{path}: 'signed_form_sha256' does not match {form.name}: put the form back that was signed, "
                "or record the new one."
            )


def _names(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
