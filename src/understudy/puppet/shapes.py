"""Expressions as displacement maps: how far each point of the portrait moves when a smile, a jaw, a lid is at its full.

The mouth and the eyes cannot be opened or shut by one continuous map. So the skin below the parting of the lips and
the skin above the rim of the lids are layers of their own, drawn over the rest; the maps of two layers agree wherever
the layers meet.
"""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from understudy.puppet.head import FaceFrame, grid_points

JAW_DROP = 0.15
"""How far the lower lip sinks when the mouth is wide open, in widths of the jaw."""


@dataclass(frozen=True)
class Shapes:
    """Displacements in pixels on the grid, (G, G, 2) each, and the curves along which layers part, in pixels.

    `jaw` moves the lower layer, `jaw_outside` the rest of the face; `lids` moves the layer of the upper lids.
    `lip` (N, 2) is the upper edge of the lower lip, `lid_curves` two curves (N, 2) at the rims of the upper lids.
    `rest` is the jaw's value at which the lips of the portrait meet: nought or less.
    """

    jaw: np.ndarray
    jaw_outside: np.ndarray
    lids: np.ndarray
    smile: np.ndarray
    wide: np.ndarray
    brows: np.ndarray
    frown: np.ndarray
    lip: np.ndarray
    lid_curves: tuple[np.ndarray, np.ndarray]
    rest: float


def make_shapes(landmarks: np.ndarray, frame: FaceFrame, size: int) -> Shapes:
    """Work out the maps of a face from its 68 landmarks (68, 2)."""
    uv = frame.to(grid_points(size))
    marks = frame.to(landmarks)
    jaw, outside, lip = _jaw(uv, marks, frame)
    lids, curves = _lids(uv, marks)
    gap = float(np.linalg.norm(marks[62] - marks[66]))
    # A portrait with parted lips has its mouth shut first, all but a little; one with shut lips stays as it is.
    rest = -0.85 * gap / (JAW_DROP * frame.jaw) if gap > 0.03 * frame.jaw else 0.0
    return Shapes(
        jaw=_turned(jaw, frame),
        jaw_outside=_turned(outside, frame),
        lids=_turned(lids, frame),
        smile=_turned(_smile(uv, marks, frame), frame),
        wide=_turned(_wide(uv, marks, frame), frame),
        brows=_turned(_brows(uv, marks, frame), frame),
        frown=_turned(_frown(uv, marks, frame), frame),
        lip=frame.back(lip),
        lid_curves=(frame.back(curves[0]), frame.back(curves[1])),
        rest=rest,
    )


def mouth_inside(shapes: Shapes, frame: FaceFrame, size: int) -> np.ndarray:
    """What is seen behind the lips, (S, S, 3) uint8, where it lies in the portrait: teeth, the dark, a tongue."""
    along = np.arange(size, dtype=float)
    uv = frame.to(np.stack(np.meshgrid(along, along), axis=-1))
    lip = frame.to(shapes.lip)
    half = (lip[-1, 0] - lip[0, 0]) / 2
    across = (uv[..., 0] - (lip[0, 0] + half)) / half
    below = uv[..., 1] - np.interp(uv[..., 0], lip[:, 0], lip[:, 1])
    teeth_height = (0.055 if shapes.rest == 0 else 0.02) * frame.jaw
    curve = teeth_height * (1 - 0.5 * across**2)
    teeth = _step((curve - below) / (0.012 * frame.jaw)) * _step((0.85 - np.abs(across)) / 0.25)
    light = 0.6 + 0.4 * _step((below + 0.01 * frame.jaw) / (0.05 * frame.jaw))  # the lip's shadow on the teeth
    between = np.abs(np.cos(np.pi * across / 0.28)) ** 8  # dark lines between eight teeth
    light = light * (1 - 0.4 * across**2) * (1 - 0.22 * between)
    tongue = np.exp(-((across / 0.55) ** 2) - ((below - 0.15 * frame.jaw) / (0.05 * frame.jaw)) ** 2)
    dark, ivory, red = np.array([52.0, 22, 20]), np.array([205.0, 182, 156]), np.array([140.0, 66, 62])
    colour = dark + tongue[..., None] * (red - dark)
    colour = colour + teeth[..., None] * (light[..., None] * ivory - colour)
    return np.clip(colour, 0, 255).astype(np.uint8)


def _jaw(uv: np.ndarray, marks: np.ndarray, frame: FaceFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The jaw for the lower layer and for the rest, and the curve of the lower lip's upper edge (N, 2) in u, v."""
    inner = marks[[60, 67, 66, 65, 64]]
    fit = np.polyfit(inner[:, 0], inner[:, 1], 2)
    ends = marks[[48, 54], 0] * 0.35 + marks[[60, 64], 0] * 0.65
    along = np.linspace(ends[0], ends[1], 33)
    lip = np.stack((along, np.polyval(fit, along)), axis=-1)
    middle, half = ends.mean(), (ends[1] - ends[0]) / 2
    u, v = uv[..., 0], uv[..., 1]
    edge = np.polyval(fit, np.clip(u, *ends))
    # Between the corners the lip itself sinks, in the shape of a mouth; outside them the cheek takes over by and by.
    opened = np.clip(1 - ((u - middle) / half) ** 2, 0, 1) ** 0.8
    down = (v - edge) / (frame.chin - edge)
    fall = _step(down / 0.9)
    lateral = 1 - _step((np.abs(u - middle) - half) / (0.75 * frame.jaw - half))
    neck = 1 - _step((v - 1.1 * frame.chin) / (0.7 * frame.chin))
    drop = JAW_DROP * frame.jaw
    outside = fall * lateral * neck * drop
    lower = (opened + (1 - opened) * fall * lateral) * neck * drop
    return _vertical(lower), _vertical(outside), lip


def _lids(uv: np.ndarray, marks: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The upper lids, sinking to the lower ones; and their rims as curves (N, 2) in u, v."""
    total = np.zeros(uv.shape[:2])
    curves = []
    for upper, lower in (((36, 37, 38, 39), (36, 41, 40, 39)), ((42, 43, 44, 45), (42, 47, 46, 45))):
        top, bottom = (PchipInterpolator(marks[list(ids), 0], marks[list(ids), 1]) for ids in (upper, lower))
        ends = marks[upper[0], 0], marks[upper[3], 0]
        along = np.linspace(*ends, 25)
        height = bottom(along) - top(along)
        rim = top(along) + 0.1 * height  # lashes belong to the lid
        curves.append(np.stack((along, rim), axis=-1))
        u = np.clip(uv[..., 0], *ends)
        sink = 0.88 * (bottom(u) - top(u))
        sink = np.where((uv[..., 0] > ends[0]) & (uv[..., 0] < ends[1]), np.maximum(sink, 0), 0)
        reach = 1.3 * float(height.max())  # the skin that is drawn down
        above = (np.interp(u, along, rim) - uv[..., 1]) / reach
        below = (uv[..., 1] - np.interp(u, along, rim)) / reach
        total += sink * (1 - _step(np.maximum(above, 0))) * (1 - _step((below - 0.3) / 0.7))
    return _vertical(total), curves


def _smile(uv: np.ndarray, marks: np.ndarray, frame: FaceFrame) -> np.ndarray:
    """Corners of the mouth up and out, cheeks up."""
    jaw = frame.jaw
    field = np.zeros_like(uv)
    for corner, eye, side in ((48, 41, -1.0), (54, 46, 1.0)):
        near = _bell(uv, marks[corner], 0.15 * jaw, 0.13 * jaw)
        cheek = _bell(uv, (marks[corner] + marks[eye]) / 2 + (side * 0.05 * jaw, 0), 0.13 * jaw, 0.13 * jaw)
        field += near[..., None] * np.array([side * 0.035, -0.05]) * jaw
        field += cheek[..., None] * np.array([0.0, -0.022]) * jaw
    return field


def _wide(uv: np.ndarray, marks: np.ndarray, frame: FaceFrame) -> np.ndarray:
    """Corners outwards, lips thin; the other way round the lips are pursed."""
    jaw = frame.jaw
    field = np.zeros_like(uv)
    for corner, side in ((48, -1.0), (54, 1.0)):
        field += _bell(uv, marks[corner], 0.16 * jaw, 0.14 * jaw)[..., None] * np.array([side * 0.045, 0.0]) * jaw
    for lip, sign in ((51, 1.0), (57, -1.0)):
        field += _bell(uv, marks[lip], 0.16 * jaw, 0.06 * jaw)[..., None] * np.array([0.0, sign * 0.014]) * jaw
    return field


def _brows(uv: np.ndarray, marks: np.ndarray, frame: FaceFrame) -> np.ndarray:
    """Both brows up."""
    return _vertical(-0.05 * frame.jaw * np.sum(_brow_bells(uv, marks, frame), axis=0))


def _frown(uv: np.ndarray, marks: np.ndarray, frame: FaceFrame) -> np.ndarray:
    """Inner ends of the brows down and towards each other."""
    field = np.zeros_like(uv)
    for end, side in ((21, 1.0), (22, -1.0)):
        bell = _bell(uv, marks[end], 0.12 * frame.jaw, 0.08 * frame.jaw)
        field += bell[..., None] * np.array([side * 0.022, 0.02]) * frame.jaw
    return field


def _brow_bells(uv: np.ndarray, marks: np.ndarray, frame: FaceFrame) -> list[np.ndarray]:
    """Where a brow pulls: wide upwards into the forehead, and nothing left at the eye."""
    bells = []
    for brow, eye in ((slice(17, 22), slice(36, 42)), (slice(22, 27), slice(42, 48))):
        centre = marks[brow].mean(axis=0)
        line = np.interp(uv[..., 0], marks[brow, 0], marks[brow, 1])
        room = marks[eye, 1].min() - marks[brow, 1].mean()
        away = uv[..., 1] - line
        upright = np.where(away < 0, np.exp(-((away / (0.16 * frame.jaw)) ** 2)), 1 - _step(away / (0.9 * room)))
        half = (marks[brow, 0].max() - marks[brow, 0].min()) / 2
        bells.append(upright * np.exp(-(((uv[..., 0] - centre[0]) / (1.15 * half)) ** 4)))
    return bells


def _bell(uv: np.ndarray, centre: np.ndarray, wide: float, high: float) -> np.ndarray:
    away = (uv - centre) / (wide, high)
    return np.exp(-(away**2).sum(axis=-1))


def _turned(field: np.ndarray, frame: FaceFrame) -> np.ndarray:
    """A displacement in u, v (G, G, 2) as one along rows and columns of the picture."""
    return (field @ frame.axes).astype(np.float32)


def _vertical(field: np.ndarray) -> np.ndarray:
    return np.stack((np.zeros_like(field), field), axis=-1)


def _step(share: np.ndarray) -> np.ndarray:
    """Smoothstep from 0 to 1."""
    s = np.clip(share, 0, 1)
    return s * s * (3 - 2 * s)
