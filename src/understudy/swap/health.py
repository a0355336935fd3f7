"""Whether the training is still going somewhere: a number that is none, or faces that have fallen apart."""

import math
from dataclasses import dataclass
from typing import Any

from understudy.errors import Diverged

MEMORY = 0.9
"""How much of the running mean stays from one look to the next."""
WORSE = 3.0
"""Times the lowest running mean of the loss at which faces count as fallen apart."""
PATIENCE = 10
"""Looks in a row that must find them so."""
YOUNG = 20
"""Looks before the lowest is believed."""


@dataclass
class Health:
    """Follows the sum of the losses from look to look."""

    looks: int = 0
    mean: float = 0.0
    lowest: float = math.inf
    bad: int = 0

    @property
    def suspect(self) -> bool:
        """Whether something seems wrong, so that the present state should not become the one to go back to."""
        return self.bad > 0

    def look(self, losses: dict[str, float]) -> None:
        """Judge the losses of a step.

        Raises:
            Diverged: training has failed.
        """
        for name, value in losses.items():
            if not math.isfinite(value):
                raise Diverged(f"{name} is not a number")
        total = sum(losses.values())
        self.mean = MEMORY * self.mean + (1 - MEMORY) * total if self.looks else total
        self.looks += 1
        if self.looks >= YOUNG:
            self.lowest = min(self.lowest, self.mean)
        self.bad = self.bad + 1 if total > WORSE * self.lowest else 0
        if self.bad >= PATIENCE:
            raise Diverged(f"the loss has risen to {total / self.lowest:.1f} times its lowest")

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return dict(vars(self))

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` gave."""
        vars(self).update(state)
