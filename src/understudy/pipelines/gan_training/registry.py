"""The generator in MLflow's model registry: safetensors and code, never a pickle."""

import logging
import tempfile
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import torch
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from understudy.config import parse
from understudy.gan.config import GanConfig
from understudy.gan.networks import weights_key
from understudy.gan.pool import generator_only
from understudy.weights import Weights, save_weights

MODEL = Path(__file__).with_name("generator_model.py")
TAG = "weights"

logger = logging.getLogger(__name__)


def register_generator(weights: Weights, parameters: dict[str, Any], source: str) -> dict[str, Any]:
    """Register the generator as a new version of `understudy-<source>-<size>px`, unless it is the latest already.

    Returns:
        `name` and `version`, by which `mlflow.pyfunc.load_model("models:/<name>/<version>")` finds it; None where it
        was not registered: parameter `gan_training.register` is false, or no run is active.
    """
    if not parse(GanConfig, parameters, "gan_training").register or mlflow.active_run() is None:
        return {"name": None, "version": None}
    size, key = int(weights.arguments["size"]), weights_key(weights)
    name = f"understudy-{source}-{size}px"
    known = mlflow.MlflowClient().search_model_versions(f"name='{name}'")
    latest = max(known, key=lambda version: int(version.version), default=None)
    if latest is not None and latest.tags.get(TAG) == key:
        return {"name": name, "version": int(latest.version)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "weights"
        save_weights(folder / "generator", generator_only(weights))
        logged = mlflow.pyfunc.log_model(
            name="generator",
            python_model=str(MODEL),
            artifacts={"generator": str(folder)},
            signature=signature(size),
            input_example=pd.DataFrame({"seed": [0, 1], "psi": [0.7, 0.7]}),
            registered_model_name=name,
            pip_requirements=[f"torch=={torch.__version__.split('+')[0]}"],  # named, since guessing takes a minute
        )
    version = str(logged.registered_model_version)
    mlflow.MlflowClient().set_model_version_tag(name, version, TAG, key)
    logger.info("Registered the generator as models:/%s/%s.", name, version)
    return {"name": name, "version": int(version)}


def signature(size: int) -> ModelSignature:
    """What the model takes and gives, for pictures of `size` pixels."""
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.long, "seed"), ColSpec(DataType.double, "psi")]),
        outputs=Schema([TensorSpec(np.dtype("uint8"), (-1, size, size, 3))]),
    )
