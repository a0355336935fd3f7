from pathlib import Path
from threading import Thread

import pytest

from understudy.errors import UserError
from understudy.faces import models


def test_model_files_are_found_without_importing_their_package():
    for name in models.FILES:
        assert Path(models.model_path(name)).stat().st_size > 1e6


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="face_recognition_models is not installed"):
        models.model_path("68")


def test_each_thread_has_its_own_detector():
    found = []
    for _ in range(2):
        thread = Thread(target=lambda: found.append(models.frontal_detector()))
        thread.start()
        thread.join()
    assert found[0] is not found[1]
    assert models.frontal_detector() is models.frontal_detector()
