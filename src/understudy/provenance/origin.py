"""What a result says of itself: by what it was made, out of whose consent, and how it is marked. No personal data."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from understudy import __version__
from understudy.config import STRICT
from understudy.files import fingerprint
from understudy.provenance.config import ProvenanceConfig
from understudy.provenance.watermark import LEAST_PIXELS, payload_of

logger = logging.getLogger(__name__)

SYNTHETIC = "trainedAlgorithmicMedia"
"""Made by a trained model alone."""

COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
"""Filmed, and partly made by a trained model: every swap, and pictures that show both."""

CLAIMS = "understudy.origin"
"""The label of this project's own assertion in a C2PA manifest."""

OFF = {
    "label": "the visible label is not burnt in",
    "watermark": "no invisible watermark is written",
    "credentials": "content credentials are not signed",
}


@checked(frozen=True, config=STRICT)
class Origin:
    """What is written into the credentials of everything that one trained model makes.

    Args:
        software: always `understudy`.
        version: of the software.
        model_sha256: of the model's `.safetensors` file.
        consents: for `source` and `target`, the fingerprint of their consent record, 16 hex digits.
        label: whether the visible label is burnt into videos.
        watermark: the payload in 8 hex digits; None when it is off.
        credentials: whether files are signed.
    """

    software: str
    version: str
    model_sha256: str
    consents: dict[str, str]
    label: bool
    watermark: str | None
    credentials: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@checked(frozen=True)
class Claims:
    """What the credentials of one file say beyond C2PA's own words. Checked when read: anyone may have signed them.

    Args:
        model_sha256: of the model's `.safetensors` file.
        consents: by who they are of, the fingerprint of their consent record.
        visible_label: whether the frames bear it.
        watermark: the payload in 8 hex digits, which all frames bear; None when they bear none.
        no_watermark: why they bear none.
        width: of the picture.
        height: of the picture.
    """

    model_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    consents: dict[str, str]
    visible_label: bool
    watermark: Annotated[str, Field(pattern="^[0-9a-f]{8}$")] | None
    no_watermark: str | None
    width: int
    height: int


def read_claims(values: Any) -> Claims | None:
    """The claims in a manifest; None when they are not of this form, and so not of this project."""
    try:
        return TypeAdapter(Claims).validate_python(values)
    except ValidationError:
        return None


def describe(model_sha256: str, consents: Mapping[str, Any], config: ProvenanceConfig) -> Origin:
    """The origin of what the model of this SHA-256 makes.

    Args:
        model_sha256: of the model's weights.
        consents: consent records as plain values, by who they are of.
        config: what is switched on.
    """
    people = {who: fingerprint(record) for who, record in sorted(consents.items())}
    payload = payload_of(model_sha256, *people.values())
    return Origin(
        software="understudy",
        version=__version__,
        model_sha256=model_sha256,
        consents=people,
        label=config.label,
        watermark=f"{payload:08x}" if config.watermark else None,
        credentials=config.credentials,
    )


def warn_of_what_is_off(config: ProvenanceConfig) -> None:
    """Log each protection that a parameter switches off."""
    for name, words in OFF.items():
        if not getattr(config, name):
            logger.warning("Parameter 'provenance.%s' is false: %s.", name, words)


def manifest(
    origin: Origin, title: str, kind: str, size: tuple[int, int], marked: bool, labelled: bool
) -> dict[str, Any]:
    """The C2PA manifest of one file, as c2pa's builder takes it.

    Args:
        origin: what the file was made by.
        title: the file's name.
        kind: `SYNTHETIC` or `COMPOSITE`.
        size: (width, height) of the picture.
        marked: whether its frames bear the watermark.
        labelled: whether its frames bear the visible label.
    """
    agent = {"name": origin.software, "version": origin.version}
    source_type = f"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}"
    actions: list[dict[str, Any]] = [
        {"action": "c2pa.created", "digitalSourceType": source_type, "softwareAgent": agent}
    ]
    if marked:
        actions.append({"action": "c2pa.watermarked.unbound", "softwareAgent": agent})
    small = f"the picture has fewer than {LEAST_PIXELS} pixels" if origin.watermark else "switched off"
    claims = Claims(
        model_sha256=origin.model_sha256,
        consents=origin.consents,
        visible_label=labelled,
        watermark=origin.watermark if marked else None,
        no_watermark=None if marked else small,
        width=size[0],
        height=size[1],
    )
    return {
        "claim_generator_info": [agent],
        "title": title,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": CLAIMS, "data": asdict(claims)},
        ],
    }
