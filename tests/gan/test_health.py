import pytest

from understudy.gan.health import Diverged, Health

FINE = {"loss_generator": 1.0, "loss_discriminator": 1.0, "sign_real": 0.5, "sign_fake": -0.5, "spread": 0.8}


def follow(health: Health, figures: dict, start: float, kimg: float) -> None:
    for images in range(int(start * 1000), int((start + kimg) * 1000), 100):
        health.look({**FINE, **figures}, images)


def test_a_figure_that_is_no_number_is_named() -> None:
    with pytest.raises(Diverged, match="r1 is not a number"):
        Health().look({**FINE, "r1": float("nan")}, 16)


def test_one_picture_for_everything_is_a_collapse_once_there_was_more() -> None:
    health = Health(collapse_kimg=2)
    follow(health, {"spread": 0.01}, 0, 5)  # not yet alive
    assert not health.suspect
    follow(health, {}, 5, 1)
    follow(health, {"spread": 0.01}, 6, 1.5)
    assert health.suspect
    follow(health, {}, 7.5, 1)
    assert not health.suspect
    with pytest.raises(Diverged, match="the same"):
        follow(health, {"spread": 0.01}, 9, 3)


def test_a_discriminator_that_is_certain_for_long_teaches_nothing() -> None:
    certain = {"sign_real": 1.0, "sign_fake": -1.0, "loss_generator": 12.0}
    health = Health(certain_kimg=5)
    follow(health, {**certain, "loss_generator": 3.0}, 0, 10)  # its slope still points somewhere
    follow(health, certain, 10, 4)
    assert health.suspect
    again = Health(certain_kimg=5)
    again.restore(health.state())
    with pytest.raises(Diverged, match="certain"):
        follow(again, certain, 14, 2)
