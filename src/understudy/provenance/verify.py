"""What a file is: credentials valid, broken or absent; watermark found or not."""

from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import cv2

from understudy.errors import UserError
from understudy.provenance.certificate import authorities
from understudy.provenance.credentials import Credentials, read
from understudy.provenance.search import Mark, sample_video, search
from understudy.provenance.watermark import BITS


class Code(IntEnum):
    """The exit code of `understudy verify`; of several files, the highest."""

    VALID = 0
    BROKEN = 1
    WATERMARK_ONLY = 2
    NEITHER = 3
    UNREADABLE = 4


SUMMARY = {
    Code.VALID: "The credentials are valid: the file is as it was when they were signed.",
    Code.BROKEN: "The credentials are broken: the file was changed after they were signed, so do not rely on them.",
    Code.WATERMARK_ONLY: "No credentials, but the watermark of understudy: it was made with it and changed since.",
    Code.NEITHER: "Neither credentials nor the watermark of understudy. That does not show that the file is genuine.",
    Code.UNREADABLE: "The file cannot be read as a picture or video.",
}

_MADE = {
    "trainedAlgorithmicMedia": "made by a trained model",
    "compositeWithTrainedAlgorithmicMedia": "filmed, and partly made by a trained model",
}


@dataclass(frozen=True)
class Verdict:
    """What is known of one file.

    Args:
        file: its path, as given.
        code: what it is.
        credentials: what they say; None when the file cannot be read.
        watermark: the best reading of one; None when the picture is too small for one or cannot be decoded.
        problem: why it cannot be read, or why no watermark could be looked for.
    """

    file: str
    code: Code
    credentials: Credentials | None = None
    watermark: Mark | None = None
    problem: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, the payload in hex."""
        values = asdict(self) | {"code": int(self.code), "verdict": self.code.name.lower()}
        if self.watermark is not None:
            values["watermark"]["payload"] = f"{self.watermark.payload:08x}"
            values["watermark"]["bits_right"] = self.bits_right()
        return values

    def bits_right(self) -> int | None:
        """How many of the 32 bits are those that the credentials name; None when none are named."""
        origin = self.credentials.origin if self.credentials else None
        if self.watermark is None or origin is None or origin.watermark is None:
            return None
        return BITS - (int(origin.watermark, 16) ^ self.watermark.payload).bit_count()

    def lines(self) -> list[str]:
        """The verdict in words, the summary first, without characters that could steer a terminal."""
        return ["".join(letter if letter.isprintable() else "?" for letter in line) for line in self._lines()]

    def _lines(self) -> list[str]:
        words = [f"{self.file}: {SUMMARY[self.code]}"]
        if self.problem:
            words.append(f"  {self.problem}")
        if self.credentials and self.credentials.state != "absent":
            words += [f"  {line}" for line in _credential_lines(self.credentials)]
        if self.watermark and self.watermark.found:
            mark = self.watermark
            stated = self.bits_right()
            compared = f"{stated} of 32 bits as the credentials say, " if stated is not None else ""
            words.append(
                f"  Watermark: found, payload {mark.payload:08x}, {compared}{mark.marker_bits} of 16 marker bits, "
                f"agreement {mark.agreement:.2f}; written at about {mark.width} x {mark.height}."
            )
        elif self.watermark:
            words.append("  Watermark: not found.")
        elif self.credentials and not self.problem:
            words.append("  Watermark: not looked for, the picture is too small to carry one.")
        return words


def verify(path: Path, signing: Path) -> Verdict:
    """Say what a file is.

    Args:
        path: any file.
        signing: the folder of this machine's own signing key, whose signatures count as known.
    """
    name = str(path)
    if not path.is_file():
        return Verdict(name, Code.UNREADABLE, problem="There is no file of this name.")
    credentials = read(path, authorities(signing))
    mark, problem = None, None
    try:
        mark = _watermark(path)
    except UserError as error:
        problem = str(error)
    if credentials.state != "absent":
        return Verdict(name, Code.VALID if credentials.state == "valid" else Code.BROKEN, credentials, mark, problem)
    if problem:
        return Verdict(name, Code.UNREADABLE, problem=problem)
    return Verdict(name, Code.WATERMARK_ONLY if mark and mark.found else Code.NEITHER, credentials, mark)


def _watermark(path: Path) -> Mark | None:
    if not cv2.haveImageReader(str(path)):
        return search(sample_video(path))
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise UserError(f"The picture {path} is damaged: get a whole copy of it.")
    return search([cv2.cvtColor(image, cv2.COLOR_BGR2RGB)])


def _credential_lines(credentials: Credentials) -> list[str]:
    by = "this machine's own key" if credentials.known else "a key that this machine does not know"
    lines = [f"Credentials: {credentials.state}, signed by {credentials.signer or 'an unnamed signer'}, {by}."]
    if credentials.problems:
        lines.append(f"What is wrong: {', '.join(credentials.problems)}.")
    if credentials.software:
        lines.append(f"Made with {credentials.software}.")
    if credentials.source:
        lines.append(f"It says that it was {_MADE.get(credentials.source, credentials.source)}.")
    origin = credentials.origin
    if origin:
        consents = ", ".join(f"{who} {value}" for who, value in origin.consents.items()) or "none named"
        lines.append(f"Model {origin.model_sha256[:16]}; consents: {consents}.")
        lines.append(f"Visible label: {'burnt in' if origin.visible_label else 'none'}.")
        if origin.no_watermark:
            lines.append(f"No watermark was written: {origin.no_watermark}.")
    return lines
