"""The `evaluation` pipeline: judges the synthetic faces against the filmed ones and writes the report."""

from understudy.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
