"""Pipeline that makes the demo's footage on the user's machine, from two public-domain portraits."""

from understudy.pipelines.demo_footage.pipeline import create_pipeline

__all__ = ["create_pipeline"]
