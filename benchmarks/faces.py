"""Frames a second of the step data_engineering against the plain loop, in the same run on as many processes.

    python benchmarks/faces.py [FOLDER] [--clips 20] [--plain-frames 150] [--workers 2] [--size 256]
    python benchmarks/faces.py --demo-720p [--seconds 30]

The plain loop does for each frame what one would write first: face_recognition's locations, landmarks and encodings
with their defaults, the box enlarged by a half, made as large as ours, and written as PNG. Ours finds out who is
wanted, follows, aligns, scores, hashes and embeds the faces and writes a faceset. FOLDER holds clips of one person;
without it, or with --demo-720p, a portrait is animated in 1280x720.

On both sides starting processes and loading models is left out: a process is timed from the end of its first piece of
work. The plain loop sees the first frames of every clip. The last number printed is the speed-up.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import astuple, dataclass
from fractions import Fraction
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from understudy.faces.config import FacesConfig
from understudy.faces.faceset import Faceset
from understudy.faces.making import Shard, ShardPlan, make_faceset
from understudy.faces.person import find_person
from understudy.faces.plan import plan_extraction
from understudy.parallel import ParallelConfig
from understudy.puppet.clip import animate
from understudy.puppet.config import DemoFootageConfig
from understudy.video.decode import decode
from understudy.video.encode import write_video
from understudy.video.footage import Footage, find_footage
from understudy.video.probe import probe


@dataclass(frozen=True)
class Span:
    """One piece of work: its process, frames, beginning, end, and seconds of the processor."""

    process: int
    frames: int
    begin: float
    end: float
    cpu: float


@dataclass(frozen=True)
class Speed:
    """Seconds a frame, by the clock with all processes and by the processor."""

    wall: float
    cpu: float


def film_720p(path: Path, seconds: float) -> None:
    """Write a clip of 1280x720 with a face of about 170 pixels that talks."""

    def frames() -> Iterator[np.ndarray]:
        room = None
        for portrait in animate("astronaut", DemoFootageConfig(size=512), seconds):
            if room is None:
                room = cv2.GaussianBlur(cv2.resize(portrait, (1280, 720)), (0, 0), 12)[:, ::-1]
            frame = room.copy()
            frame[150:662, 384:896] = portrait
            yield frame

    write_video(path, frames(), Fraction(25), (1280, 720))


def timed(make: partial[Iterator[pa.Table]], frames: int, log: Path) -> Iterator[pa.Table]:
    """Make a shard's tables, and note when."""
    begin, cpu = time.time(), time.process_time()
    yield from make()
    span = Span(os.getpid(), frames, begin, time.time(), time.process_time() - cpu)
    with log.open("a") as file:
        file.write(" ".join(str(value) for value in astuple(span)) + "\n")


def time_ours(footage: Footage, size: int, workers: int, out: Path) -> tuple[Speed, Faceset]:
    """The speed of the whole step on `workers` processes, and the faceset."""
    config, parallel, log = FacesConfig(), ParallelConfig(workers=workers), out / "times"
    one = Footage(footage.name, footage.folder, footage.clips[:1])
    find_person(one, [probe(one.clips[0]).record()], config)  # loads the models
    begin, cpu = time.time(), time.process_time()
    clips = [probe(path).record() for path in footage.clips]
    person = find_person(footage, clips, config)
    planned = plan_extraction(footage, clips, size, config, person)
    before = Speed(time.time() - begin, time.process_time() - cpu)
    shards = [Shard(key, partial(timed, make, piece.frames, log), piece.frames) for key, piece, make in planned]
    make_faceset(out / "faces", ShardPlan("ours", shards, parallel))
    rows = [line.split() for line in log.read_text().splitlines()]
    extraction = speed([Span(int(row[0]), int(row[1]), *(float(value) for value in row[2:])) for row in rows])
    frames = sum(piece.frames for _, piece, _ in planned)
    whole = Speed(extraction.wall + before.wall / frames, extraction.cpu + before.cpu / frames)
    return whole, Faceset(out / "faces")


def plain_clip(path: Path, count: int, size: int, out: Path) -> Span:
    """The plain loop over the first `count` frames of a clip."""
    import face_recognition

    cv2.setNumThreads(1)
    begin, cpu, done = time.time(), time.process_time(), 0
    with closing(decode(path)) as frames:
        for frame in islice(frames, count):
            rgb = frame.rgb()
            boxes = face_recognition.face_locations(rgb)
            face_recognition.face_landmarks(rgb, boxes)
            face_recognition.face_encodings(rgb, boxes)
            for number, (top, right, bottom, left) in enumerate(boxes):
                room = (right - left) // 4
                crop = rgb[max(0, top - room) : bottom + room, max(0, left - room) : right + room]
                crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_CUBIC)
                cv2.imwrite(str(out / f"{path.stem}_{frame.index}_{number}.png"), crop[..., ::-1])
            done += 1
    return Span(os.getpid(), done, begin, time.time(), time.process_time() - cpu)


def time_plain(footage: Footage, count: int, size: int, workers: int, out: Path) -> Speed:
    """The speed of the plain loop on `workers` processes."""
    share = max(1, count // len(footage.clips))
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        # A piece for each process to warm up with, then the clips, each split so that all processes have their part.
        first = [pool.submit(plain_clip, footage.clips[0], 1, size, out) for _ in range(workers)]
        later = [pool.submit(plain_clip, path, share, size, out) for path in footage.clips]
        return speed([future.result() for future in (*first, *later)])


def speed(spans: list[Span]) -> Speed:
    """The speed of all processes together, each from the end of its first piece on."""
    rate = cpu = frames = 0.0
    for process in {span.process for span in spans}:
        own = sorted((span for span in spans if span.process == process), key=lambda span: span.begin)
        if len(own) < 2:
            raise SystemExit("A process had a single piece of work: take more clips.")
        rate += sum(span.frames for span in own[1:]) / (own[-1].end - own[0].end)
        cpu += sum(span.cpu for span in own[1:])
        frames += sum(span.frames for span in own[1:])
    return Speed(1 / rate, cpu / frames)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--plain-frames", type=int, default=150)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--demo-720p", action="store_true", help="animate a portrait in 1280x720 instead of FOLDER")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the animated footage")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        if arguments.folder is None or arguments.demo_720p:
            (work / "demo").mkdir()
            for number in range(2 * arguments.workers):
                film_720p(work / "demo" / f"{number}.mp4", arguments.seconds / (2 * arguments.workers))
        found = find_footage(work / "demo" if arguments.folder is None or arguments.demo_720p else arguments.folder)
        footage = Footage(found.name, found.folder, found.clips[: arguments.clips])
        ours, faces = time_ours(footage, arguments.size, arguments.workers, work)
        (work / "plain").mkdir()
        plain = time_plain(footage, arguments.plain_frames, arguments.size, arguments.workers, work / "plain")
        pictures = [path.stat().st_size for path in (work / "plain").iterdir()]
        clip = probe(footage.clips[0])
        print(f"{len(footage.clips)} clips of {clip.width}x{clip.height}, {arguments.workers} processes")
        size = sum(shard.bytes for shard in faces.shards) / max(1, len(faces)) / 1e3
        print(f"{'':8}{'frames/s':>10}{'ms/frame':>10}{'CPU ms':>8}{'faces':>8}{'kB/face':>9}")
        for who, took, count, kilobytes in (
            ("plain", plain, len(pictures), np.mean(pictures) / 1e3),
            ("ours", ours, len(faces), size),
        ):
            print(f"{who:8}{1 / took.wall:10.2f}{1e3 * took.wall:10.1f}{1e3 * took.cpu:8.1f}{count:8}{kilobytes:9.1f}")
        print(f"times the plain loop, by processor time: {plain.cpu / ours.cpu:.1f}")
        print(f"times the plain loop, by the clock: {plain.wall / ours.wall:.1f}")


if __name__ == "__main__":
    main()
