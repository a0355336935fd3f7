"""Rows of faces to look at: as they came, the best, the worst, the faceless, and each one's nearest original."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from understudy.faces.faceset import Faceset
from understudy.metrics.identity import Comparison

SIDE = 128
INK, PAPER_TONE, FAINT = (32, 36, 42), (250, 250, 248), (120, 126, 134)
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Tile:
    """One synthetic face, its distance to the source and, where it shows a face, its nearest original."""

    image: np.ndarray  # RGB uint8 (S, S, 3)
    number: int
    distance: float | None
    nearest: np.ndarray | None  # RGB uint8 (S, S, 3)
    nearest_distance: float | None
    origin: str = "nearest filmed face"

    @property
    def label(self) -> str:
        """Its distances in words."""
        known = [value for value in (self.distance, self.nearest_distance) if value is not None]
        return " · ".join(f"{value:.2f}" for value in known) or "no face"


@dataclass(frozen=True)
class Row:
    """A row of tiles; `title` and one line that says what is seen."""

    title: str
    note: str
    tiles: tuple[Tile, ...]


def choose_rows(
    synthetic: Faceset, originals: Faceset, compared: Comparison, tolerance: float, count: int
) -> list[Row]:
    """Choose up to `count` faces for each row and read their pictures. Rows without a face to show are left out."""
    order = np.argsort(compared.to_medoid, kind="stable")  # NaN last
    found = order[compared.found[order]]
    inside = found[compared.to_medoid[found] <= tolerance]
    outside = found[compared.to_medoid[found] > tolerance]
    none = np.flatnonzero(~compared.found)
    total = len(compared.to_medoid)
    plans = [
        ("As they came", "Spread evenly over the sample, not selected.", synthetic.sample(count)),
        ("Best", "Nearest to the source, each above its nearest original.", inside[:count]),
        ("Worst", "Farthest from the source among those that show a face.", outside[::-1][:count]),
    ]
    if not len(outside):
        plans[2] = ("Least alike", "Farthest from the source; all that show a face match.", inside[::-1][:count])
    if compared.medoid >= 0:
        plans.append(("No face", f"The detector found no face in {len(none)} of {total}.", _spread(none, count)))
    return [Row(title, note, _tiles(synthetic, originals, compared, rows)) for title, note, rows in plans if len(rows)]


def copy_row(copies: dict[str, Any], synthetic: Faceset, filmed: Faceset, count: int) -> Row | None:
    """The pairs that the measure of copies found nearest by their pixels; None where it found none."""
    pairs = (copies.get("pairs") or [])[:count]
    stale = any(pair["synthetic"] >= len(synthetic) or pair["filmed"] >= len(filmed) for pair in pairs)
    if not pairs or stale:  # stale: measured on other faces than these
        return None
    images = synthetic.images([pair["synthetic"] for pair in pairs])
    frames = filmed.images([pair["filmed"] for pair in pairs])
    tiles = tuple(
        Tile(
            image,
            pair["synthetic"],
            None,
            frame[:, ::-1] if pair["mirrored"] else frame,
            pair["distance"],
            f"{pair.get('clip', 'filmed')}, frame {pair.get('frame', pair['filmed'])}",
        )
        for pair, image, frame in zip(pairs, images, frames, strict=True)
    )
    limit = (copies.get("pixels") or {}).get("limit")
    note = "The nearest pairs by their pixels, mirrored where that is nearer."
    return Row("Nearest to a filmed frame", note + (f" Below {limit:.2f} counts as near." if limit else ""), tiles)


def draw_rows(rows: list[Row], side: int = SIDE) -> np.ndarray:
    """Draw the rows as one RGB picture: synthetic faces above, nearest originals below them."""
    columns = max((len(row.tiles) for row in rows), default=1)
    width = max(columns * (side + 8) + 24, 520)
    strips = [_strip(row, width, side) for row in rows]
    if not strips:
        strips = [_line("There is no synthetic face to show.", width, INK, 0.5)]
    return np.concatenate([*strips, _blank(12, width)])


def _tiles(synthetic: Faceset, originals: Faceset, compared: Comparison, rows: np.ndarray) -> tuple[Tile, ...]:
    images = synthetic.images(rows)
    with_face = rows[compared.nearest[rows] >= 0]
    near = dict(zip(with_face, originals.images(compared.nearest[with_face]), strict=True)) if len(with_face) else {}
    return tuple(
        Tile(
            image,
            int(row),
            float(compared.to_medoid[row]) if row in near else None,
            near.get(row),
            float(compared.to_nearest[row]) if row in near else None,
        )
        for row, image in zip(rows, images, strict=True)
    )


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(int)]


def _strip(row: Row, width: int, side: int) -> np.ndarray:
    paired = any(tile.nearest is not None for tile in row.tiles)
    body = _blank((2 if paired else 1) * (side + 4) + 18, width)
    for place, tile in enumerate(row.tiles):
        left = 12 + place * (side + 8)
        body[:side, left : left + side] = _fit(tile.image, side)
        if tile.nearest is not None:
            body[side + 4 : 2 * side + 4, left : left + side] = _fit(tile.nearest, side)
        cv2.putText(body, tile.label.replace("·", "-"), (left, body.shape[0] - 4), FONT, 0.4, FAINT, 1, cv2.LINE_AA)
    return np.concatenate([_line(row.title, width, INK, 0.6), _line(row.note, width, FAINT, 0.42), body])


def _line(text: str, width: int, colour: tuple[int, int, int], scale: float) -> np.ndarray:
    line = _blank(round(18 + 22 * scale), width)
    cv2.putText(line, text, (12, line.shape[0] - 8), FONT, scale, colour, 1, cv2.LINE_AA)
    return line


def _fit(image: np.ndarray, side: int) -> np.ndarray:
    shrink = image.shape[0] > side
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)


def _blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), PAPER_TONE, np.uint8)
