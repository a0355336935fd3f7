"""The last thing done to a video or picture before it gets its name: it is marked while made, and signed when whole."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from understudy.provenance.certificate import identity
from understudy.provenance.config import ProvenanceConfig
from understudy.provenance.credentials import sign
from understudy.provenance.label import burn_label
from understudy.provenance.origin import COMPOSITE, Origin, manifest
from understudy.provenance.watermark import Marker, can_mark
from understudy.video.decode import decode

Paint = Callable[[np.ndarray], np.ndarray]
Make = Callable[[Path], None]


@dataclass(frozen=True)
class Seal:
    """How the results of one model are marked and signed.

    Args:
        origin: what they say of themselves.
        config: where the signing key is.
        kind: `COMPOSITE`, or `SYNTHETIC` where nothing filmed is shown.
    """

    origin: Origin
    config: ProvenanceConfig
    kind: str = COMPOSITE

    def paint(self, label: bool = True) -> Paint:
        """What is to be done to each frame of one video, in their order: label, then watermark, as far as they are on.

        Args:
            label: False leaves the visible label out, as where a frame shows a labelled one.
        """
        marker = Marker(int(self.origin.watermark, 16)) if self.origin.watermark else None
        labelled = label and self.origin.label

        def painted(rgb: np.ndarray) -> np.ndarray:
            out = burn_label(rgb) if labelled else rgb
            return marker(out) if marker else out

        return painted

    def video(self, name: str, make: Make) -> Make:
        """The same maker of a video whose frames were painted, with the signing after it."""
        return partial(_make_and_sign, self, name, make)

    def picture(self, rgb: np.ndarray, name: str, labelled: bool = False) -> tuple[np.ndarray, Make]:
        """A picture with its watermark, and what signs its file.

        Args:
            rgb: uint8 (H, W, 3).
            name: the file's name.
            labelled: whether it shows the label already, as stills of a labelled video do; none is added.
        """
        return self.paint(label=False)(rgb), partial(self.sign, name=name, labelled=labelled)

    def sign(self, path: Path, name: str, labelled: bool) -> None:
        """Sign a whole file in place, if credentials are on."""
        if not self.origin.credentials:
            return
        size = _size(path)
        marked = self.origin.watermark is not None and can_mark(size[1], size[0])
        own = [Path(value) if value else None for value in (self.config.certificate, self.config.key)]
        signer = identity(Path(self.config.folder), *own)
        sign(path, manifest(self.origin, name, self.kind, size, marked, labelled), signer, self.config.timestamp_url)


def _make_and_sign(seal: Seal, name: str, make: Make, path: Path) -> None:
    make(path)
    seal.sign(path, name, seal.origin.label)


def _size(path: Path) -> tuple[int, int]:
    """(width, height) of a picture or video."""
    image = cv2.imread(str(path)) if cv2.haveImageReader(str(path)) else next(decode(path)).rgb()
    if image is None:
        raise ValueError(f"{path} was not written whole.")
    return image.shape[1], image.shape[0]
