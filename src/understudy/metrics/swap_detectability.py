"""Can the swap's frames be told from the clip's own? The same crops of both, probed block of time by block of time."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from understudy.faces.align import warp_crop
from understudy.faces.faceset import Faceset
from understudy.metrics.config import DetectabilityConfig
from understudy.metrics.probes import FEWEST, Labelled, chance_level, tell_apart
from understudy.metrics.swap_frames import code_again
from understudy.progress import track
from understudy.video.decode import decode
from understudy.video.probe import timing

GAP = 0.2
"""Seconds left out between two blocks of time, since neighbouring frames are nearly the same picture."""

EQUALISED = "frames, place and size of the crops, H.264 at one quality; JPEG 4:4:4 at quality {} as the last step"
NOT_EQUALISED = "the watermark, where there is one: it is part of the swap"


def detectability(
    original: Path, swap: Path, target: Faceset, config: DetectabilityConfig, crf: int, seed: int
) -> dict[str, Any]:
    """How well probes tell crops of the swap from crops of its clip, coded once more as the swap was.

    Args:
        original: the target's clip.
        swap: the video made of it.
        target: the target's faceset, which says where the face is.
        config: folds, sizes and epochs.
        crf: quality at which the swap was coded.
        seed: of folds, networks and draws.

    Returns:
        Figures of `tell_apart`; `control`: those of `chance_level` for the clip's own frames; `blocks` of time, of
        which none lies on both sides; `equalised`, `not_equalised`; `missing`.
    """
    if not config.enabled:
        return {"missing": "Switched off: set swap_quality.detectability.enabled to true."}
    frames, matrices, size = _places(target, original.name)
    shown = timing(original)
    blocks = blocks_of_time(frames, 2 * config.folds, round(GAP * float(shown.rate)))
    chosen = np.flatnonzero(blocks >= 0)
    if len(chosen) < FEWEST or len(np.unique(blocks[chosen])) < 2 * config.folds:
        return {
            "missing": f"Probes need {max(FEWEST, 2 * config.folds)} frames with a face, some in each of "
            f"{2 * config.folds} blocks of time; {len(frames)} were found."
        }
    if len(chosen) > config.max_faces:
        chosen = chosen[np.linspace(0, len(chosen) - 1, config.max_faces).round().astype(int)]
    places = {int(frames[row]): matrices[row] for row in chosen}
    with TemporaryDirectory() as folder:
        again = Path(folder) / "again.mp4"
        code_again(original, again, range(len(shown.pts)), crf, shown.rate)
        real, fake = _crops(again, places, size), _crops(swap, places, size)
    label = blocks[chosen]
    data = Labelled(np.concatenate([fake, real]), np.arange(2 * len(chosen)) < len(chosen), np.r_[label, label])
    figures = tell_apart(data, config, seed)
    control = chance_level(real, label, config, seed)
    return {
        **figures,
        "blocks": len(np.unique(label)),
        "grouped_by": "block of time",
        "control": {**control, "grouped_by": "block of time", "halvings": config.halvings},
        "equalised": EQUALISED.format(config.jpeg),
        "not_equalised": NOT_EQUALISED,
        "missing": None,
    }


def blocks_of_time(frames: np.ndarray, count: int, gap: int) -> np.ndarray:
    """Cut rising frame numbers (N,) into `count` blocks of as many frames; -1 for the frames of the gaps between.

    A gap is never more than half of a block.
    """
    if not len(frames):
        return np.empty(0, np.int64)
    block = np.arange(len(frames)) * count // len(frames)
    for number in range(1, count):
        inside = np.flatnonzero(block == number)
        left = inside[: len(inside) // 2]
        close = left[frames[left] - frames[max(left[0] - 1, 0)] <= gap] if len(left) else left
        block[close] = -1
    return block


def _places(target: Faceset, clip: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Frames of the clip that show a face, the way from frame to crop, (N, 2, 3), and the crops' size."""
    rows = np.flatnonzero((target.column("clip") == clip) & target.found())
    frames, first = np.unique(target.column("frame")[rows], return_index=True)
    matrices = target.column("matrix")[rows[first]].reshape(-1, 2, 3)
    return frames, matrices, target.images(rows[:1]).shape[1] if len(rows) else 0


def _crops(video: Path, places: dict[int, np.ndarray], size: int) -> np.ndarray:
    """The crops of the wanted frames, RGB uint8 (N, size, size, 3)."""
    crops = [
        warp_crop(frame.rgb(), places[frame.index], size)
        for frame in track(decode(video), "Cutting faces to be probed (frames)", len(timing(video).pts))
        if frame.index in places
    ]
    return np.stack(crops)
