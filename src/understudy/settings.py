"""Kedro's settings of this project."""

from pathlib import Path

from kedro.utils import find_kedro_project

from understudy.hooks import ConsentCheck, NodeTimes, ParameterCheck, Tracking


def project_root() -> str:
    """The project that holds the working directory, so that notebooks write to the same MLflow store."""
    return str(find_kedro_project(Path.cwd()) or Path(__file__).resolve().parents[2])


HOOKS = (ParameterCheck(), ConsentCheck(), Tracking(), NodeTimes())

# Faces of people are worked on here: nothing about it is sent anywhere.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_telemetry",)

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # soft: an environment changes single keys of a nested parameter and keeps the others.
    "merge_strategy": {"parameters": "soft", "mlflow": "soft", "globals": "soft"},
    "custom_resolvers": {"project_root": project_root},
}
