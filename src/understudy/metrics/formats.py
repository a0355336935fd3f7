"""How figures are looked up and written on the page. What is absent is said to be, and never stops the page."""

from collections.abc import Mapping
from typing import Any

ABSENT = "not measured"


def at(scores: Mapping[str, Any], key: str) -> Any:
    """The value under a dotted key, None where any part of the way is absent."""
    value: Any = scores
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def percent(share: float | None, digits: int = 1) -> str:
    """A share as per cent."""
    return ABSENT if share is None else f"{100 * share:z.{digits}f} %"


def number(value: float | None, digits: int = 3) -> str:
    """A plain number."""
    return ABSENT if value is None else f"{value:z.{digits}f}"


def plus(value: float | None, std: float | None, digits: int = 3) -> str:
    """A number with its standard deviation."""
    if value is None:
        return ABSENT
    return f"{value:z.{digits}f}" + (f" ± {std:z.{digits}f}" if std is not None else "")


def between(low: float | None, high: float | None, scale: float = 100, digits: int = 0) -> str:
    """An interval in brackets that no line break divides, empty where there is none."""
    return "" if low is None or high is None else f"({low * scale:z.{digits}f}\u2060–\u2060{high * scale:z.{digits}f})"


def spread(mean: float | None, variance: float | None, digits: int = 3) -> str:
    """Mean and variance, as the paper states them."""
    return ABSENT if mean is None or variance is None else f"{mean:z.{digits}f} · variance {variance:z.{digits + 1}f}"


def thousand(value: float | None) -> float | None:
    """A thousand times the value."""
    return None if value is None else 1000 * value


def known(text: str) -> str:
    """The text, or nothing where it only says that a figure is absent: a reference may simply not apply."""
    return "" if text == ABSENT else text
