"""Parameters of the swap."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from understudy.config import STRICT

ColourTransfer = Literal["rct", "linear", "mkl", "histogram", "none"]


@dataclass(frozen=True, config=STRICT)
class NetworkConfig:
    """The autoencoder.

    Args:
        kind: `df`, one encoder and one code shared by two decoders; `liae`, one decoder, and for the target a second
            code beside the shared one, which takes on more of the target's light.
        options: `u` scales the encoder's result to unit power; `d` computes at half size and doubles at the end, 3.6
            times as fast; `s` frees the code of each person's own mean and spread, so that expression is learned early.
        encoder: channels of the encoder's first layer.
        inter: length of the code, and channels behind it.
        decoder: channels of the decoders' finest layer, before halving by `d`.
        mask: the same of the mask branch.
    """

    kind: Literal["df", "liae"] = "df"
    options: Literal["", "u", "d", "ud", "s", "us", "ds", "uds"] = "ud"
    encoder: int = Field(default=64, ge=4)
    inter: int = Field(default=256, ge=8)
    decoder: int = Field(default=64, ge=4)
    mask: int = Field(default=22, ge=2)


@dataclass(frozen=True, config=STRICT)
class LossConfig:
    """Weights of the losses, on images in 0..1.

    Args:
        dssim: structural dissimilarity inside the softened mask.
        mse: squared error inside the softened mask.
        mask: squared error of the predicted mask.
        eyes_mouth: absolute error in eyes and mouth.
        expression: squared error of the expression as the code tells it, in standard deviations of a person who talks.
        identity: distance in the 128-d embedding between the swapped face and the source's. Off by default, since the
            same network judges the result.
        identity_every: iterations between two steps with it, which weighs as much more there.
        identity_from: share of the iterations after which it begins.
        gan: that a patch discriminator takes the source's painted faces for filmed ones; 0.1 is common, 0 is off.
        gan_from: share of the iterations after which it begins.
        gan_channels: of the discriminator's first layer.
    """

    dssim: float = Field(default=10.0, ge=0)
    mse: float = Field(default=10.0, ge=0)
    mask: float = Field(default=10.0, ge=0)
    eyes_mouth: float = Field(default=300.0, ge=0)
    expression: float = Field(default=1.0, ge=0)
    identity: float = Field(default=0.0, ge=0)
    identity_every: int = Field(default=4, ge=1)
    identity_from: float = Field(default=0.5, ge=0, le=1)
    gan: float = Field(default=0.0, ge=0)
    gan_from: float = Field(default=0.8, ge=0, le=1)
    gan_channels: int = Field(default=16, ge=4)


@dataclass(frozen=True, config=STRICT)
class AugmentConfig:
    """What is done to every face before the network sees it.

    Args:
        warp: strength of the grid warp of the input; 1 moves grid points by up to 0.24 of a cell, 0 switches it off.
        warp_until: share of the iterations with warp; after it the input is the target itself.
        rotation: degrees, either way.
        scale: the face grows or shrinks by up to this share.
        shift: share of the crop, either way.
        flip_source: how often a source face is mirrored; `pose`, where it is then turned more like the target's.
        flip_target: how often a target face is mirrored.
        colour_jitter: how far brightness, contrast and saturation of the input vary.
        colour_transfer: how often a source face takes on the colours of a target face.
        nearest: source faces drawn for each target face, of which the one turned most alike teaches.
        occlude: share of the faces with something laid over them, and a hole in the mask where it lies.
        turn: before training each source face is turned to the pose of a target face, by so many degrees at most.
    """

    warp: float = Field(default=1.0, ge=0, le=2)
    warp_until: float = Field(default=0.9, ge=0, le=1)
    rotation: float = Field(default=10.0, ge=0, le=90)
    scale: float = Field(default=0.05, ge=0, lt=0.5)
    shift: float = Field(default=0.05, ge=0, lt=0.5)
    flip_source: Literal["pose"] | Annotated[float, Field(ge=0, le=1)] = 0.4
    flip_target: float = Field(default=0.4, ge=0, le=1)
    colour_jitter: float = Field(default=0.05, ge=0, le=0.5)
    colour_transfer: float = Field(default=0.8, ge=0, le=1)
    nearest: int = Field(default=1, ge=1, le=64)
    occlude: float = Field(default=0.0, ge=0, le=1)
    turn: float = Field(default=0.0, ge=0, le=20)


@dataclass(frozen=True, config=STRICT)
class TrainingConfig:
    """The schedule.

    Args:
        iterations: optimizer steps; each sees `batch` faces of either person.
        batch: faces of each person in a step, over all processes.
        lr: Adam's learning rate.
        decay_from: share of the iterations after which the rate falls to a tenth along a cosine.
        max_faces: at most this many faces of either person are used, spread evenly.
        precision: `auto` is bfloat16 on a GPU and float32 elsewhere.
        log_every: iterations between two logged losses.
        preview_every: iterations between two preview pictures; 0 for none but the last.
        checkpoint_every: seconds between two checkpoints.
    """

    iterations: int = Field(default=80_000, ge=1)
    batch: int = Field(default=8, ge=1)
    lr: float = Field(default=5e-5, gt=0)
    decay_from: float = Field(default=0.75, ge=0, le=1)
    max_faces: int = Field(default=8000, ge=1)
    precision: Literal["auto", "float32"] = "auto"
    log_every: int = Field(default=50, ge=1)
    preview_every: int = Field(default=2000, ge=0)
    checkpoint_every: float = Field(default=300.0, ge=0)


@dataclass(frozen=True, config=STRICT)
class BlendConfig:
    """How the new face is laid into the frame. Lengths are shares of the crop's side.

    Args:
        mode: `paste` mixes by the mask; `seamless` carries the face's gradients into the frame (Poisson), then mixes.
        erode: how far the mask is drawn in.
        feather: width of the soft edge (standard deviation).
        colour_transfer: `rct` gives the new face the frame's mean and, within limits, spread of each colour; `linear`
            and `mkl` mean and covariance, `mkl` with the least change; `histogram` each colour's histogram; or `none`.
        colour_steady: colours and sharpness are averaged over about so many frames, so that they do not flicker.
        sharpen: the face is made as sharp, or as soft, as the frame; this is the limit of the unsharp mask's strength.
    """

    mode: Literal["paste", "seamless"] = "paste"
    erode: float = Field(default=0.01, ge=0, le=0.2)
    feather: float = Field(default=0.02, ge=0, le=0.2)
    colour_transfer: ColourTransfer = "mkl"
    colour_steady: float = Field(default=8.0, ge=0, le=100)
    sharpen: float = Field(default=1.0, ge=0, le=3)


@dataclass(frozen=True, config=STRICT)
class RenderConfig:
    """The video.

    Args:
        clip: file name of the target's clip; the first when null.
        batch: frames in one pass of the network.
        crf: quality of x264.
        max_gap: frames without a face that are bridged; in longer gaps the frames stay as they are.
        smooth: standard deviation in frames of the smoothing of the place of a still face; one that moves is followed.
        stills: frames shown in the picture of stills.
    """

    clip: str | None = None
    batch: int = Field(default=16, ge=1)
    crf: int = Field(default=18, ge=0, le=51)
    max_gap: int = Field(default=5, ge=0)
    smooth: float = Field(default=1.5, ge=0, le=10)
    stills: int = Field(default=6, ge=1, le=12)


@dataclass(frozen=True, config=STRICT)
class SwapConfig:
    """The `deepfake` parameters.

    Args:
        preset: settings of network, augmentation and schedule that belong together; what is given beside it wins.
        faces: what the source's decoder learns from: `synthetic` faces, `real` ones, or both (`mix`).
        count: at most this many source faces; null for all. Of a `mix`, half are of either kind.
        variety: which ones when there are more: null, spread evenly over the set; `varied`, as different in expression
            as can be; `homogeneous`, as alike as can be.
        network: the autoencoder.
        losses: weights of the losses.
        augment: what is done to the faces.
        training: the schedule.
        blend: how the face is laid into the frame.
        render: the video.
    """

    preset: Literal["tiny", "quick96", "paper256"] | None = None
    faces: Literal["synthetic", "real", "mix"] = "synthetic"
    count: int | None = Field(default=None, ge=1)
    variety: Literal["varied", "homogeneous"] | None = None
    network: NetworkConfig = field(default_factory=NetworkConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    blend: BlendConfig = field(default_factory=BlendConfig)
    render: RenderConfig = field(default_factory=RenderConfig)
