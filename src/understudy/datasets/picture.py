"""Kedro datasets of what a run makes to be looked at: pictures, videos, pages."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import ImagePreview

from understudy.files import atomic_path, write_text


@dataclass(frozen=True)
class SealedPicture:
    """A picture and what is done to its written file before it gets its name, such as signing it.

    Args:
        rgb: uint8 (H, W, 3).
        seal: called with the path of the whole file.
    """

    rgb: np.ndarray
    seal: Callable[[Path], None]


class PictureDataset(AbstractDataset[np.ndarray | SealedPicture, np.ndarray]):
    """One RGB uint8 picture (H, W, 3) as PNG or JPEG by its suffix, previewed in Kedro-Viz.

    Args:
        filepath: the file.
        metadata: for Kedro-Viz and other plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def load(self) -> np.ndarray:
        """Read the picture."""
        image = cv2.imread(str(self._filepath), cv2.IMREAD_COLOR)
        if image is None:
            raise DatasetError(f"{self._filepath} is missing or not a picture.")
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def save(self, data: np.ndarray | SealedPicture) -> None:
        """Write the picture atomically; JPEG at quality 92."""
        rgb = data.rgb if isinstance(data, SealedPicture) else data
        options = [cv2.IMWRITE_JPEG_QUALITY, 92] if self._filepath.suffix in {".jpg", ".jpeg"} else []
        with atomic_path(Path(self._filepath)) as temporary:
            if not cv2.imwrite(str(temporary), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options):
                raise DatasetError(f"OpenCV could not write {self._filepath}.")
            if isinstance(data, SealedPicture):
                data.seal(temporary)

    def preview(self) -> ImagePreview:
        """The picture for Kedro-Viz, at most 1,000 pixels wide."""
        image = self.load()
        if (width := image.shape[1]) > 1000:
            image = cv2.resize(image, (1000, round(image.shape[0] * 1000 / width)), interpolation=cv2.INTER_AREA)
        _, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return ImagePreview(base64.b64encode(data.tobytes()).decode())

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class MadeFileDataset(AbstractDataset[Callable[[Path], None], Path]):
    """A file that a function writes, such as a rendered video; it appears under its name only when whole.

    A node returns a function of one path; `save` calls it with a temporary path. `load` returns the path.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        """The file's path."""
        if not self._exists():
            raise DatasetError(f"{self._filepath} does not exist: run the step that makes it.")
        return Path(self._filepath)

    def save(self, data: Callable[[Path], None]) -> None:
        """Have the file written, then put it in place."""
        with atomic_path(Path(self._filepath)) as temporary:
            data(temporary)

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class PageDataset(AbstractDataset[str, str]):
    """A self-contained HTML page."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = PurePosixPath(filepath)
        self.metadata = metadata

    def load(self) -> str:
        """Read the page."""
        return Path(self._filepath).read_text(encoding="utf-8")

    def save(self, data: str) -> None:
        """Write the page atomically."""
        write_text(Path(self._filepath), data)

    def _exists(self) -> bool:
        return Path(self._filepath).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
