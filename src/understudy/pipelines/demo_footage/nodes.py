"""Nodes of `demo_footage`: glue between parameters and `understudy.puppet`."""

from functools import partial
from typing import Any

from understudy.config import parse
from understudy.datasets.footage import FootagePlan
from understudy.puppet.clip import make_footage, make_recipe
from understudy.puppet.config import DemoFootageConfig


def animate_source(parameters: dict[str, Any], source: str) -> FootagePlan:
    """Plan the source's clip; it is made when it is saved, and only once."""
    config = parse(DemoFootageConfig, parameters, "demo_footage")
    return _plan(source, config, config.source_seconds)


def animate_target(parameters: dict[str, Any], target: str) -> FootagePlan:
    """Plan the target's clip; it is made when it is saved, and only once."""
    config = parse(DemoFootageConfig, parameters, "demo_footage")
    return _plan(target, config, config.target_seconds)


def _plan(portrait: str, config: DemoFootageConfig, seconds: float) -> FootagePlan:
    recipe = make_recipe(portrait, config, seconds)
    return FootagePlan(recipe, partial(make_footage, portrait=portrait, config=config, seconds=seconds))
