"""How fast a swap is rendered, what each part of it takes, and whether memory stays flat.

    python benchmarks/render.py [CLIP] [--weights FILE] [--size 64] [--env demo] [--times 20]

The clip, or a moving portrait of 360x288 made for the purpose, is shown `--times` times in a row, and rendered as the
pipeline does it: label, watermark and sound included, without the signing. The network has random weights, which are
as fast as trained ones, unless those of a project are given (`.../swap_model`). First each part is timed alone on one
thread; then all together, at the end of which memory is compared with that at a tenth of the frames. The last number
is the speed in times real time: frames a second over those of the clip.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import torch
import yaml
from memory import FRAMES, moving_portrait, repeat

from understudy.faces.config import FacesConfig
from understudy.faces.cut import cut_crop
from understudy.faces.extract import extract_segment
from understudy.faces.faceset import Faceset, finish, write_shard
from understudy.provenance.label import burn_label
from understudy.provenance.watermark import Marker, payload_of
from understudy.swap.blend import Blender, crop_side, finer, resized
from understudy.swap.config import SwapConfig
from understudy.swap.networks import Trainee, load_swapper, weights_of
from understudy.swap.presets import configure
from understudy.swap.render import predict, render
from understudy.swap.track import follow
from understudy.video.decode import decode
from understudy.video.encode import write_like
from understudy.video.probe import segments, timing
from understudy.weights import Weights, load_weights

CONF = Path(__file__).parents[1] / "conf"
CPU = torch.device("cpu")


def random_weights(config: SwapConfig, size: int) -> Weights:
    """A network of an environment's shape that has learnt nothing."""
    part = config.network
    arguments = {
        "size": size,
        "options": part.options,
        "encoder": part.encoder,
        "inter": part.inter,
        "decoder": part.decoder,
        "mask": part.mask,
    }
    return weights_of(Trainee(**arguments), arguments, {})


def repeated_faces(clip: Path, name: str, folder: Path, size: int, times: int) -> Faceset:
    """The faces of a clip, as those of the clip `name` that shows it so many times."""
    config = FacesConfig()
    pieces = [table for segment in segments(clip) for table in extract_segment(segment, size, config)]
    rows = pa.concat_tables(pieces)
    frames = len(timing(clip).pts)
    folder.mkdir()
    keys = [f"{number:06d}" for number in range(times)]
    for number, key in enumerate(keys):
        shifted = pa.array(rows.column("frame").to_numpy() + number * frames, pa.int32())
        table = rows.set_column(rows.schema.get_field_index("clip"), "clip", pa.array([name] * len(rows)))
        table = table.set_column(table.schema.get_field_index("frame"), "frame", shifted)
        write_shard(folder, number, key, table)
    finish(folder, keys)
    return Faceset(folder)


def resident() -> float:
    """Memory of this process in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


class Timer:
    """Runs parts one after the other and notes down the CPU time of each."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float]] = []

    def __call__(self, name: str, call: Callable[[], Iterable], frames: int) -> list:
        """What `call` gives, as a list; the time is noted for each of the frames."""
        start = time.process_time()
        result = list(call())
        self.rows.append((f"{name}, ms a frame", (time.process_time() - start) / frames * 1000))
        return result


def parts(clip: Path, weights: Weights, faces: Faceset, config: SwapConfig, out: Path) -> list[tuple[str, float]]:
    """CPU time of each part, a frame, on one thread."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    network, timer, marker = load_swapper(weights), Timer(), Marker(payload_of("benchmark"))
    size, side, batch = network.size, crop_side(network.size), config.render.batch
    route = follow(faces, clip.name, size, config.render.max_gap, config.render.smooth)
    frames = timer("decoding", lambda: decode(clip), len(timing(clip).pts))
    count = len(frames)
    images = timer("colours", lambda: (frame.rgb(exact=True) for frame in frames), count)
    places = [(frame.index, place) for frame in frames if (place := route.at(frame.index)) is not None]

    def cut() -> Iterable[np.ndarray]:
        return (cut_crop(images[at], finer(route.matrices[place], side / size), side) for at, place in places)

    crops = timer("cutting", cut, count)

    def network_faces() -> Iterable[tuple[np.ndarray, np.ndarray]]:
        for first in range(0, len(crops), batch):
            some = np.stack([resized(crop, size) for crop in crops[first : first + batch]])
            yield from zip(*predict(network, some, CPU), strict=True)

    list(network_faces())  # the first pass allocates
    new = timer("network", network_faces, count)
    blend = Blender(config.blend)

    def blended() -> Iterable[np.ndarray]:
        for (at, place), crop, (face, mask) in zip(places, crops, new, strict=True):
            yield blend(images[at], crop, face, mask, route.landmarks[place], route.matrices[place])

    for (at, _), image in zip(places, timer("blending", blended, count), strict=True):
        images[at] = image
    images = timer("label", lambda: map(burn_label, images), count)
    images = timer("watermark", lambda: map(marker, images), count)
    timer("encoding", lambda: [write_like(clip, out, iter(images), crf=config.render.crf)], count)
    return timer.rows


def whole(
    clip: Path, weights: Weights, faces: Faceset, config: SwapConfig, out: Path
) -> tuple[float, float, float, float]:
    """Seconds by the clock and of the CPU, MB at a tenth of the frames, and the most after it."""
    total, done, early, most = len(timing(clip).pts), 0, 0.0, 0.0
    marker = Marker(payload_of("benchmark"))

    def decorate(image: np.ndarray) -> np.ndarray:
        nonlocal done, early, most
        done += 1
        if done == max(1, total // 10):
            early = resident()
        if done % 25 == 0 or done == total:
            most = max(most, resident())
        return marker(burn_label(image))

    start, used = time.perf_counter(), time.process_time()
    render(out, clip, weights, faces, config, decorate)
    return time.perf_counter() - start, time.process_time() - used, early, most


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--env", default="demo")
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    values = yaml.safe_load((CONF / given.env / "deepfake/parameters.yml").read_text())["deepfake"]
    config = configure(values)
    weights = load_weights(given.weights) if given.weights else random_weights(config, given.size)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        short, long, out = folder / "short.mp4", folder / "long.mkv", folder / "out.mp4"
        if given.clip is None:
            moving_portrait(short, FRAMES, {})
        clip = given.clip or short
        repeat(clip, long, given.times)
        size = weights.arguments["size"]
        few = repeated_faces(clip, clip.name, folder / "few", size, 1)
        many = repeated_faces(clip, long.name, folder / "many", size, given.times)
        threads = torch.get_num_threads(), cv2.getNumThreads()
        rows = parts(clip, weights, few, config, out)
        torch.set_num_threads(threads[0])
        cv2.setNumThreads(threads[1])
        seconds, used, early, most = whole(long, weights, many, config, out)
        shown = timing(long)
    frames = len(shown.pts)
    rows += [
        ("all parts, ms a frame on one thread", sum(value for _, value in rows)),
        ("frames rendered", frames),
        ("CPU time, ms a frame", used / frames * 1000),
        ("frames a second", frames / seconds),
        ("cores kept busy", used / seconds),
        ("memory at a tenth of the frames, MB", early),
        ("memory at most after it, MB", most),
        ("growth of memory", most / early),
        ("times real time", frames / seconds / float(shown.rate)),
    ]
    for name, value in rows:
        print(f"{name:50s} {value:10.2f}")


if __name__ == "__main__":
    main()
