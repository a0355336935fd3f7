"""The certificate that content credentials are signed with: one made on this machine, or the user's own.

One made here names nobody. It shows that a file is as it was when it was signed, and lets whoever holds `authority.pem`
of the signing folder recognise it. Who the signer is, only a certificate of a public authority can say.
"""

import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from understudy.errors import UserError

logger = logging.getLogger(__name__)

YEARS = 10
"""How long a certificate made here holds. A signature without a time stamp ends with its certificate."""

CHAIN, KEY, AUTHORITY = "certificate.pem", "key.pem", "authority.pem"
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Identity:
    """What signing needs.

    Args:
        algorithm: C2PA's name of the signature, such as `es256`.
        chain: the certificates as PEM, the signing one first.
        key: the private key as PEM.
    """

    algorithm: str
    chain: bytes
    key: bytes


def identity(folder: Path, certificate: Path | None = None, key: Path | None = None) -> Identity:
    """The user's own certificate and key, or those in `folder`, which are made if there are none.

    Raises:
        UserError: only one of the user's own is given, or a file is missing, unreadable or of another key.
    """
    if (certificate is None) != (key is None):
        given, other = ("certificate", "key") if certificate else ("key", "certificate")
        raise UserError(f"Parameter 'provenance.{given}' is given without 'provenance.{other}': give both, or neither.")
    if certificate is None or key is None:
        if not folder.exists():
            create(folder)
        certificate, key = folder / CHAIN, folder / KEY
    for path in (certificate, key):
        if not path.is_file():
            raise UserError(f"The signing file {path} does not exist: put it there, or correct 'provenance'.")
    chain, secret = certificate.read_bytes(), key.read_bytes()
    return Identity(_algorithm(certificate, chain, key, secret), chain, secret)


def authorities(folder: Path) -> str | None:
    """The certificate of the authority in a signing folder, as PEM; None when there is no such folder."""
    path = folder / AUTHORITY
    return path.read_text() if path.is_file() else None


def create(folder: Path) -> None:
    """Make an authority, a signing certificate and its key, for ES256; the folder appears whole or not at all.

    The authority's own key is thrown away: nothing else can be signed in its name.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("understudy authority of this machine", root_key, None, root_key)
    leaf = _certificate("understudy on this machine", leaf_key, root, root_key)
    pem = serialization.Encoding.PEM
    secret = leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.tmp"))  # readable by its owner only
    try:
        for name, content in (
            (KEY, secret),
            (CHAIN, leaf.public_bytes(pem) + root.public_bytes(pem)),
            (AUTHORITY, root.public_bytes(pem)),
        ):
            path = temporary / name
            path.touch(mode=0o600)
            path.write_bytes(content)
        try:
            os.rename(temporary, folder)
        except OSError:
            # Another run was first: its key is as good. A folder that cannot be made for another reason is an error.
            if not (folder / KEY).is_file():
                raise
            return
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    logger.info("A key to sign with was made in %s: keep it to yourself.", folder)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """A certificate as C2PA wants it: an authority when `issuer` is None, else one for signing only."""
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "understudy"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    root = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not root, key_cert_sign=root, crl_sign=root, **usage), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _algorithm(certificate: Path, chain: bytes, key: Path, secret: bytes) -> str:
    """Which signature the key makes, having seen that it is the certificate's."""
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise UserError(f"{certificate} is not a certificate in PEM ({error}): export it as PEM.") from error
    try:
        private = serialization.load_pem_private_key(secret, None)
    except (ValueError, TypeError) as error:
        raise UserError(f"{key} is not a private key in PEM without a password ({error}): export it so.") from error
    if private.public_key() != leaf.public_key():
        raise UserError(f"{key} is not the key of {certificate}: give the two that belong together.")
    if leaf.not_valid_after_utc < datetime.now(UTC):
        raise UserError(
            f"{certificate} ended on {leaf.not_valid_after_utc:%Y-%m-%d}: renew it; one that was made here is made "
            f"anew when the folder {certificate.parent} is moved away."
        )
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return _CURVES[private.curve.name]
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise UserError(f"{key} is of a kind that C2PA cannot sign with: use ES256 (P-256), RSA or Ed25519.")
