"""The wiring of deepfake and its parameters in every environment."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from understudy.config import parse
from understudy.errors import UserError
from understudy.pipelines.deepfake import create_pipeline
from understudy.swap.config import SwapConfig
from understudy.swap.presets import configure

CONF = Path(__file__).parents[3] / "conf"


def parameters(environment: str) -> dict:
    """Base parameters with those of `environment` laid over them, as Kedro's soft merge does."""

    def merge(below: dict, above: dict) -> dict:
        both = {
            key: merge(below[key], above[key]) if isinstance(below.get(key), dict) and key in above else above.get(key)
            for key in above
        }
        return below | both

    read = [yaml.safe_load((CONF / name / "deepfake/parameters.yml").read_text()) for name in ("base", environment)]
    return merge(*read)["deepfake"]


def test_base_is_the_dataclass_itself() -> None:
    assert configure(parameters("base")) == replace(SwapConfig(), preset="paper256")


@pytest.mark.parametrize("environment", ["demo", "test"])
def test_overlays_fit(environment: str) -> None:
    config = configure(parameters(environment))
    assert config.training.iterations < SwapConfig().training.iterations


def test_misspelt_key_is_named() -> None:
    with pytest.raises(UserError, match=r"deepfake\.training\.iteration"):
        parse(SwapConfig, {"training": {"iteration": 3}}, "deepfake")


def test_every_output_is_in_the_catalog() -> None:
    pipeline = create_pipeline()
    catalog = {}
    for path in (CONF / "base/deepfake").glob("catalog*.yml"):
        catalog |= yaml.safe_load(path.read_text())
    assert pipeline.all_outputs() | {"swap_checkpoints"} == set(catalog)
    others = {"consents", "selected_faces", "source_faces", "source_selection", "target_footage"}
    others |= {"target_faces", "target_selection"}
    data = {name for name in pipeline.inputs() if not name.startswith("params:")}
    assert data == others | {"swap_checkpoints"}
    assert all(entry["metadata"]["kedro-viz"]["layer"] for entry in catalog.values())
