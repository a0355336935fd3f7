"""The curves of movement and the voice that goes with them."""

import numpy as np

from understudy.puppet.motion import make_motion
from understudy.puppet.sound import SAMPLE_RATE, babble


def test_a_seed_moves_in_one_way() -> None:
    first, again, other = (make_motion(3.0, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.yaw, again.yaw)
    assert not np.array_equal(first.yaw, other.yaw)


def test_everything_moves_within_its_range() -> None:
    motion = make_motion(20.0, 1)
    assert 6 < np.abs(motion.yaw).max() <= 10
    assert 3 < np.abs(motion.pitch).max() <= 6
    assert 2 < np.abs(motion.roll).max() <= 4.5
    assert motion.jaw.min() >= 0 and motion.jaw.max() > 0.6
    assert motion.blink.min() >= 0 and motion.blink.max() > 0.95
    shut = motion.blink > 0.5
    assert 4 <= np.count_nonzero(shut[1:] & ~shut[:-1]) <= 16  # blinks in twenty seconds


def test_strength_scales_and_nought_stills() -> None:
    still = make_motion(5.0, 1, strength=0.0)
    assert not still.yaw.any() and not still.jaw.any()


def test_the_voice_is_loud_when_the_mouth_is_open() -> None:
    motion = make_motion(6.0, 1)
    sound = babble(motion, 6.0, seed=1)
    assert sound.shape == (6 * SAMPLE_RATE,) and np.abs(sound).max() <= 1
    blocks = np.sqrt((sound.reshape(-1, SAMPLE_RATE // 50) ** 2).mean(axis=1))
    jaw = motion.at((np.arange(len(blocks)) + 0.5) / 50).jaw
    assert np.corrcoef(blocks, jaw)[0, 1] > 0.8
