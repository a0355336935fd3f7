"""Contact sheets of a filmed faceset: the faces that are kept, and those that are not with the reason under each."""

import cv2
import numpy as np

from understudy.faces.faceset import Faceset
from understudy.faces.selection import REASONS, Selection

WIDTH = 1536
TILE = 128
COLUMNS = WIDTH // TILE
ROWS = 8
HEADER = 44
CAPTION = 36
PANEL = 150
PAPER, INK, FAINT, BAR = (250, 250, 250), (30, 30, 30), (110, 110, 110), (66, 110, 170)

# Joined when landmarks are drawn: first and last point, closed or not.
_LINES = (
    *[(0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False)],
    *[(36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True)],
)


def contact_sheet(faceset: Faceset, selection: Selection, title: str) -> np.ndarray:
    """Draw up to 96 kept faces in the order of time, with landmarks on every second row, above their scores' spread.

    Args:
        faceset: filmed faces.
        selection: theirs.
        title: stands above, followed by the counts.

    Returns:
        RGB uint8 (H, 1536, 3).
    """
    kept = selection.rows
    rows = _spread(kept, COLUMNS * ROWS)
    lines = -(-len(rows) // COLUMNS)
    sheet = _page(HEADER + lines * TILE + PANEL)
    counts = f"{len(kept)} of {len(faceset)} faces kept, {len(rows)} shown in the order of time"
    _write(sheet, f"{title}: {counts}", (12, 30), 0.75)
    if len(rows):
        for number, (image, points) in enumerate(zip(faceset.images(rows), faceset.landmarks()[rows], strict=True)):
            line, column = divmod(number, COLUMNS)
            _paste(sheet, draw_tile(image, points if line % 2 else None), HEADER + line * TILE, column)
    sheet[-PANEL:] = _panels(faceset, selection)
    return sheet


def rejected_sheet(faceset: Faceset, selection: Selection, title: str) -> np.ndarray:
    """Draw up to 96 of the faces that were left out, reason by reason, each with its reason, clip and frame under it.

    Every reason gets as many places as it can use while the others have theirs.

    Args:
        faceset: filmed faces.
        selection: theirs.
        title: stands above, followed by the counts.

    Returns:
        RGB uint8 (H, 1536, 3).
    """
    counts = {reason: count for reason, count in selection.counts().items() if count}
    rows = np.concatenate(
        [np.empty(0, np.int64)]
        + [
            _spread(np.flatnonzero(selection.reason == reason), places)
            for reason, places in _share(counts, COLUMNS * ROWS).items()
        ]
    )
    lines = -(-len(rows) // COLUMNS)
    sheet = _page(HEADER + lines * (TILE + CAPTION) + 8)
    listed = ", ".join(f"{count} {reason}" for reason, count in counts.items())
    told = f"{sum(counts.values())} of {len(faceset)} faces left out"
    _write(sheet, f"{title}: {told}{': ' if listed else ''}{listed}", (12, 30), 0.6)
    if len(rows):
        clips, frames = faceset.column("clip"), faceset.column("frame")
        for number, (row, image) in enumerate(zip(rows, faceset.images(rows), strict=True)):
            line, column = divmod(number, COLUMNS)
            top = HEADER + line * (TILE + CAPTION)
            _paste(sheet, draw_tile(image), top, column)
            _write(sheet, str(selection.reason[row]), (column * TILE + 4, top + TILE + 14), 0.42)
            name = str(clips[row]).rsplit(".", 1)[0][-13:]
            _write(sheet, f"{name} #{frames[row]}", (column * TILE + 4, top + TILE + 28), 0.33, FAINT)
    return sheet


def draw_tile(image: np.ndarray, landmarks: np.ndarray | None = None, size: int = TILE) -> np.ndarray:
    """A crop scaled to `size` pixels, with its landmarks (68, 2) in crop pixels when given."""
    shrinks = image.shape[0] > size
    tile = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    if landmarks is None or not np.isfinite(landmarks).all():
        return tile
    points = np.round(((landmarks + 0.5) * size / image.shape[0] - 0.5) * 16).astype(np.int32)
    for first, last, closed in _LINES:
        cv2.polylines(tile, [points[first : last + 1]], closed, (90, 255, 120), 1, cv2.LINE_AA, shift=4)
    return tile


def _share(counts: dict[str, int], places: int) -> dict[str, int]:
    """How many of `places` each reason gets: equal parts, and what one cannot fill goes to the others."""
    shares = dict.fromkeys(counts, 0)
    while places and any(shares[reason] < counts[reason] for reason in counts):
        for reason in REASONS:
            if places and shares.get(reason, 0) < counts.get(reason, 0):
                shares[reason] += 1
                places -= 1
    return shares


def _spread(rows: np.ndarray, count: int) -> np.ndarray:
    """Up to `count` of the row numbers, spread evenly."""
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]


def _panels(faceset: Faceset, selection: Selection) -> np.ndarray:
    shown = {
        "blur (small is blurred)": faceset.column("blur"),
        "yaw, degrees around the clip's median": selection.yaw,
        "pitch, degrees around the clip's median": selection.pitch,
        "mouth opening": faceset.column("mouth_open"),
        "eye opening": faceset.column("eye_open"),
        "distance to the person": selection.distance,
    }
    width = WIDTH // len(shown)
    return np.hstack([_histogram(values[selection.keep], name, width) for name, values in shown.items()])


def _histogram(values: np.ndarray, name: str, width: int) -> np.ndarray:
    panel = np.full((PANEL, width, 3), PAPER, np.uint8)
    _write(panel, name, (10, 20), 0.36)
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known):
        return panel
    low, high = np.percentile(known, [0.5, 99.5])
    counts, _ = np.histogram(known, 32, (low, high) if high > low else (low - 0.5, low + 0.5))
    left, base, room = 10, PANEL - 28, PANEL - 60
    step = (width - 2 * left) / len(counts)
    for number, count in enumerate(counts):
        x = left + number * step
        top = base - round(room * count / counts.max())
        cv2.rectangle(panel, (round(x), top), (round(x + step) - 2, base), BAR, -1)
    _write(panel, f"{low:.3g}", (left, PANEL - 10), 0.36)
    text = f"{high:.3g}"
    _write(panel, text, (width - left - 7 * len(text), PANEL - 10), 0.36)
    _write(panel, f"median {np.median(known):.3g}", (width // 2 - 42, PANEL - 10), 0.36)
    return panel


def _page(height: int) -> np.ndarray:
    return np.full((height, WIDTH, 3), PAPER, np.uint8)


def _paste(sheet: np.ndarray, tile: np.ndarray, top: int, column: int) -> None:
    sheet[top : top + TILE, column * TILE : (column + 1) * TILE] = tile


def _write(image: np.ndarray, text: str, at: tuple[int, int], scale: float, colour: tuple[int, int, int] = INK) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
