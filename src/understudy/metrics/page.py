"""What the pages have in common: the template engine and pictures as text."""

import base64

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from understudy.metrics.svg import STYLE

SHOWN_SIDE = 192
"""Pictures are stored at most this large: they are shown at half of it, sharp on a dense screen."""


def environment() -> Environment:
    """Templates of this package; values are escaped, and a name that is not given is an error."""
    made = Environment(
        loader=PackageLoader("understudy.metrics"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["plot_style"] = STYLE
    return made


def data_uri(image: np.ndarray) -> str:
    """An RGB picture as text inside the page, as JPEG at quality 88."""
    if image.shape[0] > SHOWN_SIDE:
        image = cv2.resize(image, (SHOWN_SIDE, SHOWN_SIDE), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
