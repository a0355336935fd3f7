"""Whether training is still going somewhere, judged at fixed steps, so that all processes judge alike.

Three ways to fail are told apart: a number that is none, pictures that have all become the same one, and a
discriminator that has been certain of everything for long, from which a generator learns nothing.
"""

import math
from dataclasses import dataclass
from typing import Any

from understudy.errors import Diverged

LOOK_EVERY = 16
"""Steps between two looks: on a GPU each one waits for it."""
ALIVE, COLLAPSED = 0.3, 0.05
"""Spread of a batch of made pictures, as part of that of filmed ones: once alive, later the same picture."""
CERTAIN = 0.98
"""Mean sign of the logits, both ways, at which the discriminator counts as certain."""
HOPELESS = 8.0
"""Loss of the generator at which its pictures are given a chance of e^-8 of being filmed."""


@dataclass
class Health:
    """Follows the figures of training.

    Args:
        collapse_kimg: how long all pictures must have been the same one.
        certain_kimg: how long the discriminator must have been certain.
    """

    collapse_kimg: float = 2.0
    certain_kimg: float = 20.0
    lived: bool = False
    collapsed_at: float | None = None
    certain_at: float | None = None

    @property
    def suspect(self) -> bool:
        """Whether something seems wrong, so that the present state should not become the one to go back to."""
        return self.collapsed_at is not None or self.certain_at is not None

    def look(self, figures: dict[str, float], images: int) -> None:
        """Judge the means of the last steps.

        Raises:
            Diverged: training has failed.
        """
        kimg = images / 1000
        bad = [name for name, value in figures.items() if not math.isfinite(value)]
        if bad:
            raise Diverged(f"{bad[0]} is not a number")
        spread = figures["spread"]
        self.lived |= spread > ALIVE
        same = self.lived and spread < COLLAPSED
        self.collapsed_at = _since(same, self.collapsed_at, kimg)
        if self.collapsed_at is not None and kimg - self.collapsed_at >= self.collapse_kimg:
            raise Diverged("all pictures have become the same")
        certain = figures["sign_real"] > CERTAIN and figures["sign_fake"] < -CERTAIN
        certain = certain and figures["loss_generator"] > HOPELESS
        self.certain_at = _since(certain, self.certain_at, kimg)
        if self.certain_at is not None and kimg - self.certain_at >= self.certain_kimg:
            raise Diverged("the discriminator has been certain of everything for too long")

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"lived": self.lived, "collapsed_at": self.collapsed_at, "certain_at": self.certain_at}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""
        self.lived, self.collapsed_at = state["lived"], state["collapsed_at"]
        self.certain_at = state["certain_at"]


def _since(now: bool, before: float | None, kimg: float) -> float | None:
    return (kimg if before is None else before) if now else None
