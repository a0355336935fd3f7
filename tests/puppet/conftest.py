"""The two puppets, made once."""

from collections.abc import Callable
from functools import cache

import pytest

from understudy.puppet.animate import Pose, Puppet, make_puppet
from understudy.puppet.portraits import PORTRAITS, make_canvas

STILL = dict.fromkeys(Pose.__dataclass_fields__, 0.0)


@pytest.fixture(scope="session")
def puppet() -> Callable[[str], Puppet]:
    """A puppet by the name of its portrait."""
    return cache(lambda name: make_puppet(make_canvas(PORTRAITS[name], 512)))


@pytest.fixture(scope="session")
def pose() -> Callable[..., Pose]:
    """A pose of which only some values differ from rest."""
    return lambda **values: Pose(**(STILL | values))
