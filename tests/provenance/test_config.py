"""The parameters of provenance in every environment."""

from pathlib import Path

import pytest
from kedro.config import OmegaConfigLoader

from understudy.config import parse
from understudy.errors import UserError
from understudy.provenance.config import ProvenanceConfig
from understudy.settings import CONFIG_LOADER_ARGS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("environment", ["base", "demo", "test"])
def test_all_is_on_and_the_key_lies_where_git_does_not_look(environment: str) -> None:
    loader = OmegaConfigLoader(conf_source=str(ROOT / "conf"), env=environment, **CONFIG_LOADER_ARGS)
    config = parse(ProvenanceConfig, loader["parameters"]["provenance"], "provenance")
    assert config == ProvenanceConfig(folder=config.folder)
    assert config.label and config.watermark and config.credentials
    assert Path(config.folder).is_absolute() and config.folder.endswith("conf/local/signing")
    assert "conf/local/**" in (ROOT / ".gitignore").read_text().splitlines()


def test_a_wrong_time_stamp_address_is_named() -> None:
    with pytest.raises(UserError, match=r"provenance\.timestamp_url"):
        parse(ProvenanceConfig, {"timestamp_url": "tsa.example.org"}, "provenance")
