"""How a head moves: smooth curves of time for turning, speaking, smiling, blinking."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.ndimage import gaussian_filter1d

FINE = 200
"""Steps a second at which the curves are made, before they are read at the frames' times."""


@dataclass(frozen=True)
class Motion:
    """The curves, each (N,). Angles in degrees; the rest in 0 to 1, or -1 to 1 where both ways are meant."""

    yaw: np.ndarray  # to the viewer's right
    pitch: np.ndarray  # downwards
    roll: np.ndarray  # clockwise
    jaw: np.ndarray  # 0 closed, 1 wide open
    lips: np.ndarray  # -1 pursed, 1 drawn wide
    smile: np.ndarray
    brows: np.ndarray  # -1 lowered, 1 raised
    frown: np.ndarray
    blink: np.ndarray  # 0 as in the portrait, 1 shut

    def at(self, times: np.ndarray) -> "Motion":
        """The curves at `times` in seconds."""
        grid = np.arange(len(self.yaw)) / FINE
        return Motion(**{field.name: np.interp(times, grid, getattr(self, field.name)) for field in fields(self)})


def make_motion(seconds: float, seed: int, strength: float = 1.0) -> Motion:
    """Invent the movements of `seconds` of talk; the same seed moves the same way."""
    rng = np.random.default_rng(seed)
    count = int(np.ceil(seconds * FINE)) + 1
    time = np.arange(count) / FINE
    jaw, lips = _speech(rng, time)
    return Motion(
        yaw=10.0 * strength * _sway(rng, time, (5.9, 3.7, 2.3)),
        pitch=6.0 * strength * _sway(rng, time, (4.7, 3.1, 1.9)),
        roll=4.5 * strength * _sway(rng, time, (6.7, 4.3, 2.9)),
        jaw=np.clip(strength * jaw, 0, 1.2),
        lips=strength * lips,
        smile=strength * np.clip(0.25 + 0.75 * _sway(rng, time, (7.1, 4.1)), 0, 1),
        brows=strength * _sway(rng, time, (3.3, 2.1, 5.3)),
        frown=strength * np.clip(_sway(rng, time, (4.9, 3.5)), 0, 1),
        blink=_blinks(rng, time),
    )


def _sway(rng: np.random.Generator, time: np.ndarray, periods: tuple[float, ...]) -> np.ndarray:
    """A wandering curve within -1 and 1: sinusoids whose periods (seconds) have no common multiple."""
    phases = rng.uniform(0, 2 * np.pi, len(periods))
    waves = [np.sin(2 * np.pi * time / period + phase) for period, phase in zip(periods, phases, strict=True)]
    return np.tanh(1.6 * np.mean(waves, axis=0)) / np.tanh(1.6)


def _speech(rng: np.random.Generator, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Phrases of syllables with pauses between them; each syllable opens the mouth and shapes the lips."""
    jaw, lips = np.zeros_like(time), np.zeros_like(time)
    start = rng.uniform(0.1, 0.4)
    while start < time[-1]:
        for _ in range(rng.integers(4, 10)):
            length = rng.uniform(0.16, 0.32)
            inside = (time >= start) & (time < start + length)
            bump = 0.5 - 0.5 * np.cos(2 * np.pi * (time[inside] - start) / length)
            jaw[inside] += rng.uniform(0.3, 1.0) * bump
            lips[inside] += rng.uniform(-1.0, 1.0) * np.sqrt(bump)
            start += length * rng.uniform(0.8, 0.95)
        start += rng.uniform(0.3, 0.8)
    # A tongue and lips have mass: 35 ms of smoothing, 60 ms for the lips.
    return gaussian_filter1d(jaw, 0.035 * FINE), gaussian_filter1d(lips, 0.060 * FINE)


def _blinks(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Lids that shut in 0.1 s, stay for a moment and open in 0.18 s along minimum-jerk curves."""
    shut = np.zeros_like(time)
    start = rng.uniform(0.5, 1.2)
    while start < time[-1]:
        closing = _minimum_jerk((time - start) / 0.10)
        opening = _minimum_jerk((time - start - 0.14) / 0.18)
        shut = np.maximum(shut, closing - opening)
        start += rng.uniform(1.4, 3.6)
    return shut


def _minimum_jerk(share: np.ndarray) -> np.ndarray:
    """Flash and Hogan's curve from 0 to 1: 10 s^3 - 15 s^4 + 6 s^5."""
    s = np.clip(share, 0, 1)
    return s**3 * (10 - 15 * s + 6 * s**2)
