"""From clips to facesets: consent, probing, extraction, a contact sheet and a summary."""

from understudy.pipelines.data_engineering.pipeline import create_pipeline

__all__ = ["create_pipeline"]
