"""Nested figures as flat numbers, as MLflow keeps them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any


def flat_numbers(value: Any, prefix: str = "") -> Iterator[tuple[str, float]]:
    """Each finite number of a nested mapping with its dotted key. Lists are passed over."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flat_numbers(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, int | float) and math.isfinite(value):
        yield prefix, float(value)
