"""Parameters of the pipeline data_engineering."""

from pydantic import Field
from pydantic.dataclasses import dataclass

from understudy.config import STRICT
from understudy.faces.align import FaceType


@dataclass(frozen=True, config=STRICT)
class FacesConfig:
    """How faces are found, cut and scored.

    `whole` crops show the head with some room, `full` crops the face alone. The whole frame is searched every
    `redetect_every` frames, the region around the last face every `verify_every`; in between landmarks carry the face.
    Every `embed_every`-th frame of a clip gets an embedding. Clips are cut into pieces of at least `segment_seconds`.
    Faces narrower than `min_face` frame pixels are not looked for.
    """

    face_type: FaceType = "whole"
    redetect_every: int = Field(default=15, ge=1)
    verify_every: int = Field(default=3, ge=1)
    embed_every: int = Field(default=5, ge=1)
    segment_seconds: float = Field(default=20.0, gt=0)
    min_face: int = Field(default=60, ge=20)
