"""A voice without words: a hum whose loudness and colour follow the mouth."""

import numpy as np
from scipy.signal import butter, sosfilt

from understudy.puppet.motion import Motion

SAMPLE_RATE = 44_100
_HARMONICS = 24
_VOICE = 185.0  # hertz


def babble(motion: Motion, seconds: float, seed: int) -> np.ndarray:
    """Mono samples (N,) in [-1, 1], float32: a harmonic tone, loud when the jaw is open, dark when the lips purse."""
    rng = np.random.default_rng(seed)
    count = round(seconds * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    curves = motion.at(time)
    pitch = _VOICE * (1 + 0.05 * np.sin(2 * np.pi * time / 1.7) + 0.06 * np.clip(curves.jaw, 0, 1))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    # Two formants (hertz): the first rises as the jaw opens, the second as the lips are drawn wide.
    first = 320 + 480 * np.clip(curves.jaw, 0, 1)
    second = 1250 + 700 * np.clip(curves.lips, -1, 1)
    voice = np.zeros(count)
    for number in range(1, _HARMONICS + 1):
        hertz = number * pitch
        colour = _resonance(hertz, first, 130.0) + 0.5 * _resonance(hertz, second, 220.0) + 0.02
        voice += colour / np.sqrt(number) * np.sin(number * phase)
    breath = sosfilt(butter(2, (1500, 6000), "bandpass", fs=SAMPLE_RATE, output="sos"), rng.standard_normal(count))
    loudness = np.clip(curves.jaw, 0, 1) ** 1.2
    samples = loudness * (voice + 0.15 * breath)
    return (0.5 * samples / max(1e-6, float(np.abs(samples).max()))).astype(np.float32)


def _resonance(hertz: np.ndarray, centre: np.ndarray, width: float) -> np.ndarray:
    return 1 / (1 + ((hertz - centre) / width) ** 2)
