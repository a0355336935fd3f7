"""Finding the figures of runs: in the MLflow store, or in a report's JSON."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import mlflow
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from understudy.errors import UserError
from understudy.flatten import flat_numbers
from understudy.metrics.compare import RunFigures
from understudy.metrics.study import QUALITY, read_swap

PAGE = 500


def find_runs(wanted: Sequence[str], store: str) -> list[RunFigures]:
    """The figures of the runs that are asked for, in that order.

    Args:
        wanted: run ids or their unique beginnings, names of runs, or paths of report JSON files.
        store: address of the MLflow store.

    Raises:
        UserError: fewer than two, one that is unknown, ambiguous, named twice or without figures, or no store.
    """
    if len(wanted) < 2:
        raise UserError("A comparison needs two runs or more: name them by MLflow run id, run name or report JSON.")
    known: list[Run] | None = None
    found = []
    for word in wanted:
        if word.endswith(".json"):
            path = Path(word)
            found.append(read_swap(path) if path.name == QUALITY else read_report(path))
        else:
            known = list(_all_runs(store)) if known is None else known
            found.append(_of_run(_pick(word, known, store)))
    keys = [run.key for run in found]
    for word, key in zip(wanted, keys, strict=True):
        if keys.count(key) > 1:
            raise UserError(f"The run '{word}' is given twice: name different runs.")
    return found


def read_report(path: Path) -> RunFigures:
    """The figures of a report's JSON, `evaluation_scores.json`.

    Raises:
        UserError: it is not there or not such a file.
    """
    if not path.is_file():
        raise UserError(f"The report {path} does not exist: give the path of an evaluation_scores.json.")
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
        name, size = scores["source"], scores["size"]
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{path} is no report: give the path of an evaluation_scores.json.") from None
    figures = dict(flat_numbers({key: part for key, part in scores.items() if isinstance(part, dict)}))
    return RunFigures(str(path.resolve()), f"{name}, {size} px", f"{name}-{size}px", figures, {}, {"file": str(path)})


def _all_runs(store: str) -> Iterator[Run]:
    path = store.removeprefix("sqlite:///")
    if path != store and not Path(path).is_file():  # the client would make an empty one
        raise UserError(f"There is no MLflow store {path} yet: run `kedro run` first, or name report JSON files.")
    client = mlflow.MlflowClient(store)
    try:
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        token = None
        while experiments:
            page = client.search_runs(experiments, max_results=PAGE, page_token=token)
            yield from page
            if not (token := page.token):
                break
    except MlflowException as error:
        raise UserError(f"The MLflow store {store} cannot be read: {str(error).splitlines()[0]}") from error


def _pick(word: str, known: list[Run], store: str) -> Run:
    ids = [run for run in known if run.info.run_id.startswith(word)]
    matching = ids or [run for run in known if run.info.run_name == word]
    if not matching:
        raise UserError(
            f"The run '{word}' is not in {store}: give a run id, the beginning of one, the name of a run, "
            "or the path of a report JSON."
        )
    if len(matching) > 1:
        some = ", ".join(run.info.run_id[:12] for run in matching[:4])
        raise UserError(f"'{word}' means {len(matching)} runs ({some}): give more of the run id.")
    return matching[0]


def _of_run(run: Run) -> RunFigures:
    """A run's figures under the keys of the report: `identity_scores.x` is `identity.x` there."""
    figures = {}
    for key, value in run.data.metrics.items():
        measure, _, rest = key.partition(".")
        figures[f"{measure.removesuffix('_scores')}.{rest}"] = value
    tags = run.data.tags
    facts = {
        "run": run.info.run_id,
        "status": run.info.status,
        "started": datetime.fromtimestamp(run.info.start_time / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": tags.get("git.commit", "")[:12],
        "environment": tags.get("env", ""),
    }
    name = run.info.run_name or run.info.run_id[:8]
    return RunFigures(run.info.run_id, name, run.info.run_id[:8], figures, dict(run.data.params), facts)
