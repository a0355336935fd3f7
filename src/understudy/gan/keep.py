"""What training keeps on disk beside its state: the best weights, snapshots, and a state that is safe to go back to."""

import logging
from pathlib import Path

from safetensors import SafetensorError

from understudy.errors import UserError
from understudy.gan.networks import KIND
from understudy.weights import Weights, load_weights, save_weights

logger = logging.getLogger(__name__)

BEST, SNAPSHOTS = "best", "snapshots"


def keep_weights(path: Path, weights: Weights) -> None:
    """Write `weights` to `path`.

    Raises:
        UserError: it could not be written; what was there before stays whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        save_weights(path, weights)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"The weights {path}.safetensors could not be written ({error}): free some space on its disk and run the "
            "same command again, which goes on from the last checkpoint."
        ) from error


def keep_snapshot(folder: Path, weights: Weights, images: int) -> None:
    """Keep the generator of `weights` alone, in half precision, under the thousands of images it has seen."""
    tensors = {name: tensor.half() for name, tensor in weights.tensors.items() if name.startswith("generator.")}
    name = f"{images / 1000:08.1f}kimg".replace(".", "_")
    keep_weights(folder / SNAPSHOTS / name, Weights(weights.kind, weights.arguments, tensors, weights.notes))


def load_best(folder: Path) -> Weights:
    """The weights whose faces were nearest to the filmed ones."""
    return load_weights(folder / BEST, KIND)
