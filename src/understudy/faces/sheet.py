"""The contact sheet of a faceset: its faces over time, some with landmarks, and how their scores spread."""

import cv2
import numpy as np

from understudy.faces.expression import centred
from understudy.faces.faceset import Faceset
from understudy.faces.identity import distances, medoid

WIDTH = 1536
TILE = 128
COLUMNS = WIDTH // TILE
ROWS = 8
HEADER = 44
PANEL = 150
PAPER, INK, BAR = (250, 250, 250), (30, 30, 30), (66, 110, 170)

# Joined when landmarks are drawn: first and last point, closed or not.
_LINES = (
    *[(0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False)],
    *[(36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True)],
)


def contact_sheet(faceset: Faceset, title: str) -> np.ndarray:
    """Draw up to 96 faces in the order of time, with landmarks on every second row, above histograms of the scores.

    Args:
        faceset: at least one face.
        title: stands above, followed by the count.

    Returns:
        RGB uint8 (H, 1536, 3).
    """
    rows = faceset.sample(COLUMNS * ROWS)
    images, landmarks = faceset.images(rows), faceset.landmarks()[rows]
    lines = -(-len(rows) // COLUMNS)
    sheet = np.full((HEADER + lines * TILE + PANEL, WIDTH, 3), PAPER, np.uint8)
    _write(sheet, f"{title}: {len(faceset)} faces, {len(rows)} shown in the order of time", (12, 30), 0.75)
    for number, (image, points) in enumerate(zip(images, landmarks, strict=True)):
        line, column = divmod(number, COLUMNS)
        tile = draw_tile(image, points if line % 2 else None)
        top = HEADER + line * TILE
        sheet[top : top + TILE, column * TILE : (column + 1) * TILE] = tile
    sheet[-PANEL:] = _panels(faceset)
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


def _panels(faceset: Faceset) -> np.ndarray:
    clips = faceset.column("clip")
    shown = {
        "blur (small is blurred)": faceset.column("blur"),
        "yaw, degrees around the clip's median": centred(faceset.column("yaw"), clips),
        "pitch, degrees around the clip's median": centred(faceset.column("pitch"), clips),
        "mouth opening": faceset.column("mouth_open"),
        "eye opening": faceset.column("eye_open"),
        "distance to the medoid of embeddings": _to_medoid(faceset.column("embedding")),
    }
    width = WIDTH // len(shown)
    return np.hstack([_histogram(values, name, width) for name, values in shown.items()])


def _to_medoid(embeddings: np.ndarray) -> np.ndarray:
    known = embeddings[np.isfinite(embeddings).all(1)]
    return distances(known, medoid(known)[None])[:, 0] if len(known) else np.empty(0)


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


def _write(image: np.ndarray, text: str, at: tuple[int, int], scale: float) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, INK, 1, cv2.LINE_AA)
