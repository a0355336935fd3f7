"""Fixtures of all tests: two real faces, and facesets made from them."""

import os

# Set before torch is imported anywhere: the tests share two cores with whatever else runs.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "1")

from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
import skimage.data


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """Eileen Collins, NASA, public domain: RGB uint8 (512, 512, 3)."""
    return skimage.data.astronaut()


@pytest.fixture(scope="session")
def hopper() -> np.ndarray:
    """Grace Hopper, U.S. Navy, public domain: RGB uint8 (600, 512, 3)."""
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
