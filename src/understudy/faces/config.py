"""Parameters of the pipeline data_engineering."""

from dataclasses import asdict, field
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from understudy.config import STRICT
from understudy.faces.align import FaceType


@dataclass(frozen=True, config=STRICT)
class SelectionConfig:
    """Which faces are fit for use, and which of them teach.

    Args:
        min_eye_distance: frame pixels between the eyes; a face as small as that is mostly enlargement.
        min_sharpness_of_clip: share of the median sharpness (variance of the Laplacian) of the same clip; on crops of
            64 pixels a Gaussian blur of 0.5 pixels leaves 0.53, one of 0.6 leaves 0.34 and one of 0.8 leaves 0.18.
        min_sharpness_of_all: share of the median sharpness of all clips.
        min_blur: sharpness below which nothing is to be seen, whatever the others are like.
        min_exposure: mean luma of the face, 0..255.
        max_exposure: the same.
        max_yaw: degrees from the median of the clip, either way.
        max_pitch: the same.
        max_roll: the same.
        max_distance: of the embedding from that of the person.
        duplicates: whether near-duplicates go; the sharpest stays.
        duplicate_bits: near-duplicates differ in at most so many of the hash's 64 bits
        duplicate_expression: and are at most so far apart in expression space, in units of its scales.
        count: kept faces of the source that teach; None for all.
        variety: how these are chosen: `all` spreads them evenly over the footage, `varied` takes those that differ
            most in expression, `homogeneous` those that differ least.
    """

    min_eye_distance: float = Field(default=16.0, ge=0)
    min_sharpness_of_clip: float = Field(default=0.3, ge=0, lt=1)
    min_sharpness_of_all: float = Field(default=0.1, ge=0, lt=1)
    min_blur: float = Field(default=2.0, ge=0)
    min_exposure: float = Field(default=25.0, ge=0, le=255)
    max_exposure: float = Field(default=235.0, ge=0, le=255)
    max_yaw: float = Field(default=45.0, gt=0)
    max_pitch: float = Field(default=35.0, gt=0)
    max_roll: float = Field(default=45.0, gt=0)
    max_distance: float = Field(default=0.6, gt=0)
    duplicates: bool = True
    duplicate_bits: int = Field(default=2, ge=0, le=64)
    duplicate_expression: float = Field(default=0.1, ge=0)
    count: int | None = Field(default=None, ge=1)
    variety: Literal["all", "varied", "homogeneous"] = "all"

    @model_validator(mode="after")
    def _variety_needs_a_count(self) -> "SelectionConfig":
        if self.count is None and self.variety != "all":
            raise ValueError(f"variety '{self.variety}' needs 'count', the number of faces to choose")
        return self


@dataclass(frozen=True, config=STRICT)
class FacesConfig:
    """How faces are found, cut and scored.

    `whole` crops show the head with some room, `full` crops the face alone. The whole frame is searched every
    `redetect_every` frames, the region around the last face every `verify_every`; in between landmarks carry the face.
    Every `embed_every`-th frame of a clip gets an embedding. Clips are cut into pieces of at least `segment_seconds`.
    Faces narrower than `min_face` frame pixels are not looked for. Somebody whose embedding is farther than
    `identity_tolerance` from that of the person wanted is somebody else, and left out. The kept faces of the source are
    exported for other programs on request.
    """

    face_type: FaceType = "whole"
    redetect_every: int = Field(default=30, ge=1)
    verify_every: int = Field(default=5, ge=1)
    embed_every: int = Field(default=10, ge=1)
    segment_seconds: float = Field(default=20.0, gt=0)
    min_face: int = Field(default=60, ge=20)
    identity_tolerance: float = Field(default=0.6, gt=0)
    selection: SelectionConfig = field(default_factory=SelectionConfig)
    export: Literal["none", "tfrecord", "folder"] = "none"

    def extraction(self) -> dict[str, Any]:
        """What shapes the crops and their scores, and so the names of shards; the others do not."""
        return {name: value for name, value in asdict(self).items() if name not in {"selection", "export"}}
