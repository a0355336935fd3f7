import pytest
from pydantic import Field
from pydantic.dataclasses import dataclass

from understudy.config import STRICT, parse
from understudy.errors import UserError


@dataclass(frozen=True, config=STRICT)
class Inner:
    width: int = Field(default=8, gt=0)


@dataclass(frozen=True, config=STRICT)
class Outer:
    kimg: float
    network: Inner = Field(default_factory=Inner)


def test_values_become_a_dataclass():
    assert parse(Outer, {"kimg": 2, "network": {"width": 4}}, "gan") == Outer(2.0, Inner(4))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"kimg": 1, "network": {"widht": 4}}, "gan.network.widht"),
        ({"kimg": "many"}, "gan.kimg"),
        ({"kimg": 1, "network": {"width": 0}}, "gan.network.width"),
        ({}, "gan.kimg"),
    ],
)
def test_a_wrong_key_or_value_is_named(values, named):
    with pytest.raises(UserError, match=named):
        parse(Outer, values, "gan")
