"""C2PA content credentials of a finished file: signing them, and reading them back. Nothing is sent or fetched.

They are signed last, after muxing, since every later change of the file breaks them.
"""

import json
import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import c2pa

from understudy.errors import UserError
from understudy.provenance.certificate import Identity
from understudy.provenance.origin import CLAIMS, Claims, read_claims

NO_THUMBNAILS = {"builder": {"thumbnail": {"enabled": False}}}
OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
_NOT_ABOUT_CHANGES = {"signingCredential.untrusted"}


@dataclass(frozen=True)
class Credentials:
    """What the credentials of a file say.

    Args:
        state: `valid`: there, and the file is as it was when they were signed; `broken`: there, and it is not;
            `absent`: never there, or taken off.
        problems: why they are broken, in C2PA's own codes.
        signer: the names in the signing certificate.
        known: whether the signing certificate is of an authority that was given.
        software: what made the file, with its version.
        source: the IPTC word for how it was made, such as `compositeWithTrainedAlgorithmicMedia`.
        time: when it was signed, if a time-stamp authority was asked.
        origin: this project's own claims; None in files of other software.
    """

    state: str
    problems: tuple[str, ...] = ()
    signer: str | None = None
    known: bool = False
    software: str | None = None
    source: str | None = None
    time: str | None = None
    origin: Claims | None = None


def sign(path: Path, manifest: dict[str, Any], identity: Identity, timestamp_url: str | None = None) -> None:
    """Add credentials to a PNG, JPEG or MP4 in place; it is replaced whole, or stays as it was.

    Raises:
        UserError: the certificate cannot sign, or the time-stamp authority gave no answer.
    """
    temporary = path.with_name(f"{path.stem}.signed{path.suffix}")
    info = c2pa.C2paSignerInfo(identity.algorithm, identity.chain, identity.key, timestamp_url)
    try:
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Context.from_dict(NO_THUMBNAILS) as context,
            c2pa.Builder.from_json(manifest, context=context) as builder,
        ):
            builder.sign_file(path, temporary, signer)
        os.replace(temporary, path)
    except c2pa.C2paError as error:
        cause = " ".join(str(error).split())
        asked = f" or 'provenance.timestamp_url' ({timestamp_url})" if timestamp_url else ""
        raise UserError(
            f"Content credentials could not be signed ({cause}): check 'provenance.certificate'{asked}, or switch them "
            "off with provenance.credentials=false."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path, authorities: str | None = None) -> Credentials:
    """Read and check the credentials of a file of any kind.

    Args:
        path: the file, which must exist.
        authorities: certificates as PEM whose signers count as known.
    """
    settings: dict[str, Any] = dict(OFFLINE)
    if authorities:
        settings |= {"trust": {"user_anchors": authorities}, "verify": OFFLINE["verify"] | {"verify_trust": True}}
    try:
        with c2pa.Context.from_dict(settings) as context:
            reader = c2pa.Reader.try_create(path, context=context)
            if reader is None:
                return Credentials("absent")
            with reader:
                return _credentials(json.loads(reader.json()))
    except c2pa.C2paError as error:
        # Of a file whose container cannot be read, the bytes must say whether credentials were meant to be there.
        if not _mentions_credentials(path):
            return Credentials("absent")
        return Credentials("broken", (" ".join(str(error).split()),))


def _credentials(store: dict[str, Any]) -> Credentials:
    active = store["manifests"][store["active_manifest"]]
    results = store.get("validation_results", {}).get("activeManifest", {})
    failures = {failure["code"] for failure in results.get("failure", [])}
    intact = store.get("validation_state") in {"Valid", "Trusted"}
    signature = active.get("signature_info", {})
    generator = (active.get("claim_generator_info") or [{}])[0]
    claims = {assertion["label"]: assertion["data"] for assertion in active.get("assertions", [])}
    stated: dict[str, Any] = next((data for label, data in claims.items() if label.startswith("c2pa.actions")), {})
    actions = stated.get("actions", [])
    source = next((action["digitalSourceType"] for action in actions if "digitalSourceType" in action), None)
    return Credentials(
        state="valid" if intact else "broken",
        problems=() if intact else tuple(sorted(failures - _NOT_ABOUT_CHANGES or failures)),
        signer=", ".join(signature[key] for key in ("issuer", "common_name") if signature.get(key)) or None,
        known=any(success["code"] == "signingCredential.trusted" for success in results.get("success", [])),
        software=" ".join(generator[key] for key in ("name", "version") if generator.get(key)) or None,
        source=source.rsplit("/", 1)[-1] if source else None,
        time=signature.get("time"),
        origin=read_claims(claims[CLAIMS]) if CLAIMS in claims else None,
    )


def _mentions_credentials(path: Path) -> bool:
    """Whether the file holds the name of a C2PA store anywhere."""
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"jumdc2pa") >= 0
