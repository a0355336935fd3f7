"""Settings of what is made with a trained generator: selected faces, directions, projections, a walk."""

from typing import Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from understudy.config import STRICT
from understudy.faces.identity import TOLERANCE


@dataclass(frozen=True, config=STRICT)
class PoolConfig:
    """The selected faces: chosen out of a pool that is drawn beside the plain sample.

    Args:
        pool: faces drawn to choose from; 0 chooses nothing, and the selected faces are the plain sample.
        count: faces chosen; all that are accepted when there are fewer.
        variety: `varied` chooses faces that differ most in expression and pose, `homogeneous` those that differ least,
            `none` the first ones.
        tolerance: 128-d distance to the filmed person up to which a face is accepted.
        psi: truncation, drawn for each face between these two.
        mixing: share of the faces whose later layers take the style of another latent.
        first_seed: face number i of the pool has the seed `first_seed` + i.
    """

    pool: int = Field(default=3000, ge=0)
    count: int = Field(default=1000, ge=1)
    variety: Literal["varied", "homogeneous", "none"] = "varied"
    tolerance: float = Field(default=TOLERANCE, gt=0)
    psi: tuple[float, float] = (0.7, 1.0)
    mixing: float = Field(default=0.5, ge=0, le=1)
    first_seed: int = Field(default=1_000_000, ge=0)

    @model_validator(mode="after")
    def _orderly(self) -> "PoolConfig":
        if not 0 <= self.psi[0] <= self.psi[1] <= 2:
            raise ValueError("'psi' is not a rising pair of numbers from 0 to 2")
        if self.pool and self.count > self.pool:
            raise ValueError("'count' is greater than 'pool'")
        return self


@dataclass(frozen=True, config=STRICT)
class DirectionsConfig:
    """Directions in W, and what they move.

    Args:
        count: directions of each method.
        seeds: faces that are moved along each.
        psi: truncation of these faces.
        step: how far they are moved either way to measure; 4 is the typical distance of w from its mean.
    """

    count: int = Field(default=6, ge=1, le=32)
    seeds: int = Field(default=24, ge=2)
    psi: float = Field(default=0.7, ge=0, le=2)
    step: float = Field(default=2.0, gt=0)


@dataclass(frozen=True, config=STRICT)
class ProjectorConfig:
    """The search for the latent of a filmed face.

    Args:
        count: filmed faces, spread evenly over the selected ones.
        steps: of Adam.
        space: `w`, one latent for all layers, which can be edited best; `w+`, one a layer, which comes nearest.
        lr: the learning rate at its height.
        pixels: weight of the mean squared difference of the pixels, in [-1, 1].
        embedding: weight of the squared 128-d distance.
        noise: weight of what keeps the noise maps noise.
    """

    count: int = Field(default=6, ge=1, le=64)
    steps: int = Field(default=300, ge=1)
    space: Literal["w", "w+"] = "w+"
    lr: float = Field(default=0.05, gt=0)
    pixels: float = Field(default=10.0, ge=0)
    embedding: float = Field(default=1.0, ge=0)
    noise: float = Field(default=1.0, ge=0)


@dataclass(frozen=True, config=STRICT)
class WalkConfig:
    """The video of a walk through W, a closed loop.

    Args:
        seeds: faces that it passes.
        seconds: its length.
        rate: frames a second.
        psi: truncation of the faces.
        side: smaller pictures are enlarged to this many pixels, so that the label can be read.
    """

    seeds: int = Field(default=6, ge=3)
    seconds: float = Field(default=8.0, gt=0)
    rate: int = Field(default=25, ge=1, le=120)
    psi: float = Field(default=0.7, ge=0, le=2)
    side: int = Field(default=256, ge=64, multiple_of=2)
