"""Pipeline deepfake: the source's face in the target's video."""

from understudy.pipelines.deepfake.pipeline import create_pipeline

__all__ = ["create_pipeline"]
