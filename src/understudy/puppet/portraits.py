"""The two public-domain portraits that come inside the wheels of scikit-image and matplotlib."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import skimage.data

from understudy.errors import UserError
from understudy.faces.detect import largest_face
from understudy.faces.landmarks import predict

FRAME = 3.0
"""Side of the square cut out of a portrait, in widths of the jaw; less where the picture ends."""


@dataclass(frozen=True)
class Portrait:
    """A picture of one person, and who gave it to the public.

    `lid_lift` moves the upper lids' landmarks up, in widths of the jaw, where dlib sets them too low; `lid_travel` is
    the share of the way that the lids sink, less than all where there is no skin above the eye to draw down.
    """

    name: str
    credit: str
    read: Callable[[], np.ndarray]
    lid_lift: float = 0.0
    lid_travel: float = 1.0


@dataclass(frozen=True)
class Canvas:
    """A portrait as it is animated: the square picture (S, S, 3) RGB uint8 and its 68 landmarks (68, 2) in pixels."""

    image: np.ndarray
    landmarks: np.ndarray
    lid_travel: float = 1.0


def _astronaut() -> np.ndarray:
    return np.asarray(skimage.data.astronaut())


def _grace_hopper() -> np.ndarray:
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    image = cv2.imread(str(path))
    if image is None:
        raise RuntimeError(f"{path} is missing: install matplotlib again.")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


PORTRAITS = {
    portrait.name: portrait
    for portrait in (
        Portrait("astronaut", "NASA portrait of Eileen Collins, public domain, from scikit-image", _astronaut),
        Portrait(
            "grace_hopper",
            "U.S. Navy portrait of Grace Hopper, public domain, from matplotlib",
            _grace_hopper,
            lid_lift=0.025,  # the eyes are behind spectacles, close under the rim
            lid_travel=0.55,
        ),
    )
}


def find_portrait(name: str) -> Portrait:
    """The demo portrait of that name.

    Raises:
        UserError: there is none.
    """
    if name not in PORTRAITS:
        raise UserError(
            f"The demo has no portrait of '{name}', only of {' and '.join(PORTRAITS)}: choose one of them, or run "
            f"without the pipeline 'demo_footage' to use your own footage of '{name}'."
        )
    return PORTRAITS[name]


def make_canvas(portrait: Portrait, size: int) -> Canvas:
    """Cut the head and shoulders out of a portrait and scale them to `size` pixels."""
    image = portrait.read()
    face = largest_face(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), upsample=1)
    if face is None:
        raise RuntimeError(f"No face was found in the portrait {portrait.name}: the wheel's picture has changed.")
    marks = predict(image, face.box)
    height, width = image.shape[:2]
    jaw = float(np.linalg.norm(marks[16] - marks[0]))
    side = min(round(FRAME * jaw), height, width)
    centre = marks.mean(axis=0)
    left = int(np.clip(round(centre[0] - side / 2), 0, width - side))
    top = int(np.clip(round(centre[1] - side / 2), 0, height - side))
    cut = image[top : top + side, left : left + side]
    scale = size / side
    kind = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    picture = cv2.resize(cut, (size, size), interpolation=kind)
    box = tuple((np.array(face.box) - (left, top, left, top)) * scale)
    # Once more on the larger picture, since dlib gives whole pixels.
    marks = predict(picture, box).astype(np.float64)
    marks[[37, 38, 43, 44], 1] -= portrait.lid_lift * jaw * scale
    return Canvas(picture, marks, portrait.lid_travel)
