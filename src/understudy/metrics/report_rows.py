"""Rows of the report's tables."""

from typing import Any

from understudy.metrics.formats import ABSENT, at, between, known, percent

Row = dict[str, str]
Group = dict[str, Any]


def group(title: str, method: str, reference: str, rows: list[Row]) -> Group:
    """A table: its title, how it was measured, what the third column holds, its rows."""
    return {"title": title, "method": method, "reference": reference, "rows": rows}


def entry(name: str, meaning: str, ours: str, reference: str = "", paper: str = "") -> Row:
    """A row. The reference and the paper's may be empty."""
    return {"name": name, "meaning": meaning, "ours": ours, "reference": known(reference), "paper": paper}


def counted(figures: dict[str, Any], kind: str, total: str = "synthetic") -> str:
    """So many of so many, as a share with its interval."""
    share = at(figures, f"{kind}_share")
    if share is None:
        return ABSENT
    ends = between(at(figures, f"{kind}_low"), at(figures, f"{kind}_high"))
    return f"{figures[kind]} of {figures[total]} · {percent(share)} {ends}"
