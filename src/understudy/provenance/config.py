"""Parameters of provenance: how results say what they are."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from understudy.config import STRICT


@dataclass(frozen=True, config=STRICT)
class ProvenanceConfig:
    """The `provenance` parameters. What is off is written into the log, `swap_origin.json` and the credentials.

    Args:
        label: burn the word into the frames that says that they are synthetic.
        watermark: write 32 invisible bits into every frame and picture of at least 65,536 pixels.
        credentials: sign videos and pictures with C2PA content credentials.
        folder: where the signing key is, made on first use.
        certificate: PEM file of your own certificate chain, the signing certificate first; null for one made here.
        key: PEM file of its private key, without a password; needed with `certificate`.
        timestamp_url: of an RFC 3161 time-stamp authority, asked at each signing; null for none, offline.
    """

    label: bool = True
    watermark: bool = True
    credentials: bool = True
    folder: str = Field(default="conf/local/signing", min_length=1)
    certificate: str | None = None
    key: str | None = None
    timestamp_url: str | None = Field(default=None, pattern="^https?://")
