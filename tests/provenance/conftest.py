"""A signed and marked clip, made once: the astronaut, swayed, as a swap would be written."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from moving import frames, write

from understudy.provenance.config import ProvenanceConfig
from understudy.provenance.origin import Origin, describe
from understudy.provenance.seal import Seal

CONSENTS = {"source": {"person": "anna", "granted_by": "Anna Example"}, "target": {"person": "ben"}}


@pytest.fixture(scope="session")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the key, which does not exist yet."""
    return tmp_path_factory.mktemp("keys") / "signing"


@pytest.fixture(scope="session")
def seal(signing: Path) -> Seal:
    config = ProvenanceConfig(folder=str(signing))
    origin: Origin = describe("ab" * 32, CONSENTS, config)
    return Seal(origin, config)


@pytest.fixture(scope="session")
def clip(seal: Seal, astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`swap.mp4`, labelled, marked and signed."""
    path = tmp_path_factory.mktemp("made") / "swap.mp4"
    paint = seal.paint()
    seal.video(path.name, partial(write, pictures=[paint(frame) for frame in frames(astronaut)]))(path)
    return path
