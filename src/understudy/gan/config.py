"""Settings of the generator: the network, its training, and the sample drawn from it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic.dataclasses import dataclass

from understudy.config import STRICT
from understudy.errors import UserError
from understudy.gan.variety_config import DirectionsConfig, PoolConfig, ProjectorConfig, WalkConfig

Preset = Literal["auto", "paper256", "config_f", "low_shot", "cpu"]


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

    Args:
        kimg: when training ends.
        batch: images a step, of all processes together.
        lr: learning rate of both networks, before the correction for lazy penalties.
        r1_gamma: weight of R1; `auto` is 0.0002 * size^2 / batch.
        r1_every: steps between two R1 penalties.
        path_length_every: steps between two path length penalties; 0 leaves them out.
        path_length_weight: weight of that penalty.
        style_mixing: part of the batches whose later layers take another w.
        deviation_group: images of a batch whose deviation the discriminator is shown; `batch` is a multiple of it.
        ema_kimg: half-life of the running mean of the generator.
        ema_ramp: the half-life is at most this part of what has been shown; null for none.
        augment: what filmed and made pictures go through before they are judged.
        ada_target: mean sign of the filmed pictures' logits that adaptive augmentation aims at.
        ada_kimg: in how many kimg its strength could go from 0 to 1.
        ada_max: its greatest strength.
        mirror: show half of the filmed pictures flipped.
        share_fakes: show the discriminator the fakes that the generator's step has just made, instead of new ones.
        freeze_d: how many of the discriminator's layers, from the picture on, keep the weights they start with.
        precision: bfloat16 computes layers of 32 pixels and more with it.
        compile: whether the main passes are compiled; `auto` is on a GPU only.
        grid_every_kimg: how often a grid of fixed latents is drawn.
        snapshot_every_kimg: how often the running mean is kept as a file of its own; null for never.
        measure_every_kimg: how often the distance to the filmed faces is measured; null for never.
        measure_count: faces drawn for that.
        patience_kimg: stop when the distance has not fallen for so long; null for never.
        checkpoint_every_seconds: how often the state is written.
        memory_mb: above this the faces are streamed from their shards, in an order that is less mixed.
    """

    kimg: float = Field(default=500.0, gt=0)
    batch: int = Field(default=16, ge=4, multiple_of=4)
    lr: float = Field(default=0.0025, gt=0)
    r1_gamma: float | Literal["auto"] = "auto"
    r1_every: int = Field(default=16, ge=1)
    path_length_every: int = Field(default=0, ge=0)
    path_length_weight: float = Field(default=2.0, gt=0)
    style_mixing: float = Field(default=0.9, ge=0, le=1)
    deviation_group: int = Field(default=4, ge=2)
    ema_kimg: float = Field(default=5.0, gt=0)
    ema_ramp: float | None = Field(default=0.05, gt=0)
    augment: Literal["none", "diffaugment", "ada"] = "diffaugment"
    ada_target: float = Field(default=0.6, gt=0, lt=1)
    ada_kimg: float = Field(default=100.0, gt=0)
    ada_max: float = Field(default=0.8, ge=0, le=1)
    mirror: bool = True
    share_fakes: bool = True
    freeze_d: int = Field(default=0, ge=0)
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool | Literal["auto"] = "auto"
    grid_every_kimg: float = Field(default=20.0, gt=0)
    snapshot_every_kimg: float | None = Field(default=None, gt=0)
    measure_every_kimg: float | None = Field(default=None, gt=0)
    measure_count: int = Field(default=500, ge=50)
    patience_kimg: float | None = Field(default=None, gt=0)
    checkpoint_every_seconds: float = Field(default=60.0, gt=0)
    memory_mb: int = Field(default=2000, ge=1)

    @model_validator(mode="after")
    def _whole_groups(self) -> "TrainingConfig":
        if self.batch % self.deviation_group:
            raise ValueError(f"'batch' is not a multiple of 'deviation_group' ({self.deviation_group})")
        if self.patience_kimg and not self.measure_every_kimg:
            raise ValueError("'patience_kimg' needs 'measure_every_kimg'")
        return self

    def gamma(self, size: int) -> float:
        """The weight of R1 for crops of `size` pixels."""
        return 0.0002 * size**2 / self.batch if self.r1_gamma == "auto" else float(self.r1_gamma)


@dataclass(frozen=True, config=STRICT)
class SynthesisConfig:
    """The plain, unselected sample: face number i has the seed `first_seed` + i; and the selection beside it."""

    count: int = Field(default=1000, ge=1)
    psi: float = Field(default=1.0, ge=0, le=2)
    batch: int = Field(default=25, ge=1)
    shard: int = Field(default=50, ge=1)
    first_seed: int = Field(default=0, ge=0)
    selection: PoolConfig = Field(default_factory=PoolConfig)


UNLEARNED = (
    "grid_every_kimg",
    "snapshot_every_kimg",
    "measure_every_kimg",
    "measure_count",
    "checkpoint_every_seconds",
    "memory_mb",
)
"""Settings of training that change nothing of what is learned."""


@dataclass(frozen=True, config=STRICT)
class GanConfig:
    """All settings of gan_training.

    Args:
        preset: fills in the settings of network and training that are not given; see `understudy.gan.presets`.
        network: widths.
        training: how they are trained.
        synthesis: the samples drawn at the end.
        directions: directions in W.
        projector: latents of filmed faces.
        walk: the video.
        register: put the generator into MLflow's model registry.
        start: `scratch`, `base` to go on from the shipped base checkpoint, or the path of a `.safetensors` of this
            project's to go on from.
    """

    preset: Preset | None = None
    network: NetworkConfig = Field(default_factory=NetworkConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    synthesis: SynthesisConfig = Field(default_factory=SynthesisConfig)
    directions: DirectionsConfig = Field(default_factory=DirectionsConfig)
    projector: ProjectorConfig = Field(default_factory=ProjectorConfig)
    walk: WalkConfig = Field(default_factory=WalkConfig)
    register: bool = True
    start: str = "scratch"

    @field_validator("start")
    @classmethod
    def _known_start(cls, value: str) -> str:
        if value not in {"scratch", "base"} and not value.endswith(".safetensors"):
            raise ValueError("use scratch, base or the path of a .safetensors file")
        return value

    @property
    def start_path(self) -> Path | None:
        """The path without suffix of the weights to start from; None for `scratch` and `base`."""
        return None if self.start in {"scratch", "base"} else Path(self.start).with_suffix("")

    def identity(self) -> dict[str, Any]:
        """What decides the trained numbers: everything but the sample and how often something is shown or saved."""
        training = {name: value for name, value in asdict(self.training).items() if name not in UNLEARNED}
        return {"network": asdict(self.network), "training": training, "start": self.start}


def check_size(size: int) -> int:
    """Return `size` if the networks can be built for it, else raise a UserError."""
    if size not in (16, 32, 64, 128, 256, 512, 1024):
        raise UserError(
            f"Parameter 'size' = {size} is not a power of two from 16 to 1024: choose one, such as 64 or 256."
        )
    return size
