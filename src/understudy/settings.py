"""Kedro's settings of this project."""

from pathlib import Path

from understudy.hooks import NodeTimes, ParameterCheck, Tracking

PROJECT_ROOT = Path(__file__).resolve().parents[2]

HOOKS = (ParameterCheck(), Tracking(), NodeTimes())

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # soft: an environment changes single keys of a nested parameter and keeps the others.
    "merge_strategy": {"parameters": "soft", "mlflow": "soft", "globals": "soft"},
    "custom_resolvers": {"project_root": lambda: str(PROJECT_ROOT)},
}
