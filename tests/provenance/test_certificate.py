"""The key to sign with: made once, kept private; or the user's own."""

import stat
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from understudy.datasets.picture import PictureDataset, SealedPicture
from understudy.errors import UserError
from understudy.provenance.certificate import authorities, create, identity
from understudy.provenance.config import ProvenanceConfig
from understudy.provenance.origin import describe
from understudy.provenance.seal import Seal
from understudy.provenance.verify import Code, verify


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "signing"
    first = identity(folder)
    assert first == identity(folder)
    assert first.algorithm == "es256"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert [path.name for path in folder.parent.iterdir()] == ["signing"], "nothing half made is left"
    leaf, root = x509.load_pem_x509_certificates(first.chain)
    leaf.verify_directly_issued_by(root)
    assert authorities(folder) == root.public_bytes(serialization.Encoding.PEM).decode()


def test_two_runs_that_make_a_key_at_once_share_one(tmp_path: Path) -> None:
    create(tmp_path / "signing")
    before = identity(tmp_path / "signing")
    create(tmp_path / "signing")
    assert identity(tmp_path / "signing") == before


def test_the_users_own_certificate_signs(astronaut: np.ndarray, tmp_path: Path) -> None:
    create(tmp_path / "own")
    config = ProvenanceConfig(
        folder=str(tmp_path / "unused"),
        certificate=str(tmp_path / "own/certificate.pem"),
        key=str(tmp_path / "own/key.pem"),
    )
    seal = Seal(describe("ab" * 32, {}, config), config)
    path = tmp_path / "picture.png"
    PictureDataset(filepath=str(path)).save(SealedPicture(*seal.picture(astronaut, path.name)))
    assert verify(path, tmp_path / "own").code == Code.VALID
    assert not (tmp_path / "unused").exists()


def test_each_mistake_with_an_own_certificate_is_named(tmp_path: Path) -> None:
    create(tmp_path / "own")
    create(tmp_path / "other")
    chain, key = tmp_path / "own/certificate.pem", tmp_path / "own/key.pem"
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    wrong_curve = tmp_path / "curve.pem"
    wrong_curve.write_bytes(
        ec.generate_private_key(ec.SECP256K1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    for certificate, secret, words in (
        (chain, None, "'provenance.certificate' is given without 'provenance.key'"),
        (None, key, "'provenance.key' is given without 'provenance.certificate'"),
        (tmp_path / "none.pem", key, "none.pem does not exist"),
        (text, key, "not a certificate in PEM"),
        (chain, text, "not a private key in PEM"),
        (chain, tmp_path / "other/key.pem", "is not the key of"),
        (chain, wrong_curve, "is not the key of"),
    ):
        with pytest.raises(UserError, match=words) as caught:
            identity(tmp_path / "unused", certificate, secret)
        assert "\n" not in str(caught.value)


def test_a_time_stamp_authority_that_does_not_answer_is_named_and_leaves_no_file(
    astronaut: np.ndarray, tmp_path: Path
) -> None:
    config = ProvenanceConfig(folder=str(tmp_path / "signing"), timestamp_url="http://127.0.0.1:9/")
    seal = Seal(describe("ab" * 32, {}, config), config)
    path = tmp_path / "out/picture.png"
    with pytest.raises(Exception) as caught:  # Kedro wraps it
        PictureDataset(filepath=str(path)).save(SealedPicture(*seal.picture(astronaut, path.name)))
    cause = caught.value.__cause__ or caught.value
    assert isinstance(cause, UserError) and "provenance.timestamp_url" in str(cause)
    assert not list(path.parent.iterdir())
