"""Demo footage: clips animated from one portrait each, on the user's machine."""

from understudy.puppet.clip import animate
from understudy.puppet.portraits import PORTRAITS as portraits

__all__ = ["animate", "portraits"]
