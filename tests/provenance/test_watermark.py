"""The watermark: unseen, steady, read by the published library, and left through what happens to videos."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from imwatermark import WatermarkDecoder
from moving import frames

from understudy.provenance.search import candidates, read, sample_video, search
from understudy.provenance.watermark import BITS, MARKER, Marker, can_mark, from_bits, payload_of, to_bits

PAYLOAD = payload_of("model", "anna", "ben")


def test_payload_is_the_marker_and_16_bits_of_the_origin() -> None:
    assert PAYLOAD >> 16 == MARKER
    assert payload_of("model", "anna", "cleo") != PAYLOAD
    assert from_bits(to_bits(PAYLOAD) > 0) == PAYLOAD


def test_the_published_library_reads_it_and_the_eye_does_not(astronaut: np.ndarray) -> None:
    marked = Marker(PAYLOAD)(astronaut)
    bits = WatermarkDecoder("bits", BITS).decode(marked[..., ::-1].copy(), "dwtDctSvd", scales=[36, 0, 0])
    assert from_bits(np.array(bits)) == PAYLOAD
    assert cv2.PSNR(astronaut, marked) > 44
    assert np.abs(astronaut.astype(int) - marked).max() < 24


@pytest.mark.parametrize("shade", [0, 3, 128, 255])
def test_plain_pictures_carry_it_too(shade: int) -> None:
    plain = np.full((288, 360, 3), shade, np.uint8)
    marked = Marker(PAYLOAD)(plain)
    assert np.abs(marked.astype(int) - plain).max() <= 5, "sums over 255 or under 0 do not wrap round"
    mark = search([marked])
    assert mark is not None and mark.found and mark.payload == PAYLOAD


def test_a_still_scene_does_not_flicker(astronaut: np.ndarray) -> None:
    noise = np.random.default_rng(0)
    picture = frames(astronaut)[0]
    plain = [np.clip(picture + noise.normal(0, 3, picture.shape), 0, 255).astype(np.uint8) for _ in range(6)]
    marker = Marker(PAYLOAD)

    def flicker(pictures: list[np.ndarray]) -> float:
        grey = np.stack([picture.mean(2) for picture in pictures])
        return float(np.abs(grey[2:] - 2 * grey[1:-1] + grey[:-2]).mean())

    assert flicker([marker(frame) for frame in plain]) < 1.05 * flicker(plain)
    assert flicker([Marker(PAYLOAD)(frame) for frame in plain]) > 1.05 * flicker(plain), "without memory it would"


@pytest.mark.parametrize("quality", [95, 60])
def test_jpeg_leaves_it(astronaut: np.ndarray, quality: int) -> None:
    _, data = cv2.imencode(".jpg", Marker(PAYLOAD)(astronaut), [cv2.IMWRITE_JPEG_QUALITY, quality])
    mark = search([cv2.imdecode(data, cv2.IMREAD_COLOR)])
    assert mark is not None and mark.found and mark.payload == PAYLOAD


@pytest.mark.parametrize("levels", [-3, -1, 2])
def test_lighter_or_darker_by_a_few_levels_it_is_left(astronaut: np.ndarray, levels: int) -> None:
    changed = np.clip(Marker(PAYLOAD)(astronaut).astype(int) + levels, 0, 255).astype(np.uint8)
    mark = search([changed])
    assert mark is not None and mark.found and mark.payload == PAYLOAD


def test_small_pictures_stay_as_they_are(astronaut: np.ndarray) -> None:
    small = np.ascontiguousarray(astronaut[:200, :200])
    assert not can_mark(200, 200)
    assert (Marker(PAYLOAD)(small) == small).all()
    assert search([small[:32, :32]]) is None


def test_foreign_pictures_hold_none(hopper: np.ndarray) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (288, 360, 3), np.uint8)
    gradient = np.repeat(np.linspace(0, 255, 512).astype(np.uint8)[None, :, None], 256, 0).repeat(3, 2)
    for picture in (hopper[:400, :400], noise, gradient, np.full((256, 256, 3), 128, np.uint8)):
        mark = search([picture])
        assert mark is not None and not mark.found


def test_sizes_that_are_tried_hold_the_original_of_usual_resizes() -> None:
    for high, wide in ((288, 360), (720, 1280), (1080, 1920), (512, 512)):
        for factor in (0.75, 0.5, 2 / 3, 0.8, 1.5, 1.25):
            now = (round(high * factor), round(wide * factor))
            near = [one for one in candidates(*now) if abs(one[0] - high) <= 1 and one[1] // 8 == wide // 8]
            assert near, f"{wide} x {high} made {factor} times as large"


def test_frames_are_taken_from_all_over_a_video(clip: Path) -> None:
    pictures = sample_video(clip)
    assert 4 <= len(pictures) <= 12
    agreement, bits = read(pictures, (288, 360))
    assert agreement > 0.5 and bits.shape == (BITS,)
