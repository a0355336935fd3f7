"""What the nodes need to know of MLflow: the run that is active, if any."""

import mlflow
import numpy as np
from pytorch_lightning.loggers import Logger, MLFlowLogger


def lightning_logger() -> Logger | None:
    """A Lightning logger that writes into the active run; None when there is no run."""
    run = mlflow.active_run()
    if run is None:
        return None
    # the address is passed, since the logger else takes the one that was set when Lightning was imported
    return MLFlowLogger(run_id=run.info.run_id, tracking_uri=mlflow.get_tracking_uri())


def log_picture(name: str, rgb: np.ndarray, step: int) -> None:
    """Log an RGB picture (H, W, 3) as `name`/`step`.png of the active run; nothing happens without a run."""
    if mlflow.active_run() is not None:
        mlflow.log_image(rgb, artifact_file=f"{name}/{step:06d}.png")
