"""Whether cutting out faces takes more memory when a clip is longer.

    python benchmarks/memory.py [--clip FILE] [--times 100] [--size 256] [--workers 2] [--one-keyframe]

A short clip, or a moving portrait made for the purpose, is measured, and then a clip that holds it so many times over
(its packets are copied; with `--one-keyframe` it is encoded with a keyframe at its beginning only, so that it cannot
be cut into segments). Each run has processes of its own. Memory is the peak of the resident set as the kernel counts
it. The last number is the ratio of the larger growth, that of the parent or that of the largest worker.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data

from understudy.faces.config import FacesConfig
from understudy.faces.faceset import Faceset
from understudy.faces.making import Shard, ShardPlan, make_faceset
from understudy.faces.plan import plan_extraction
from understudy.parallel import ParallelConfig
from understudy.video.footage import Footage
from understudy.video.probe import probe

FRAMES = 75
WIDTH, HEIGHT = 360, 288


def moving_portrait(out: Path, frames: int, options: dict[str, str]) -> None:
    """Write a face that moves slowly, 25 pictures a second."""
    portrait = cv2.resize(skimage.data.astronaut()[:300, 50:425], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    with av.open(str(out), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"preset": "ultrafast", **options})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(frames):
            angle = 2 * np.pi * number / FRAMES
            shift = np.array([[1, 0, 12 * np.sin(angle)], [0, 1, 8 * np.sin(2 * angle)]])
            image = cv2.warpAffine(portrait, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(stream.encode(None))


def repeat(clip: Path, out: Path, times: int) -> None:
    """Write the packets of a clip's first video stream so many times, one after the other."""
    with av.open(str(out), "w") as file:
        target = None
        start = 0
        for _ in range(times):
            with av.open(str(clip)) as original:
                stream = original.streams.video[0]
                target = target or file.add_stream_from_template(stream)
                rate, base = Fraction(stream.average_rate or 25), Fraction(stream.time_base or Fraction(1, 90_000))
                packets = [packet for packet in original.demux(stream) if packet.size]
                first = min(packet.pts for packet in packets if packet.pts is not None)
                last = max(packet.pts for packet in packets if packet.pts is not None)
                for packet in packets:
                    packet.stream = target
                    packet.pts = None if packet.pts is None else packet.pts - first + start
                    packet.dts = None if packet.dts is None else packet.dts - first + start
                    file.mux(packet)
                start += last - first + round(1 / (rate * base))


def extract(clip: Path, folder: Path, size: int, workers: int) -> None:
    """Cut the faces out of a clip; print frames, faces, shards and the peaks of parent and largest worker in MB."""
    footage = Footage("somebody", clip.parent, (clip,))
    record = probe(clip).record()
    pieces = plan_extraction(footage, [record], size, FacesConfig())
    shards = [Shard(key, make, segment.frames, str(segment.first_frame)) for key, segment, make in pieces]
    make_faceset(folder, ShardPlan("Cutting (frames)", shards, ParallelConfig(workers=workers)))
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(record["frames"], len(Faceset(folder)), len(shards), *peaks)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--one-keyframe", action="store_true")
    for name, value in (("times", 100), ("size", 256), ("workers", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)  # what each run is called with
    given = parser.parse_args()
    if given.measure:
        extract(*given.measure, given.size, given.workers)
        return
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short, long = given.clip or folder / "short.mp4", folder / "long.mkv"
        if given.clip is None:
            moving_portrait(short, FRAMES, {})
        if given.one_keyframe:
            moving_portrait(long, FRAMES * given.times, {"g": "1000000", "sc_threshold": "0"})
        else:
            repeat(short, long, given.times)
        for clip in (short, long):
            command = [sys.executable, __file__, "--size", str(given.size), "--workers", str(given.workers)]
            command += ["--measure", str(clip), str(folder / clip.stem)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found.append([float(value) for value in done.stdout.split()[-5:]])
    print(f"{'':32s} {'short':>10s} {'long':>10s} {'ratio':>10s}")
    for row, before, after in zip(
        ("frames", "faces", "shards", "parent, MB", "largest worker, MB"), *found, strict=True
    ):
        print(f"{row:32s} {before:10.0f} {after:10.0f} {after / before:10.2f}")
    print(f"{'largest growth':32s} {max(found[1][at] / found[0][at] for at in (3, 4)):32.2f}")


if __name__ == "__main__":
    main()
