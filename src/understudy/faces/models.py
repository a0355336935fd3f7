"""Where dlib's model files are, and one copy of each model a thread.

The files come inside the package `face_recognition_models`. It is located, never imported, because its import needs
`pkg_resources`, which newer setuptools no longer have.
"""

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from understudy.errors import UserError

ModelName = Literal["68", "5", "embedding"]

FILES: dict[ModelName, str] = {
    "68": "shape_predictor_68_face_landmarks.dat",
    "5": "shape_predictor_5_face_landmarks.dat",
    "embedding": "dlib_face_recognition_resnet_model_v1.dat",
}

_own = threading.local()


def model_path(name: ModelName) -> Path:
    """Path of one of dlib's model files.

    Raises:
        UserError: the package that holds them is not installed.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "The package face_recognition_models is not installed: install the project's requirements again."
        )
    path = Path(spec.submodule_search_locations[0]) / "models" / FILES[name]
    if not path.is_file():
        raise UserError(f"The model file {path} is missing: install face_recognition_models again.")
    return path


def frontal_detector() -> Any:
    """The HOG detector of dlib, this thread's own: two threads that share one crash the process."""
    return _mine("detector", lambda dlib: dlib.get_frontal_face_detector())


def shape_predictor(points: Literal["68", "5"]) -> Any:
    """The landmark predictor of dlib of 68 or 5 points, this thread's own."""
    return _mine(points, lambda dlib: dlib.shape_predictor(str(model_path(points))))


def _mine(name: str, make: Callable[[Any], Any]) -> Any:
    if not hasattr(_own, name):
        import dlib

        setattr(_own, name, make(dlib))
    return getattr(_own, name)
