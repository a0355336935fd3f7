"""Cheap shards for tests of how facesets are made; spawned workers import this, so it is light."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from understudy.errors import UserError
from understudy.faces.faceset import SCHEMA, encode_image
from understudy.faces.making import Shard, ShardPlan, make_faceset
from understudy.parallel import ParallelConfig


def table(first: int, rows: int, shade: int = 128) -> pa.Table:
    """Rows numbered from `first`, with pictures of one shade that tell their row by a second one."""
    images = [np.full((16, 16, 3), shade, np.uint8) for _ in range(rows)]
    for row, image in enumerate(images):
        image[8:] = (first + row) % 256
    blank = {
        "image": [encode_image(image) for image in images],
        "clip": ["a.mp4"] * rows,
        "frame": list(range(first, first + rows)),
        "box": [[0.0] * 4] * rows,
        "matrix": [[0.0] * 6] * rows,
        "landmarks": [[0.0] * 136] * rows,
        "embedding": [[0.0] * 128] * rows,
        "seed": [-1] * rows,
        "phash": list(range(rows)),
    }
    columns = [blank.get(field.name, [0.0] * rows) for field in SCHEMA]
    return pa.table([pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def refuse() -> pa.Table:
    raise UserError("The clip b.mp4 is damaged: remove it.")


def stumble() -> pa.Table:
    raise ZeroDivisionError("no face divides by nought")


def die() -> pa.Table:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def die_once(mark: Path, first: int, rows: int) -> pa.Table:
    """Kill this process, but not when another has been killed here before."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return table(first, rows)
    return die()


def slow(log: Path, seconds: float, first: int, rows: int) -> pa.Table:
    """Take `seconds`, and write into `log` by which process the work was begun and ended."""
    for word in ("begin", "end"):
        with log.open("a") as lines:
            lines.write(f"{first} {word} {os.getpid()}\n")
        if word == "begin":
            time.sleep(seconds)
    return table(first, rows)


def slow_plan(log: Path, seconds: float, workers: int, count: int) -> ShardPlan:
    """A plan of `count` shards that are slow."""
    shards = [Shard(f"key{n:09d}", partial(slow, log, seconds, 10 * n, 5), 5, f"a.mp4 #{n}") for n in range(count)]
    return ShardPlan("Cutting", shards, ParallelConfig(workers=workers))


if __name__ == "__main__":  # COUNT=8 python cheap.py FOLDER LOG SECONDS WORKERS
    # by its name, since workers do not know this module as __main__
    from cheap import slow_plan as plan_of

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started with it ignored
    plan = plan_of(Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(os.environ["COUNT"]))
    make_faceset(Path(sys.argv[1]), plan)
