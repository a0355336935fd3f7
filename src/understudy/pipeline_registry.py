"""The pipelines that `kedro run --pipeline NAME` knows."""

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

WHOLE = ("data_engineering", "gan_training", "evaluation", "deepfake")


def register_pipelines() -> dict[str, Pipeline]:
    """All pipelines by name.

    `kedro run` runs the four of the project. `demo` puts the making of demo footage before them.
    """
    pipelines = find_pipelines(raise_errors=True)
    whole = sum((pipelines[name] for name in WHOLE if name in pipelines), start=Pipeline([]))
    pipelines["__default__"] = whole
    if "demo_footage" in pipelines:
        pipelines["demo"] = pipelines["demo_footage"] + whole
    return pipelines
