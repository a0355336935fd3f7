"""How parameters become validated dataclasses.

A configuration class is a frozen pydantic dataclass that refuses unknown keys:

    @dataclass(frozen=True, config=STRICT)
    class GanConfig:
        kimg: float = 25.0
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from understudy.errors import UserError

STRICT = ConfigDict(extra="forbid")
"""Unknown keys are errors; numbers and strings are converted only where nothing is lost."""

T = TypeVar("T")


def parse(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Build the configuration `cls` from the parameters called `where`.

    Args:
        cls: a pydantic dataclass declared with `config=STRICT`.
        values: the parameters as read from YAML.
        where: their name, such as `gan`, for the error message.

    Raises:
        UserError: names the first key that is unknown, missing, of the wrong type or out of range.
    """
    try:
        return TypeAdapter(cls).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([where, *(str(part) for part in first["loc"])])
        if first["type"] == "unexpected_keyword_argument":
            known = ", ".join(sorted(getattr(cls, "__dataclass_fields__", {})))
            raise UserError(f"Parameter '{key}' does not exist: remove it or use one of {known}.") from None
        raise UserError(f"Parameter '{key}' = {first['input']!r} is not valid: {first['msg']}.") from None
