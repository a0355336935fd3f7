"""A person's folder of demo footage: one clip with sound, and the consent record that says what it is."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from understudy.files import write_text
from understudy.progress import track
from understudy.puppet.animate import animate_puppet, make_puppet
from understudy.puppet.config import DemoFootageConfig
from understudy.puppet.motion import make_motion
from understudy.puppet.portraits import PORTRAITS, find_portrait, make_canvas
from understudy.puppet.sound import SAMPLE_RATE, babble
from understudy.video.encode import write_video

VERSION = 1
"""Raise it when the pictures change, so that footage made before is made anew."""


def animate(portrait: str, config: DemoFootageConfig, seconds: float) -> Iterator[np.ndarray]:
    """Yield the frames (S, S, 3) RGB uint8 of a portrait that talks for `seconds`.

    Raises:
        UserError: there is no portrait of that name.
    """
    puppet = make_puppet(make_canvas(find_portrait(portrait), config.size))
    motion = make_motion(seconds, _seed(portrait, config), config.strength)
    return animate_puppet(puppet, motion, round(seconds * config.rate), config.rate)


def make_recipe(portrait: str, config: DemoFootageConfig, seconds: float) -> dict[str, Any]:
    """What decides how a clip looks; the same recipe makes the same clip.

    Raises:
        UserError: there is no portrait of that name.
    """
    return {
        "version": VERSION,
        "portrait": find_portrait(portrait).name,
        "seconds": seconds,
        "size": config.size,
        "rate": config.rate,
        "seed": config.seed,
        "strength": config.strength,
    }


def make_footage(folder: Path, portrait: str, config: DemoFootageConfig, seconds: float) -> None:
    """Write `<portrait>.mp4` and `consent.yml` into `folder`."""
    frames = round(seconds * config.rate)
    seed = _seed(portrait, config)
    sound = babble(make_motion(seconds, seed, config.strength), frames / config.rate, seed)
    pictures = track(animate(portrait, config, seconds), f"Animating {portrait}", frames)
    size = (config.size, config.size)
    write_video(folder / f"{portrait}.mp4", pictures, Fraction(config.rate), size, sound, SAMPLE_RATE)
    write_text(folder / "consent.yml", consent_record(portrait))


def consent_record(portrait: str) -> str:
    """The consent record of a demo portrait, as YAML."""
    record = {
        "person": portrait,
        "granted_by": "nobody: a work of the United States government in the public domain",
        "granted_on": date(2026, 1, 1),
        "expires_on": None,
        "scope": ["train", "synthesise", "swap"],
        "how": f"{find_portrait(portrait).credit}; animated on this machine, for trying the software only",
        "signed_form_sha256": None,
    }
    return yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=120)


def _seed(portrait: str, config: DemoFootageConfig) -> int:
    """Portraits differ in their movements, whichever of them is the source."""
    return 100 * config.seed + list(PORTRAITS).index(portrait)
