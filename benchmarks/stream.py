"""How fast faces are streamed from their shards into training.

    python benchmarks/stream.py [--size 256] [--faces 4000] [--workers 2] [--seconds 20] [--batch 32]

Portraits that come with the libraries, moved and dimmed a little and grained like film, are written as a faceset in a
temporary folder. The last number is the share: pictures a second through a DataLoader over what the same number of
cores would decode if they did nothing else (`cv2.imdecode` of the same bytes in memory, one core, times the workers;
of the machine's cores when there are fewer).
"""

import argparse
import os
import tempfile
import time
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import matplotlib.cbook
import numpy as np
import pyarrow as pa
import skimage.data
from torch.utils.data import DataLoader

from understudy.faces.faceset import SCHEMA, Faceset, encode_image
from understudy.faces.making import Shard, ShardPlan, make_faceset
from understudy.faces.stream import FaceStream

SHARD = 500
"""Faces a shard: twenty seconds of film."""


def portraits(size: int) -> list[np.ndarray]:
    """Two faces, RGB uint8 (size, size, 3)."""
    hopper = cv2.imread(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))[:, :, ::-1]
    crops = [skimage.data.astronaut()[0:256, 96:352], np.ascontiguousarray(hopper[30:350, 100:420])]
    return [cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA) for crop in crops]


def shard(number: int, rows: int, size: int) -> pa.Table:
    """Faces of one shard."""
    generator = np.random.default_rng(number)
    faces = portraits(size)
    images = []
    for row in range(rows):
        shift = np.float32([[1, 0, generator.uniform(-8, 8)], [0, 1, generator.uniform(-8, 8)]])
        moved = cv2.warpAffine(faces[row % 2], shift, (size, size), borderMode=cv2.BORDER_REFLECT).astype(np.float32)
        grained = moved * generator.uniform(0.8, 1.1) + generator.normal(0, 2, moved.shape)
        images.append(encode_image(np.clip(grained, 0, 255).astype(np.uint8)))
    plain = {"image": images, "clip": ["a.mp4"] * rows, "frame": list(range(rows))}
    lists = {"box": 4, "matrix": 6, "landmarks": 136, "embedding": 128}
    columns = [
        plain.get(field.name, [[0.0] * lists[field.name] if field.name in lists else 0] * rows) for field in SCHEMA
    ]
    return pa.table([pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def decoding(faceset: Faceset, seconds: float) -> float:
    """Pictures a second that one core decodes when it does nothing else."""
    cv2.setNumThreads(1)
    data = [np.frombuffer(jpeg, np.uint8) for jpeg in faceset.encoded(0, 0)]
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        for jpeg in data:
            cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
        done += len(data)
    return done / (time.perf_counter() - start)


def streaming(stream: FaceStream, workers: int, seconds: float) -> float:
    """Pictures a second through a DataLoader, after the first batches."""
    batches = iter(DataLoader(stream, batch_size=None, num_workers=workers))
    for _ in islice(batches, 2 * max(1, workers)):
        pass
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        done += len(next(batches))
    return done / (time.perf_counter() - start)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("size", 256), ("faces", 4000), ("workers", 2), ("batch", 32)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    cores = min(max(1, given.workers), os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        counts = [min(SHARD, given.faces - first) for first in range(0, given.faces, SHARD)]
        shards = [Shard(f"{n:012d}", partial(shard, n, rows, given.size), rows) for n, rows in enumerate(counts)]
        make_faceset(Path(folder), ShardPlan("Making faces", shards))
        faceset = Faceset(Path(folder))
        stored = sum(row.bytes for row in faceset.shards) / len(faceset)
        bare = decoding(faceset, given.seconds / 4)
        alone = streaming(FaceStream([faceset], given.batch, 0), 0, given.seconds / 4)
        streamed = streaming(FaceStream([faceset], given.batch, 0), given.workers, given.seconds)
    rows = [
        ("cores", os.cpu_count()),
        ("bytes a face on disk", stored),
        ("bare decoding on one core, pictures a second", bare),
        ("streaming without workers, pictures a second", alone),
        (f"streaming with {given.workers} workers, pictures a second", streamed),
        (f"share of bare decoding on {cores} cores", streamed / (bare * cores)),
    ]
    for name, value in rows:
        print(f"{name:50s} {value:10.2f}")


if __name__ == "__main__":
    main()
