"""Parameters of the evaluation."""

from dataclasses import field

from pydantic import Field
from pydantic.dataclasses import dataclass

from understudy.config import STRICT


@dataclass(frozen=True, config=STRICT)
class InceptionConfig:
    """Inception Score, FID and KID.

    Args:
        enabled: whether they are measured at all.
        weights: file of the Inception network; without it `TORCH_HOME` is searched.
        download: fetch the official file (96 MB) when it is nowhere to be found.
        antialias: resize to 299 px with antialiasing, torchmetrics' default since 1.8.
        batch: images at a time.
        max_images: at most this many synthetic and this many real images.
        splits: parts of the Inception Score.
        kid_subsets: random subsets of the KID.
        kid_subset_size: images of each; cut to the smaller set where it is larger.
    """

    enabled: bool = True
    weights: str | None = None
    download: bool = True
    antialias: bool = True
    batch: int = Field(default=16, ge=1)
    max_images: int = Field(default=5000, ge=2)
    splits: int = Field(default=10, ge=1)
    kid_subsets: int = Field(default=100, ge=1)
    kid_subset_size: int = Field(default=1000, ge=2)


@dataclass(frozen=True, config=STRICT)
class OpenFaceConfig:
    """Distances by OpenFace's network, the paper's measure of variety.

    Args:
        enabled: whether they are measured at all.
        weights: file of the OpenFace network; without it `TORCH_HOME` is searched.
        download: fetch the official file (15 MB) when it is nowhere to be found.
        batch: faces at a time.
        max_images: at most this many synthetic and this many real faces.
    """

    enabled: bool = True
    weights: str | None = None
    download: bool = True
    batch: int = Field(default=64, ge=1)
    max_images: int = Field(default=1000, ge=2)


@dataclass(frozen=True, config=STRICT)
class DetectabilityConfig:
    """Probes that tell synthetic faces from filmed ones.

    Args:
        enabled: whether they are trained at all.
        max_faces: at most this many synthetic and as many filmed faces.
        folds: parts of which each is judged by probes that the others taught; no clip is in two of them.
        epochs: how often each face is shown to the small network.
        halvings: random halves of the filmed faces that are told apart for the chance level.
        jpeg: quality of the last JPEG coding of both sets.
        draws: of the bootstrap behind the intervals.
    """

    enabled: bool = True
    max_faces: int = Field(default=500, ge=8)
    folds: int = Field(default=4, ge=2)
    epochs: int = Field(default=4, ge=1)
    halvings: int = Field(default=3, ge=1)
    jpeg: int = Field(default=95, ge=1, le=100)
    draws: int = Field(default=1000, ge=100)


@dataclass(frozen=True, config=STRICT)
class EvaluationConfig:
    """The `evaluation` parameters.

    Args:
        tolerance: two faces are of one person up to this 128-d distance; 0.6 is face_recognition's.
        max_real: at most this many crops of the source are judged, spread evenly over the footage.
        repeats: random draws behind every floor and its error bar.
        pictures: faces in each row of pictures.
        batch: crops in one piece of parallel work.
        inception: Inception Score, FID and KID.
        openface: distances by OpenFace's network.
        detectability: probes that tell synthetic faces from filmed ones.
    """

    tolerance: float = Field(default=0.6, gt=0)
    max_real: int = Field(default=5000, ge=2)
    repeats: int = Field(default=20, ge=2)
    pictures: int = Field(default=8, ge=1, le=24)
    batch: int = Field(default=100, ge=1)
    inception: InceptionConfig = field(default_factory=InceptionConfig)
    openface: OpenFaceConfig = field(default_factory=OpenFaceConfig)
    detectability: DetectabilityConfig = field(default_factory=DetectabilityConfig)
