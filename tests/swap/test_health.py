"""Whether a failing training is noticed, and a sound one left alone."""

import math

import pytest

from understudy.swap.health import PATIENCE, YOUNG, Diverged, Health


def after(health: Health, losses: list[float]) -> Health:
    for loss in losses:
        health.look({"dssim": loss})
    return health


def test_a_number_that_is_none() -> None:
    with pytest.raises(Diverged, match="dssim is not a number"):
        Health().look({"mse": 1.0, "dssim": math.nan})


def test_a_loss_that_stays_high_is_a_collapse_and_a_bad_batch_is_not() -> None:
    health = after(Health(), [1.0] * YOUNG)
    after(health, [9.0, 1.0] * PATIENCE)
    assert not health.suspect
    after(health, [20.0] * (PATIENCE - 1))
    assert health.suspect
    with pytest.raises(Diverged, match="times its lowest"):
        health.look({"dssim": 20.0})


def test_the_way_so_far_is_kept_in_a_checkpoint() -> None:
    health = after(Health(), [*[1.0] * YOUNG, *[20.0] * (PATIENCE - 1)])
    again = Health()
    again.restore(health.state())
    with pytest.raises(Diverged):
        again.look({"dssim": 20.0})


def test_a_falling_loss_is_well() -> None:
    assert not after(Health(), [math.exp(-number / 50) for number in range(200)]).suspect
