"""All measures put together: the figures under stable keys, the paper's beside them, and what is missing."""

from collections.abc import Mapping
from typing import Any

from understudy.metrics.paper import PAPER


def collect(source: str, size: int, **measures: dict[str, Any]) -> dict[str, Any]:
    """All figures under the names of their measures; `missing` names what was not measured, and why.

    A measure may miss a part of itself only: its reason then stands under `measure.part`.
    """
    missing: dict[str, str] = {}
    for name, figures in measures.items():
        missing |= dict(_reasons(name, figures))
    return {
        "source": source,
        "size": size,
        **{
            name: {key: value for key, value in figures.items() if key != "missing"}
            for name, figures in measures.items()
        },
        "paper": dict(PAPER),
        "missing": missing,
    }


def _reasons(name: str, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every reason in nested figures with its dotted name, outermost first."""
    found = [(name, str(figures["missing"]))] if figures.get("missing") else []
    for key, value in figures.items():
        if isinstance(value, Mapping):
            found += _reasons(f"{name}.{key}", value)
    return found
