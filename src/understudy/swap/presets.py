"""Sets of settings that belong together. What the parameters give explicitly is never replaced."""

from collections.abc import Mapping
from typing import Any

from understudy.config import parse
from understudy.swap.config import SwapConfig

Settings = dict[str, dict[str, Any]]

# 64 pixels on a CPU: 13 minutes on one core. So short a training learns faster from faces that are turned and
# moved less, and a mouth is two pixels high: the warp must not bend more than that. Without `s` it does not move.
TINY: Settings = {
    "network": {"kind": "df", "options": "uds", "encoder": 24, "inter": 128, "decoder": 16, "mask": 6},
    "augment": {
        "warp": 0.3,
        "warp_until": 0.5,
        "rotation": 5,
        "scale": 0.03,
        "shift": 0.02,
        "flip_source": "pose",
        "flip_target": 0,
        "colour_jitter": 0.03,
        "nearest": 4,
        "occlude": 0.1,
        "turn": 12,
    },
    "losses": {"eyes_mouth": 600},
    "training": {"iterations": 1500, "batch": 16, "lr": 1.4e-3, "decay_from": 0.5},
}
# 96 pixels, for a small GPU; not timed.
QUICK96: Settings = {
    "network": {"kind": "df", "options": "ud", "encoder": 64, "inter": 128, "decoder": 64, "mask": 16},
    "augment": {"flip_source": 0, "flip_target": 0},
    "training": {"iterations": 40_000, "batch": 4, "lr": 2e-4},
}
# What the paper trained at 256 pixels, for a large GPU; not timed.
PAPER256: Settings = {
    "network": {"kind": "df", "options": "ud", "encoder": 64, "inter": 256, "decoder": 64, "mask": 22},
    "augment": {},
    "training": {"iterations": 80_000, "batch": 8, "lr": 5e-5},
}
PRESETS = {"tiny": TINY, "quick96": QUICK96, "paper256": PAPER256}


def configure(params: Mapping[str, Any]) -> SwapConfig:
    """Check the parameters of deepfake and fill in what their preset gives.

    Args:
        params: as read from YAML.

    Raises:
        UserError: names the first parameter that is wrong.
    """
    given = parse(SwapConfig, params, "deepfake")
    if given.preset is None:
        return given
    filled = {name: {**part, **(params.get(name) or {})} for name, part in PRESETS[given.preset].items()}
    return parse(SwapConfig, {**params, **filled}, "deepfake")
