"""Pipeline gan_training: a generator learns one person and draws a set of synthetic faces."""

from understudy.pipelines.gan_training.pipeline import create_pipeline

__all__ = ["create_pipeline"]
