"""The generator as MLflow runs it: this file is copied beside the weights and read as code, so no pickle is involved.

Give it a table with the columns `seed` and `psi`, a face a row; it returns RGB uint8 (N, S, S, 3). The package
`understudy` has to be installed where it runs.
"""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

from understudy.gan.generator import Generator
from understudy.gan.networks import load_generator
from understudy.gan.synthesis import Recipe, draw_recipes
from understudy.weights import load_weights


class FaceGenerator(PythonModel):
    """Draws a face for each row of a table."""

    generator: Generator

    def load_context(self, context: PythonModelContext) -> None:
        """Read the weights: both files lie in one folder, the artifact `generator`."""
        self.generator = load_generator(load_weights(Path(context.artifacts["generator"]) / "generator"))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> np.ndarray:
        """RGB uint8 (N, S, S, 3) of the seeds and truncations in the rows."""
        rows = zip(model_input["seed"], model_input["psi"], strict=True)
        return draw_recipes(self.generator, [Recipe(int(seed), float(psi)) for seed, psi in rows])


mlflow.models.set_model(FaceGenerator())
