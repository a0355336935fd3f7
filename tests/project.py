"""A project of its own for a test: the same code and configuration, its own data and MLflow store."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {
    "DO_NOT_TRACK": "1",
    "KEDRO_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONWARNINGS": "ignore",
}


def copy_project(folder: Path) -> Path:
    """Copy code, configuration and the shipped base checkpoint; no other data."""
    for name in ("conf", "src", "data/06_models/base"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "local"))
    (folder / "conf/local").mkdir()
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def start(project: Path, *words: str, log: Path) -> subprocess.Popen[bytes]:
    """Start `kedro WORDS` in a process group of its own, its output going to `log`."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "kedro", *words],
            cwd=project,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
            start_new_session=True,
        )


def kedro(project: Path, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run `kedro WORDS` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "kedro", *words],
        cwd=project,
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=ENVIRONMENT,
    )
