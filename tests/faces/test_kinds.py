"""Any footage gives the right faces at the right times, or one clear sentence."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import UserError
from understudy.faces.align import invert, transform_points
from understudy.faces.config import FacesConfig
from understudy.faces.extract import extract_segment
from understudy.faces.landmarks import eye_distance
from understudy.faces.track import Tracker
from understudy.video.probe import probe, segments

FRAMES = 8
TURNED = {  # the matrix in the header of a QuickTime track: a, b, c, d in 16.16 fixed point, by degrees clockwise
    0: "00010000 00000000 00000000 00010000",
    90: "00000000 00010000 FFFF0000 00000000",
    180: "FFFF0000 00000000 00000000 FFFF0000",
    270: "00000000 FFFF0000 00010000 00000000",
}
KINDS = {
    "h264.mp4": {},
    "h264.mkv": {"container": "matroska"},
    "phone.mov": {"container": "mov"},
    "hevc.mp4": {"codec": "libx265", "options": {"preset": "ultrafast", "x265-params": "log-level=none"}},
    "ten_bit.mkv": {
        "codec": "libx265",
        "pixels": "yuv420p10le",
        "container": "matroska",
        "options": {"preset": "ultrafast", "x265-params": "log-level=none"},
    },
    "vp9.webm": {"codec": "libvpx-vp9", "container": "webm", "options": {"deadline": "realtime", "cpu-used": "8"}},
    "av1.mp4": {"codec": "libsvtav1", "options": {"preset": "12", "svtav1-params": "lp=1"}},
    "av1.webm": {"codec": "libsvtav1", "container": "webm", "options": {"preset": "12", "svtav1-params": "lp=1"}},
    "grid.mpg": {"codec": "mpeg1video", "container": "mpeg", "options": {"qmin": "2", "qmax": "4"}},
    "disc.mpg": {"codec": "mpeg2video", "container": "mpeg", "options": {"qmin": "2", "qmax": "4"}},
    "odd.webm": {"codec": "libvpx-vp9", "container": "webm", "size": (319, 239)},
    "odd444.mp4": {"pixels": "yuv444p", "size": (319, 239)},
}


@pytest.fixture(scope="module")
def pictures(astronaut):
    """A face of 90 pixels that moves, in 320x240."""
    frames = []
    for number in range(FRAMES):
        shift = np.array([[1, 0, 160 - 224 + 2.0 * number], [0, 1, 120 - 128]])
        frames.append(cv2.warpAffine(astronaut, shift, (320, 240), borderMode=cv2.BORDER_REPLICATE))
    return frames


def film(path, frames, codec="libx264", container="mp4", pixels="yuv420p", options=None, times=None, size=None):
    """Write a clip, at 25 a second or at `times` in milliseconds; the picture is cut to `size` (width, height)."""
    width, height = size or frames[0].shape[1::-1]
    base = Fraction(1, 1000) if times else Fraction(1, 25)
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.options = options or {}
        stream.bit_rate = 4_000_000
        stream.codec_context.time_base = base
        for number, image in enumerate(frames):
            cut = np.ascontiguousarray(image[:height, :width])
            frame = av.VideoFrame.from_ndarray(cut, format="rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = times[number] if times else number, base
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def cut_out(path):
    assert probe(path).frames  # what every clip goes through first
    return pa.concat_tables(
        table for segment in segments(path) for table in extract_segment(segment, 64, FacesConfig())
    )


def in_frame(row):
    """Landmarks of a row in frame pixels, (68, 2)."""
    return transform_points(np.reshape(row["landmarks"], (68, 2)), invert(np.reshape(row["matrix"], (2, 3))))


def assert_faces(table, frames):
    """Every frame has its face, where the uncompressed picture has it."""
    assert table.column("frame").to_pylist() == list(range(len(frames)))
    for row in (table.slice(0, 1).to_pylist()[0], table.slice(len(frames) - 1).to_pylist()[0]):
        grey = cv2.cvtColor(frames[row["frame"]], cv2.COLOR_RGB2GRAY)
        wanted = Tracker(FacesConfig()).follow(grey).landmarks
        assert np.linalg.norm(in_frame(row) - wanted, axis=1).mean() < 0.06 * eye_distance(wanted)


@pytest.mark.parametrize("name", KINDS)
def test_right_faces_of_every_kind(tmp_path, pictures, name):
    path = film(tmp_path / name, pictures, **KINDS[name])
    clip = probe(path)
    assert (clip.width, clip.height) == KINDS[name].get("size", (320, 240))
    assert not clip.has_audio
    table = cut_out(path)
    assert_faces(table, pictures)
    first = 0.0 if Path(name).suffix != ".mpg" else table.column("time")[0].as_py()  # a program stream begins later
    assert np.allclose(table.column("time").to_numpy() - first, np.arange(FRAMES) / 25, atol=0.0011)


def test_a_variable_rate_keeps_its_times(tmp_path, pictures):
    times = [0, 20, 90, 123, 164, 254, 274, 400]
    table = cut_out(film(tmp_path / "v.mkv", pictures, container="matroska", times=times))
    assert_faces(table, pictures)
    assert np.allclose(table.column("time").to_numpy(), np.array(times) / 1000, atol=1e-6)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_by_metadata(tmp_path, pictures, degrees):
    lying = [np.ascontiguousarray(np.rot90(image, degrees // 90)) for image in pictures]
    path = film(tmp_path / "phone.mp4", lying)
    data, header = path.read_bytes(), path.read_bytes().index(b"tkhd")
    plain, turned = (bytes.fromhex(matrix_bytes(TURNED[angle])) for angle in (0, degrees))
    place = data.index(plain, header)
    path.write_bytes(data[:place] + turned + data[place + len(plain) :])
    clip = probe(path)
    assert (clip.width, clip.height) == (320, 240) and clip.rotation % 360 == -degrees % 360
    assert_faces(cut_out(path), pictures)


def matrix_bytes(abcd):
    """The first two rows of the header's matrix in hex, each ending in its 2.30 fixed-point nought."""
    a, b, c, d = abcd.split()
    return f"{a}{b}00000000{c}{d}"


def test_of_several_streams_the_first_picture_is_read_and_covers_are_not(tmp_path, pictures):
    path = tmp_path / "many.mkv"
    with av.open(str(path), "w", format="matroska") as file:
        tracks = [file.add_stream("libx264", rate=25) for _ in range(2)]
        sounds = [file.add_stream("aac", rate=44_100, layout="mono") for _ in range(2)]
        for stream in tracks:
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for image in pictures:
            for stream, shown in zip(tracks, (image, 255 - image), strict=True):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        for sound in sounds:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 44_100
            file.mux(sound.encode(frame))
        for stream in (*tracks, *sounds):
            file.mux(stream.encode(None))
    assert probe(path).has_audio
    assert_faces(cut_out(path), pictures)


def test_one_frame(tmp_path, pictures):
    assert_faces(cut_out(film(tmp_path / "one.mp4", pictures[:1])), pictures[:1])


@pytest.mark.parametrize("name", ["short.mkv", "short.mpg"])
def test_a_cut_off_clip_gives_the_faces_that_are_left(tmp_path, pictures, name):
    kind = {"short.mkv": KINDS["h264.mkv"], "short.mpg": KINDS["grid.mpg"]}[name]
    path = film(tmp_path / name, pictures * 2, **kind | {"options": {"g": "4"}})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    frames = cut_out(path).column("frame").to_pylist()
    assert 4 < len(frames) < 16 and frames == list(range(len(frames)))


@pytest.mark.parametrize(("lost", "cause"), [(4000, r"is not a video \("), (700, "holds no video stream")])
def test_a_cut_off_clip_whose_index_is_gone_is_one_sentence(tmp_path, pictures, lost, cause):
    path = film(tmp_path / "lost.mp4", pictures)
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(UserError, match=rf"lost\.mp4 {cause}.*: remove it or replace it"):
        probe(path)


@pytest.mark.parametrize(
    ("content", "cause"), [(b"", "is empty"), (b"Dear Anna, here is the film." * 99, "is not a video")]
)
def test_what_is_no_video_is_one_sentence(tmp_path, content, cause):
    path = tmp_path / "letter.webm"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"letter\.webm {cause}"):
        probe(path)
