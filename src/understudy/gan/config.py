"""Settings of the generator: the network, its training, and the sample drawn from it."""

from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from understudy.config import STRICT
from understudy.errors import UserError


@dataclass(frozen=True, config=STRICT)
class NetworkConfig:
    """Widths of both networks: a layer of R x R pixels has min(channel_base / R, channel_max) channels."""

    channel_base: int = Field(default=16384, ge=32)
    channel_max: int = Field(default=512, ge=4)
    mapping_layers: int = Field(default=2, ge=1, le=16)
    latent: int = Field(default=512, ge=8)


@dataclass(frozen=True, config=STRICT)
class TrainingConfig:
    """How the networks are trained. Amounts are in thousand images shown to the discriminator (kimg).

    `r1_gamma: auto` is 0.0002 * size^2 / batch; `path_length_every: 0` leaves that penalty out; `share_fakes` shows the
    discriminator the fakes that the generator's step has just made, instead of drawing new ones.
    """

    kimg: float = Field(default=500.0, gt=0)
    batch: int = Field(default=16, ge=4, multiple_of=4)
    lr: float = Field(default=0.0025, gt=0)
    r1_gamma: float | Literal["auto"] = "auto"
    r1_every: int = Field(default=16, ge=1)
    path_length_every: int = Field(default=0, ge=0)
    path_length_weight: float = Field(default=2.0, gt=0)
    style_mixing: float = Field(default=0.9, ge=0, le=1)
    ema_kimg: float = Field(default=5.0, gt=0)
    ema_ramp: float = Field(default=0.05, gt=0)
    augment: Literal["diffaugment", "none"] = "diffaugment"
    mirror: bool = True
    share_fakes: bool = True
    precision: Literal["float32", "bfloat16"] = "float32"
    grid_every_kimg: float = Field(default=20.0, gt=0)
    checkpoint_every_seconds: float = Field(default=60.0, gt=0)
    memory_mb: int = Field(default=2000, ge=1)

    def gamma(self, size: int) -> float:
        """The weight of R1 for crops of `size` pixels."""
        return 0.0002 * size**2 / self.batch if self.r1_gamma == "auto" else float(self.r1_gamma)


@dataclass(frozen=True, config=STRICT)
class SynthesisConfig:
    """The plain, unselected sample: face number i has the seed `first_seed` + i."""

    count: int = Field(default=1000, ge=1)
    psi: float = Field(default=1.0, ge=0, le=2)
    batch: int = Field(default=25, ge=1)
    shard: int = Field(default=50, ge=1)
    first_seed: int = Field(default=0, ge=0)


@dataclass(frozen=True, config=STRICT)
class GanConfig:
    """All settings of gan_training. `start` is `scratch`, or `base` to go on from the shipped base checkpoint."""

    network: NetworkConfig = Field(default_factory=NetworkConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    synthesis: SynthesisConfig = Field(default_factory=SynthesisConfig)
    start: Literal["scratch", "base"] = "scratch"

    def identity(self) -> dict[str, Any]:
        """What decides the trained numbers: everything but the sample and how often something is shown or saved."""
        training = asdict(self.training)
        for name in ("grid_every_kimg", "checkpoint_every_seconds", "memory_mb"):
            del training[name]
        return {"network": asdict(self.network), "training": training, "start": self.start}


def check_size(size: int) -> int:
    """Return `size` if the networks can be built for it, else raise a UserError."""
    if size not in (16, 32, 64, 128, 256, 512, 1024):
        raise UserError(
            f"Parameter 'size' = {size} is not a power of two from 16 to 1024: choose one, such as 64 or 256."
        )
    return size
