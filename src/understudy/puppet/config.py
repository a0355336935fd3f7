"""Settings of the demo footage."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from understudy.config import STRICT


@dataclass(frozen=True, config=STRICT)
class DemoFootageConfig:
    """How the two demo clips are made.

    Args:
        source_seconds: length of the source's clip.
        target_seconds: length of the target's clip.
        size: width and height of the clips in pixels, a multiple of 256.
        rate: frames a second.
        seed: of the movements; each portrait moves in its own way.
        strength: of all movements; 1 turns the head up to 10 degrees sideways.
    """

    source_seconds: float = Field(default=20.0, ge=1.0, le=600.0)
    target_seconds: float = Field(default=12.0, ge=1.0, le=600.0)
    size: int = Field(default=512, ge=256, le=1024, multiple_of=256)
    rate: int = Field(default=25, ge=10, le=60)
    seed: int = 1
    strength: float = Field(default=1.0, ge=0.0, le=1.3)
