"""The configuration of every environment: each entry is used, layered, and each parameter fits its dataclass."""

import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project

from understudy.errors import UserError
from understudy.hooks import CONFIGS, PLAIN, check_parameters
from understudy.settings import CONFIG_LOADER_ARGS
from understudy.swap.presets import configure

ROOT = Path(__file__).parents[1]
LAYERS = {
    "raw",
    "intermediate",
    "primary",
    "feature",
    "models",
    "model_input",
    "model_output",
    "swap_models",
    "reporting",
}
DATA = {
    "01_raw": "raw",
    "02_intermediate": "intermediate",
    "03_primary": "primary",
    "04_feature": "feature",
    "05_model_input": "model_input",
    "06_models": "models",
    "07_model_output": "model_output",
    "08_reporting": "reporting",
}


def config(env: str, **runtime_params) -> OmegaConfigLoader:
    return OmegaConfigLoader(
        conf_source=str(ROOT / "conf"), env=env, runtime_params=runtime_params, **CONFIG_LOADER_ARGS
    )


@pytest.fixture(scope="module")
def all_pipelines():
    bootstrap_project(ROOT)
    return dict(pipelines)


@pytest.mark.parametrize("env", ["base", "demo", "test"])
def test_each_entry_is_used_and_lies_in_the_folder_of_its_layer(env, all_pipelines):
    used = set().union(*(pipeline.datasets() for pipeline in all_pipelines.values()))
    catalog = {name: entry for name, entry in config(env)["catalog"].items() if not name.startswith("_")}
    assert catalog
    for name, entry in catalog.items():
        assert name in used, f"{name} is in the catalog and in no pipeline"
        layer = entry["metadata"]["kedro-viz"]["layer"]
        assert layer in LAYERS, name
        path = entry.get("filepath") or entry["dataset"]["filepath"]
        # the swap is learned from model output: Kedro-Viz draws no layers when these run in a circle
        folder = DATA[Path(path).parts[1]]
        assert layer == folder or (layer, folder) == ("swap_models", "models"), (
            f"{name} of layer {layer} lies in {path}"
        )


def test_layers_run_one_way_so_that_kedro_viz_draws_them(all_pipelines):
    catalog = config("demo")["catalog"]
    before = {}
    for node in all_pipelines["demo"].nodes:
        of = {
            name: catalog[name]["metadata"]["kedro-viz"]["layer"]
            for name in [*node.inputs, *node.outputs]
            if name in catalog
        }
        for output in node.outputs:
            before.setdefault(of[output], set()).update({of[name] for name in node.inputs if name in of} - {of[output]})
    order = list(TopologicalSorter(before).static_order())
    assert order.index("raw") < order.index("primary") < order.index("models") < order.index("swap_models")


@pytest.mark.parametrize("env", ["base", "demo", "test"])
def test_all_that_pipelines_pass_on_is_declared(env, all_pipelines):
    loaded = config(env)
    parameters, catalog = loaded["parameters"], loaded["catalog"]  # read anew at each look
    names = ["__default__"] if env == "base" else ["demo"]
    for name in names:
        for dataset in all_pipelines[name].datasets():
            if dataset.startswith("params:"):
                assert dataset.removeprefix("params:").split(".")[0] in parameters, dataset
            else:
                assert dataset in catalog, f"{dataset} of {name} is not in the catalog"


@pytest.mark.parametrize("env", ["base", "demo", "test"])
def test_the_parameters_of_each_environment_fit_their_dataclasses(env):
    parameters = config(env)["parameters"]
    check_parameters(parameters)
    assert set(parameters) >= {*PLAIN, "parallel"}
    assert set(parameters) >= {key for key in CONFIGS if key != "demo_footage" or env != "base"}


def test_people_and_sizes_never_share_a_path():
    def paths(**runtime_params):
        catalog = config("demo", **runtime_params)["catalog"]
        return {
            name: entry.get("filepath") or entry["dataset"]["filepath"]
            for name, entry in catalog.items()
            if not name.startswith("_")
        }

    first, other_size = paths(source="anna", target="ben", size=64), paths(source="anna", target="ben", size=128)
    other_source, other_target = paths(source="cleo", target="ben"), paths(source="anna", target="cleo")
    for name, path in first.items():
        if name == "base_checkpoints":
            continue  # shipped, and read only
        people = {person for person in ("anna", "ben") if re.search(rf"\b{person}\b|{person}_on|on_{person}", path)}
        assert people, f"{name} names no person: {path}"
        if "anna" in people:
            assert other_source[name] != path
        if "ben" in people:
            assert other_target[name] != path
        if not path.startswith(("data/01_raw", "data/02_intermediate")):
            assert other_size[name] != path, f"{name} does not depend on the size"


def test_the_base_environment_holds_the_papers_settings():
    loaded = config("base")
    parameters = loaded["parameters"]
    assert parameters["size"] == 256
    assert parameters["gan_training"]["training"]["kimg"] == 500
    assert parameters["gan_training"]["synthesis"]["count"] == 1000
    swap = configure(parameters["deepfake"])
    assert (swap.training.iterations, swap.network.options) == (80_000, "ud")


def test_variants_of_a_swap_never_share_a_path_and_none_adds_no_folder(all_pipelines):
    made = {name for name in all_pipelines["deepfake"].all_outputs() if not name.startswith("params:")}
    made |= {"swap_checkpoints"}
    plain, other = (config("demo", **chosen)["catalog"] for chosen in ({}, {"variant": "real_250"}))
    for name in made:
        usual, own = (
            Path(entry.get("filepath") or entry["dataset"]["filepath"]) for entry in (plain[name], other[name])
        )
        assert own == usual.parent / "real_250" / usual.name, name


def test_a_variant_is_a_folders_name():
    check_parameters(config("demo", variant="real_250")["parameters"])
    with pytest.raises(UserError, match=r"The variant '\.\./elsewhere' cannot be a folder's name"):
        check_parameters(config("demo", variant="../elsewhere")["parameters"])
