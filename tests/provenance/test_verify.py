"""What `verify` says of our files, of changed ones, of ones encoded anew, and of others."""

import json
import shutil
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from moving import frames, write

from understudy.cli import understudy
from understudy.datasets.picture import PictureDataset, SealedPicture
from understudy.provenance import credentials
from understudy.provenance.config import ProvenanceConfig
from understudy.provenance.origin import describe, warn_of_what_is_off
from understudy.provenance.seal import Seal
from understudy.provenance.verify import Code, verify
from understudy.video.decode import decode
from understudy.video.encode import write_like


def test_our_video_is_valid_and_says_what_it_is(clip: Path, signing: Path, seal: Seal) -> None:
    verdict = verify(clip, signing)
    assert verdict.code == Code.VALID
    said = verdict.credentials
    assert said is not None and said.origin is not None
    assert said.known and said.source == "compositeWithTrainedAlgorithmicMedia"
    assert said.software is not None and said.software.startswith("understudy ")
    assert said.origin.model_sha256 == "ab" * 32
    assert said.origin.visible_label and said.origin.watermark == seal.origin.watermark
    assert set(said.origin.consents) == {"source", "target"}
    assert verdict.bits_right() == 32
    text = clip.read_bytes()
    assert b"Anna" not in text and b"anna" not in text, "no personal data"
    assert len(list(clip.parent.iterdir())) == 1, "nothing is left beside it"


def test_without_the_key_s_folder_it_is_valid_of_an_unknown_signer(clip: Path, tmp_path: Path) -> None:
    verdict = verify(clip, tmp_path / "elsewhere")
    assert verdict.code == Code.VALID and verdict.credentials is not None and not verdict.credentials.known
    assert "does not know" in "\n".join(verdict.lines())


@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_one_changed_byte_breaks_it(clip: Path, signing: Path, tmp_path: Path, share: float) -> None:
    data = bytearray(clip.read_bytes())
    data[int(share * len(data))] ^= 1
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(data)
    verdict = verify(changed, signing)
    assert verdict.code == Code.BROKEN
    assert verdict.credentials is not None and verdict.credentials.problems
    assert verdict.credentials.known, "it is our own file that was changed"


def test_damaged_credentials_are_broken_and_not_absent(clip: Path, signing: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    for at in range(data.index(b"c2pa.claim") + 40, data.index(b"c2pa.claim") + 60):
        data[at] ^= 0xFF
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(data)
    assert verify(changed, signing).code == Code.BROKEN


@pytest.mark.parametrize("scale", [0.75, 1.0])
def test_encoded_anew_the_watermark_is_left(
    clip: Path, signing: Path, seal: Seal, tmp_path: Path, scale: float
) -> None:
    again = tmp_path / "again.mp4"
    pictures = (
        cv2.resize(frame.rgb(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for frame in decode(clip)
    )
    write_like(clip, again, pictures, crf=23)
    verdict = verify(again, signing)
    assert verdict.code == Code.WATERMARK_ONLY
    assert verdict.credentials is not None and verdict.credentials.state == "absent"
    assert verdict.watermark is not None
    wrong = verdict.watermark.payload ^ int(seal.origin.watermark or "0", 16)
    assert wrong.bit_count() <= 1, "at least 95 % of 32 bits"
    assert abs(verdict.watermark.width - 360) <= 1 and abs(verdict.watermark.height - 288) <= 1


def test_a_foreign_video_is_neither(astronaut: np.ndarray, signing: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.mp4"
    write(foreign, frames(astronaut))
    verdict = verify(foreign, signing)
    assert verdict.code == Code.NEITHER
    assert "not show that the file is genuine" in verdict.lines()[0]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_pictures_are_signed_before_they_get_their_name(
    astronaut: np.ndarray, signing: Path, seal: Seal, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"stills{suffix}"
    dataset = PictureDataset(filepath=str(path))
    dataset.save(SealedPicture(*seal.picture(astronaut, path.name, labelled=True)))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    verdict = verify(path, signing)
    assert verdict.code == Code.VALID and verdict.bits_right() == 32
    assert dataset.load().shape == astronaut.shape

    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert verify(path, signing).code == Code.BROKEN

    cv2.imwrite(str(path), cv2.cvtColor(seal.picture(astronaut, "x")[0], cv2.COLOR_RGB2BGR))
    assert verify(path, signing).code == Code.WATERMARK_ONLY


def test_a_small_picture_says_why_it_bears_no_watermark(
    astronaut: np.ndarray, signing: Path, seal: Seal, tmp_path: Path
) -> None:
    path = tmp_path / "small.png"
    PictureDataset(filepath=str(path)).save(SealedPicture(*seal.picture(astronaut[:64, :64], path.name)))
    said = verify(path, signing).credentials
    assert said is not None and said.origin is not None
    assert said.origin.watermark is None and "fewer than 65536 pixels" in str(said.origin.no_watermark)


def test_what_is_off_is_logged_and_signed(
    astronaut: np.ndarray, signing: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = ProvenanceConfig(label=False, watermark=False, folder=str(signing))
    warn_of_what_is_off(config)
    assert "provenance.label" in caplog.text and "provenance.watermark" in caplog.text
    seal = Seal(describe("cd" * 32, {}, config), config)
    picture = frames(astronaut)[0]
    assert (seal.paint()(picture) == picture).all()
    path = tmp_path / "plain.mp4"
    seal.video(path.name, partial(write, pictures=[picture] * 3))(path)
    verdict = verify(path, signing)
    assert verdict.code == Code.VALID and verdict.credentials is not None and verdict.credentials.origin is not None
    assert not verdict.credentials.origin.visible_label
    assert verdict.credentials.origin.no_watermark == "switched off"


def test_without_credentials_nothing_is_signed_and_no_key_is_made(astronaut: np.ndarray, tmp_path: Path) -> None:
    config = ProvenanceConfig(credentials=False, folder=str(tmp_path / "signing"))
    seal = Seal(describe("cd" * 32, {}, config), config)
    path = tmp_path / "marked.png"
    PictureDataset(filepath=str(path)).save(SealedPicture(*seal.picture(astronaut, path.name)))
    assert not (tmp_path / "signing").exists()
    assert verify(path, tmp_path).code == Code.WATERMARK_ONLY


def test_the_label_is_burnt_in_before_the_watermark(astronaut: np.ndarray, seal: Seal) -> None:
    picture = frames(astronaut)[0]
    labelled, plain = seal.paint()(picture), seal.paint(label=False)(picture)
    assert np.abs(labelled[:200].astype(int) - plain[:200]).max() == 0
    assert np.abs(labelled[250:, 200:].astype(int) - picture[250:, 200:]).mean() > 10


def test_claims_of_another_form_are_not_believed(clip: Path, signing: Path) -> None:
    said = credentials.read(clip)
    assert said.origin is not None
    assert credentials.read_claims({"model_sha256": "\x1b[31m", "consents": []}) is None


def test_the_command_words_json_and_exit_codes(clip: Path, signing: Path, tmp_path: Path) -> None:
    text, empty = tmp_path / "a.mp4", tmp_path / "b.png"
    text.write_text("no video")
    empty.touch()
    copy = tmp_path / "any name.bin"
    shutil.copy(clip, copy)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(understudy, ["verify", "--signing", str(signing), *words])
        return done.exit_code, done.output

    code, words = run(str(copy))
    assert code == Code.VALID and "this machine's own key" in words and "32 of 32 bits" in words
    code, words = run(str(clip), str(text), str(empty), str(tmp_path / "none.mp4"))
    assert code == Code.UNREADABLE and "Traceback" not in words
    assert "no file of this name" in words
    code, words = run("--json", str(clip), str(text))
    clean, broken = json.loads(words)
    assert code == Code.UNREADABLE
    assert (clean["verdict"], clean["credentials"]["state"], clean["watermark"]["bits_right"]) == ("valid", "valid", 32)
    assert broken["verdict"] == "unreadable" and broken["problem"]
