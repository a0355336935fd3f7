"""One pass over a clip and the swap made of it, side by side: a row of measures for each frame that is judged."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from understudy.errors import UserError
from understudy.faces.embedding import load_embedder
from understudy.faces.identity import distances
from understudy.metrics.swap_areas import change, face_area, far_area, near_area
from understudy.metrics.swap_config import SwapQualityConfig
from understudy.metrics.swap_follow import HELD, Follower, Seen, apart, held
from understudy.metrics.swap_people import People, chip_of, input_of, openface_distances
from understudy.progress import track
from understudy.video.decode import Frame, decode
from understudy.video.encode import write_video
from understudy.video.probe import timing

VIDEOS = ("original", "swap", "again")
"""The clip, the swap, and the clip coded once more as the swap is: what differs there is the noise of all measures."""

BATCH = 32

Trio = tuple[Frame, Frame, Frame | None]


@dataclass(frozen=True)
class Asked:
    """Which frames are judged.

    Args:
        total: frames of the clip.
        spread: frames that are asked whose face they show.
        run: consecutive frames that are asked how the face moves.
    """

    total: int
    spread: frozenset[int]
    run: range


def ask(total: int, config: SwapQualityConfig) -> Asked:
    """Choose the frames to judge: some spread evenly over the clip, and a run from its middle."""
    spread = np.unique(np.linspace(0, total - 1, min(config.frames, total)).round().astype(int))
    length = min(config.consecutive, total)
    start = (total - length) // 2
    return Asked(total, frozenset(spread.tolist()), range(start, start + length))


def measure_frames(
    original: Path, swap: Path, people: People, config: SwapQualityConfig, crf: int, label_rows: int = 0
) -> pd.DataFrame:
    """Measure the frames of a swap beside those of its clip; never more than a few frames are held.

    Args:
        original: the target's clip.
        swap: the rendered video, with as many frames.
        people: whom its faces are compared with.
        config: how many frames.
        crf: quality at which the swap was coded; the clip is coded once more with it, for the noise of the measures.
        label_rows: pixel rows at the lower edge that hold the label; they do not count as changed.

    Returns:
        A row a frame, NaN for what it was not asked or did not show:
        `frame`, `time` (seconds); `spread`, `run` (bool, as in `Asked`); `found_original`, `found_swap` (bool);
        `to_source`, `to_target`, `to_other` (Euclidean distance of the swap's face in dlib's 128 dimensions to both
        medoids and to the nearest distractor); `original_to_source`, `original_to_target`; `openface_to_source`,
        `openface_to_target` (squared); for each video `yaw_*`, `pitch_*`, `roll_*` (degrees), `mouth_*`, `eyes_*`
        (ratios), `tremble_*` (second difference of the landmarks in distances of the eyes), `step_*` (mean change of
        luma within the face since the frame before); `landmarks_swap`, `landmarks_again` (distance of the landmarks
        from the original's in distances of the eyes); `outside_swap`, `around_swap`, `outside_again` and
        `around_again` (mean change of colour far from and right around the face, 0..255).

    Raises:
        UserError: the videos have different numbers of frames.
    """
    shown = timing(original)
    total, made = len(shown.pts), len(timing(swap).pts)
    if total != made:
        raise UserError(f"The swap {swap} has {made} frames and its clip {original} has {total}: render it again.")
    asked = ask(total, config)
    with TemporaryDirectory() as folder:
        again = Path(folder) / "again.mp4"
        code_again(original, again, asked.run, crf, shown.rate)
        judge = _Judge(people, label_rows)
        number = len(asked.spread | set(asked.run))
        for trio in track(_frames(original, swap, again, asked), "Judging the swap (frames)", number):
            judge.add(trio, asked)
        return judge.table()


def code_again(original: Path, out: Path, run: range, crf: int, rate: Fraction) -> None:
    """Write a run of the clip's frames once more, as a swap is written, without its label and watermark."""
    pictures = (frame.rgb() for frame in _until(original, run.stop) if frame.index in run)
    first = next(pictures)
    write_video(out, chain([first], pictures), rate, (first.shape[1], first.shape[0]), crf=crf)


def _until(path: Path, stop: int) -> Iterator[Frame]:
    with closing(decode(path)) as frames:
        for frame in frames:
            if frame.index >= stop:
                return
            yield frame


def _frames(original: Path, swap: Path, again: Path, asked: Asked) -> Iterator[Trio]:
    """The frames of the three videos that belong together; the third is None outside the run."""
    coded = decode(again)
    for before, after in zip(decode(original), decode(swap), strict=True):
        inside = before.index in asked.run
        third = next(coded) if inside else None
        if inside or before.index in asked.spread:
            yield before, after, third


@dataclass
class _Judge:
    """Gathers rows; the networks are asked for a few frames at a time."""

    people: People
    label_rows: int
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._eyes = {"original": Follower(self.people.known[1]), "swap": Follower(), "again": Follower()}
        self._before: dict[str, np.ndarray] = {}  # luma of the frame before
        self._chips: list[tuple[int, str, np.ndarray]] = []
        self._inputs: list[tuple[int, np.ndarray]] = []

    def add(self, trio: Trio, asked: Asked) -> None:
        """Judge one frame of each video."""
        first = trio[0]
        inside, wanted = first.index in asked.run, first.index in asked.spread
        if not inside:
            self._before.clear()
            for eye in self._eyes.values():
                eye.skip()
        seen = self._look(trio)
        original, swapped = seen["original"], seen["swap"]
        row: dict[str, Any] = {"frame": first.index, "time": first.time, "spread": wanted, "run": inside}
        row |= {"found_original": original.face is not None, "found_swap": swapped.face is not None}
        if inside:
            row |= self._moves(seen)
        row |= _changes(seen, self.label_rows)
        self.rows.append(row)
        if wanted:
            self._keep(original, swapped)

    def table(self) -> pd.DataFrame:
        """All rows under all columns."""
        self._flush()
        return pd.DataFrame(self.rows, columns=list(COLUMNS)).astype(COLUMNS)

    def _look(self, trio: Trio) -> dict[str, Seen]:
        seen = {"original": self._eyes["original"].see(trio[0])}
        face = seen["original"].face
        near = None if face is None else face.found.box
        for name, frame in zip(VIDEOS[1:], trio[1:], strict=True):
            if frame is not None:
                seen[name] = _fitted(self._eyes[name].see(frame, near), seen["original"])
        return seen

    def _moves(self, seen: dict[str, Seen]) -> dict[str, float]:
        row: dict[str, float] = {}
        face = seen["original"].face
        area = None if face is None else face_area(face.landmarks, seen["original"].luma.shape)
        for name, one in seen.items():
            row |= {f"{key}_{name}": value for key, value in held(one.face).items()}
            row[f"tremble_{name}"] = self._eyes[name].tremble()
            if area is not None and name in self._before:
                row[f"step_{name}"] = change(self._before[name], one.luma, area)
            self._before[name] = one.luma
        return row

    def _keep(self, original: Seen, swapped: Seen) -> None:
        """Put the pictures for the networks aside."""
        number = len(self.rows) - 1
        for name, one in (("original", original), ("swap", swapped)):
            if one.face is not None:
                self._chips.append((number, name, chip_of(one.rgb, one.face)))
        if self.people.network is not None and swapped.face is not None:
            self._inputs.append((number, input_of(swapped.rgb, swapped.face)))
        if len(self._chips) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        people = self.people
        if self._chips:
            embedded = load_embedder().embed_chips(np.stack([chip for _, _, chip in self._chips]))
            known = distances(embedded, people.known)
            others = distances(embedded, people.others).min(1) if len(people.others) else np.full(len(known), np.inf)
            for (number, name, _), near, other in zip(self._chips, known.tolist(), others.tolist(), strict=True):
                prefix = "" if name == "swap" else "original_"
                self.rows[number] |= {f"{prefix}to_source": near[0], f"{prefix}to_target": near[1]}
                if name == "swap":
                    self.rows[number]["to_other"] = other
        if self._inputs and people.network is not None and people.openface is not None:
            found = openface_distances(people.network, [one for _, one in self._inputs], people.openface)
            for (number, _), near in zip(self._inputs, found.tolist(), strict=True):
                self.rows[number] |= {"openface_to_source": near[0], "openface_to_target": near[1]}
        self._chips, self._inputs = [], []


def _fitted(seen: Seen, like: Seen) -> Seen:
    """Without the row or column that coding adds to odd sizes."""
    height, width = like.luma.shape
    return Seen(seen.rgb[:height, :width], seen.luma[:height, :width], seen.face)


def _changes(seen: dict[str, Seen], label_rows: int) -> dict[str, float]:
    original = seen["original"]
    row = {f"landmarks_{name}": apart(original.face, one.face) for name, one in seen.items() if name != "original"}
    if original.face is None:
        return row
    shape = original.luma.shape
    areas = {
        "outside": far_area(original.face, shape, label_rows),
        "around": near_area(original.face, shape, label_rows),
    }
    for key, area in areas.items():
        for name, one in seen.items():
            if name != "original":
                row[f"{key}_{name}"] = change(original.rgb, one.rgb, area)
    return row


COLUMNS = (
    {"frame": "int64", "time": "float64"}
    | dict.fromkeys(("spread", "run", "found_original", "found_swap"), "bool")
    | dict.fromkeys(
        (
            *("to_source", "to_target", "to_other", "original_to_source", "original_to_target"),
            *("openface_to_source", "openface_to_target"),
            *(f"{key}_{name}" for key in (*HELD, "tremble", "step") for name in VIDEOS),
            *(f"{key}_{name}" for key in ("landmarks", "outside", "around") for name in VIDEOS[1:]),
        ),
        "float64",
    )
)
"""The table's columns and their types."""
