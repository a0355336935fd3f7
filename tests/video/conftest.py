"""Fixtures for video."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filmed import write_clip


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """Make a clip in the test's folder: `clip("a.mp4", frames=20, ...)`."""

    def make(name: str, **settings: Any) -> Path:
        return write_clip(tmp_path / name, **settings)

    return make
