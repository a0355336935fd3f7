"""Kedro dataset of network weights: safetensors and a JSON of the network's arguments, never a pickle."""

from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from understudy.weights import Weights, load_weights, save_weights


class NetworkDataset(AbstractDataset[Weights, Weights]):
    """Weights at `filepath` (a name without suffix: `.safetensors` and `.json` are added).

    Args:
        filepath: the path without suffix.
        metadata: for Kedro-Viz and other plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> Weights:
        """Read the weights, onto the CPU."""
        return load_weights(self._filepath)

    def save(self, data: Weights) -> None:
        """Write both files; the JSON last, since it holds the SHA-256 of the other."""
        save_weights(self._filepath, data)

    def _exists(self) -> bool:
        return all(self._filepath.with_suffix(suffix).is_file() for suffix in (".safetensors", ".json"))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
