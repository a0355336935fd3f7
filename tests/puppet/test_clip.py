"""A demo clip from end to end: video, sound, consent record."""

from pathlib import Path

import pytest

from understudy.errors import UserError
from understudy.provenance.consent import USES, check
from understudy.puppet.clip import make_footage, make_recipe
from understudy.puppet.config import DemoFootageConfig
from understudy.video.probe import probe


def test_a_demo_clip_has_picture_sound_and_consent(tmp_path: Path) -> None:
    make_footage(tmp_path, "astronaut", DemoFootageConfig(), seconds=1.0)
    found = probe(tmp_path / "astronaut.mp4")
    assert (found.codec, found.width, found.height, found.frames, found.rate) == ("h264", 512, 512, 25, 25)
    assert found.audio_codec == "aac"
    assert "NASA" in check(tmp_path, "astronaut", USES).how


def test_another_name_is_refused() -> None:
    with pytest.raises(UserError, match=r"no portrait of 'anna'.*astronaut and grace_hopper"):
        make_recipe("anna", DemoFootageConfig(), 1.0)
