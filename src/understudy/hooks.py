"""What happens around every run: parameters are checked first, numbers and times go to MLflow."""

import logging
import os
import platform
import subprocess
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import mlflow
import psutil
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from understudy.config import parse
from understudy.datasets.measure import Measure
from understudy.errors import UserError
from understudy.files import safe_name
from understudy.flatten import flat_numbers
from understudy.provenance.consent import NEEDS, check, check_kept

logger = logging.getLogger(__name__)

CONFIGS = {
    "demo_footage": ("understudy.puppet.config", "DemoFootageConfig"),
    "data_engineering": ("understudy.faces.config", "FacesConfig"),
    "gan_training": ("understudy.gan.config", "GanConfig"),
    "evaluation": ("understudy.metrics.config", "EvaluationConfig"),
    "deepfake": ("understudy.swap.config", "SwapConfig"),
    "swap_quality": ("understudy.metrics.swap_config", "SwapQualityConfig"),
    "provenance": ("understudy.provenance.config", "ProvenanceConfig"),
    "parallel": ("understudy.parallel", "ParallelConfig"),
}
"""Which dataclass each top-level parameter must fit."""

PLAIN = {"source", "target", "size", "seed", "variant"}


class ParameterCheck:
    """Names a misspelt key, a wrong type or an unusable name before anything is read or written."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check all parameters of the run."""
        check_parameters(context.params)


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Check the parameters of a run against their dataclasses.

    Raises:
        UserError: names the first one that is wrong.
    """
    for key, value in parameters.items():
        if key in CONFIGS:
            module, name = CONFIGS[key]
            if not isinstance(value, Mapping):
                raise UserError(f"Parameter '{key}' = {value!r} is not valid: it needs keys of its own.")
            parse(getattr(import_module(module), name), value, key)
        elif key not in PLAIN:
            raise UserError(f"Parameter '{key}' does not exist: use one of {', '.join(sorted({*CONFIGS, *PLAIN}))}.")
    for key in ("source", "target", "variant"):
        if key != "variant" or parameters.get(key, ".") != ".":
            safe_name(parameters[key], key)
    if parameters["source"] == parameters["target"]:
        raise UserError(f"Source and target are both '{parameters['source']}': choose two people.")
    size = parameters["size"]
    if not isinstance(size, int) or isinstance(size, bool) or size not in {32, 64, 128, 256, 512, 1024}:
        raise UserError(f"Parameter 'size' = {size!r} is not valid: use 32, 64, 128, 256, 512 or 1024.")
    if not isinstance(parameters["seed"], int):
        raise UserError(f"Parameter 'seed' = {parameters['seed']!r} is not valid: use a whole number.")


class ConsentCheck:
    """Sees that consent still holds in a run that does not begin with the footage, whose first step would see to it."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Check both people's records, or those kept with the results where the footage is elsewhere by now."""
        results = {name for name in pipeline.inputs() if not name.startswith("param")}
        if "consents" in pipeline.all_outputs() or not results:
            return
        kept = catalog.load("consents") if catalog.exists("consents") else {}
        for who, needs in NEEDS.items():
            if who == "target" and not any(name.startswith("target") for name in results):
                continue
            if catalog.exists(f"{who}_footage"):
                footage = catalog.load(f"{who}_footage")
                check(footage.folder, footage.name, needs)
            elif who in kept:
                check_kept(kept[who], needs)
            else:
                raise UserError(
                    f"No consent record of the {who} was found, neither beside the footage nor with the results: "
                    "run the pipeline data_engineering first."
                )


class Tracking:
    """Adds to the MLflow run what kedro-mlflow does not: the commit, and the numbers of metric datasets."""

    def __init__(self) -> None:
        self._catalog: CatalogProtocol | None = None

    @hook_impl
    def after_catalog_created(self, catalog: CatalogProtocol) -> None:
        """Keep the catalog, to look up the metadata of what is saved."""
        self._catalog = catalog

    @hook_impl(trylast=True)
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Tag the run with the git commit, and close the runs whose process was killed."""
        run = mlflow.active_run()
        if run is None:
            return
        mlflow.set_tags(_git_tags(Path(str(run_params["project_path"]))) | _process_tags(os.getpid()))
        _close_killed_runs(run.info.experiment_id)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log each finite number of a dataset whose metadata says `mlflow: metrics`."""
        if mlflow.active_run() is None or self._catalog is None:
            return
        dataset = self._catalog.get(dataset_name)
        metadata = getattr(dataset, "metadata", None) or {}
        if metadata.get("mlflow") == "metrics":
            if isinstance(data, Measure):  # a plan: its figures are those that were made or kept
                data = dataset.load()
            mlflow.log_metrics({f"{dataset_name}.{key}": value for key, value in flat_numbers(data)})


class NodeTimes:
    """Measures the wall time of each node, for MLflow and for a table at the end."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._seconds: dict[str, float] = {}

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Start the clock."""
        self._started[node.name] = time.monotonic()

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """Stop the clock anew at each saved output, since saving a plan is where its work is done."""
        self._stop(node)

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Stop the clock."""
        self._stop(node)

    def _stop(self, node: Node) -> None:
        self._seconds[node.name] = time.monotonic() - self._started[node.name]

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self, pipeline: Pipeline) -> None:
        """Log the times, longest first."""
        order = sorted(self._seconds.items(), key=lambda item: -item[1])
        if mlflow.active_run() is not None:
            mlflow.log_metrics({f"seconds.{name}": seconds for name, seconds in order})
        lines = [f"{seconds:9.1f} s  {name}" for name, seconds in order]
        lines.append(f"{sum(self._seconds.values()):9.1f} s  in all")
        logger.info("Time of each step:\n%s", "\n".join(lines))


def _git_tags(project: Path) -> dict[str, str]:
    """The commit and whether the tree differs from it; empty outside a git checkout."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(project), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        return {"git.commit": git("rev-parse", "HEAD"), "git.dirty": str(bool(git("status", "--porcelain"))).lower()}
    except (OSError, subprocess.CalledProcessError):
        return {"git.commit": "unknown"}


def _process_tags(pid: int) -> dict[str, str]:
    return {"process.host": platform.node(), "process.id": str(pid)}


def _close_killed_runs(experiment_id: str) -> None:
    """Mark as KILLED the runs that MLflow still shows as running and whose process on this machine is gone."""
    client = mlflow.MlflowClient()
    here = f"tags.`process.host` = '{platform.node()}'"
    for run in client.search_runs([experiment_id], f"attributes.status = 'RUNNING' and {here}"):
        if not psutil.pid_exists(int(run.data.tags["process.id"])):
            client.set_terminated(run.info.run_id, "KILLED")
