"""Parameters of judging a swap."""

from dataclasses import field

from pydantic import Field
from pydantic.dataclasses import dataclass

from understudy.config import STRICT
from understudy.metrics.config import DetectabilityConfig


@dataclass(frozen=True, config=STRICT)
class SwapQualityConfig:
    """The `swap_quality` parameters.

    Args:
        frames: at most this many frames, spread evenly over the video, are asked whose face they show.
        consecutive: at most this many frames in a row, from the middle of the video, are asked how the face moves.
        held_out: at most this many filmed faces that never taught are reconstructed; 0 leaves that measure out.
        detectability: probes that tell the swap's faces from the clip's.
    """

    frames: int = Field(default=500, ge=1)
    consecutive: int = Field(default=750, ge=3)
    held_out: int = Field(default=60, ge=0)
    detectability: DetectabilityConfig = field(default_factory=DetectabilityConfig)
