import logging

from understudy import progress


def test_plain_lines_without_a_terminal_tell_what_is_done_and_left(monkeypatch, caplog):
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    with caplog.at_level(logging.INFO, logger="understudy.progress"):
        assert list(progress.track([1, 2, 3], "Cutting faces")) == [1, 2, 3]
    assert len(caplog.messages) == 3
    assert caplog.messages[0].startswith("Cutting faces: 1 of 3, 0:00 left")


def test_the_time_left_counts_only_what_this_run_did(monkeypatch):
    clock = iter([5.0, 10.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    shown = progress.Meter("Training", 100, None, None, _start=0.0, _last=0.0)
    shown.start_at(50)
    shown.step(10)
    assert shown.line() == "Training: 60 of 100, 0:40 left"
