"""One portrait animated: each frame is a warp of it, drawn in layers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from understudy.puppet.head import GRID, Head, grid_points, make_head
from understudy.puppet.motion import Motion
from understudy.puppet.portraits import Canvas
from understudy.puppet.shapes import Shapes, make_shapes, mouth_inside

_NO_MAP = np.empty(0, np.float32)  # `cv2.remap` gets both coordinates in one map

_SUMMED = ("smile", "wide", "brows", "frown")
"""Shapes that move all layers alike, in the order in which `draw` adds them."""


@dataclass(frozen=True)
class Puppet:
    """A portrait made ready to move. Only the part of the grid in which the head moves is computed.

    `window` is that part (rows, columns); the maps of `head` and `shapes` are cut to it. `points` (R, C, 2) are its
    nodes in picture coordinates and `step` their distance.
    """

    canvas: Canvas
    head: Head
    shapes: Shapes
    inside: np.ndarray  # (S, S, 3), what is behind the lips
    window: tuple[slice, slice]
    points: np.ndarray
    step: int


@dataclass(frozen=True)
class Pose:
    """One instant of a `Motion`."""

    yaw: float
    pitch: float
    roll: float
    jaw: float
    lips: float
    smile: float
    brows: float
    frown: float
    blink: float


def make_puppet(canvas: Canvas) -> Puppet:
    """Make a portrait ready to move; it takes a second. The canvas is a multiple of 256 pixels wide."""
    size = canvas.image.shape[0]
    head = make_head(canvas)
    shapes = make_shapes(canvas.landmarks, head.frame, size)
    inside = mouth_inside(shapes, head.frame, size)
    step = size // GRID
    places = np.argwhere(head.zone > 0)[:, ::-1]
    window = _window(places, step, (GRID, GRID))
    maps = {name: getattr(shapes, name)[window] for name in ("jaw", "jaw_outside", "lids", *_SUMMED)}
    head = replace(head, depth=head.depth[window], weight=head.weight[window].astype(np.float32))
    points = grid_points(size).astype(np.float32)[window]
    return Puppet(canvas, head, replace(shapes, **maps), inside, window, points, step)


def animate_puppet(puppet: Puppet, motion: Motion, frames: int, rate: float) -> Iterator[np.ndarray]:
    """Yield `frames` pictures (S, S, 3) RGB uint8, `rate` a second. Pixels away from the person never change."""
    curves = motion.at(np.arange(frames) / rate)
    names = Pose.__dataclass_fields__
    for number in range(frames):
        yield draw(puppet, Pose(**{name: float(getattr(curves, name)[number]) for name in names}))


def draw(puppet: Puppet, pose: Pose) -> np.ndarray:
    """Draw the portrait in one pose, (S, S, 3) RGB uint8."""
    head, shapes, step = puppet.head, puppet.shapes, puppet.step
    face = _turn(head, puppet.points, pose)
    for name, amount in zip(_SUMMED, (pose.smile, pose.lips, pose.brows, pose.frown), strict=True):
        face += np.float32(amount) * getattr(shapes, name)
    jaw = np.float32(shapes.rest + (1 - shapes.rest) * pose.jaw)
    upper = face + jaw * shapes.jaw_outside
    rows, columns = (slice(part.start * step, part.stop * step) for part in puppet.window)
    back = _invert(upper, step)
    person = _warp(head.layer, back, puppet, (slice(0, back.shape[0]), slice(0, back.shape[1])))
    picture = np.ascontiguousarray(person[..., :3])
    _draw_mouth(picture, puppet, upper, face + jaw * shapes.jaw, back)
    if pose.blink > 0.01:
        _draw_lids(picture, puppet, upper + np.float32(pose.blink * puppet.canvas.lid_travel) * shapes.lids, back)
    result = puppet.canvas.image.copy()
    result[rows, columns] = _compose(
        picture, person[..., 3], head.behind[rows, columns], head.zone[rows, columns], result[rows, columns]
    )
    return result


def _compose(
    picture: np.ndarray, outline: np.ndarray, behind: np.ndarray, zone: np.ndarray, original: np.ndarray
) -> np.ndarray:
    """The person before what is behind them, where `zone` allows it; elsewhere the original, bit by bit."""
    alpha = outline.astype(np.float32) / 255
    seen = cv2.blendLinear(picture, np.ascontiguousarray(behind), alpha, 1 - alpha)
    zone = np.ascontiguousarray(zone)
    return cv2.blendLinear(seen, np.ascontiguousarray(original), zone, 1 - zone)


def _turn(head: Head, points: np.ndarray, pose: Pose) -> np.ndarray:
    """Displacement (R, C, 2) of the grid in pixels when the head turns: a rotation in space, seen from far away.

    Yaw and pitch turn about the middle of the head, roll about the neck.
    """
    yaw, pitch, roll = (np.float32(angle) for angle in np.radians((pose.yaw, pose.pitch, pose.roll)))
    middle = (head.frame.origin + head.frame.axes[1] * 0.3 * head.frame.chin).astype(np.float32)
    pivot = head.pivot.astype(np.float32)
    x, y, z = points[..., 0] - middle[0], points[..., 1] - middle[1], head.depth
    aside = np.cos(yaw) * x + np.sin(yaw) * z + (middle - pivot)[0]
    deeper = np.cos(yaw) * z - np.sin(yaw) * x * (z > 0)
    upright = np.cos(pitch) * y + np.sin(pitch) * deeper + (middle - pivot)[1]
    moved_x = np.cos(roll) * aside - np.sin(roll) * upright + pivot[0] - points[..., 0]
    moved_y = np.sin(roll) * aside + np.cos(roll) * upright + pivot[1] - points[..., 1]
    return np.stack((head.weight * moved_x, head.weight * moved_y), axis=-1)


def _invert(
    forward: np.ndarray,
    step: int,
    part: tuple[slice, slice] | None = None,
    start: np.ndarray | None = None,
    rounds: int = 6,
) -> np.ndarray:
    """For each node in `part` of the grid, find the place (in nodes) that `forward` (in pixels) brings there.

    Damped fixed-point iteration p <- p - 0.7 (p + D(p) - q). It converges while D grows by less than a pixel a pixel.
    """
    height, width = forward.shape[:2]
    rows, columns = part or (slice(0, height), slice(0, width))
    goal = np.stack(
        np.meshgrid(
            np.arange(columns.start, columns.stop, dtype=np.float32),
            np.arange(rows.start, rows.stop, dtype=np.float32),
        ),
        axis=-1,
    )
    found = goal.copy() if start is None else start[rows, columns].copy()
    field = forward / np.float32(step)
    for _ in range(rounds):
        moved = cv2.remap(field, found, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found = cv2.addWeighted(found, 0.3, goal - moved, 0.7, 0.0)
    return found


def _forward(curve: np.ndarray, field: np.ndarray, puppet: Puppet) -> np.ndarray:
    """Where `field` brings the points of a curve (N, 2), in pixels."""
    places = ((curve - puppet.points[0, 0]) / puppet.step).astype(np.float32)
    return curve + cv2.remap(field, places[None], _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]


def _draw_mouth(picture: np.ndarray, puppet: Puppet, upper: np.ndarray, lower: np.ndarray, back: np.ndarray) -> None:
    """Draw the inside of the mouth and the lower layer over `picture`, in place."""
    frame, lip = puppet.head.frame, puppet.shapes.lip
    above, below = _forward(lip, upper, puppet), _forward(lip, lower, puppet)
    across, down = frame.axes
    sink = np.maximum((below - above) @ down, 0)  # where lips press together there is no gap
    gap = np.concatenate((above, (above + sink[:, None] * down)[::-1]))
    far = 0.4 * frame.jaw
    left, right = below[0] - far * across, below[-1] + far * across
    sheet = np.concatenate(([left], below, [right, right + 3 * far * down, left + 3 * far * down]))
    part = _window(
        _inside(np.concatenate((above, [left, right, right + 1.8 * far * down])), puppet), puppet.step, back.shape
    )
    if sink.max() > 0.5:
        _blend(picture, puppet.inside, back[part], gap, part, puppet)
    _blend(picture, puppet.canvas.image, _invert(lower, puppet.step, part, back, 5), sheet, part, puppet)


def _draw_lids(picture: np.ndarray, puppet: Puppet, lids: np.ndarray, back: np.ndarray) -> None:
    """Draw the skin above the eyes, drawn down, over `picture`, in place."""
    down = puppet.head.frame.axes[1]
    for rim in puppet.shapes.lid_curves:
        edge = _forward(rim, lids, puppet)
        height = 0.5 * np.linalg.norm(rim[-1] - rim[0])
        sheet = np.concatenate((edge, [edge[-1] - height * down, edge[0] - height * down]))
        part = _window(_inside(sheet, puppet), puppet.step, back.shape)
        _blend(picture, puppet.canvas.image, _invert(lids, puppet.step, part, back, 8), sheet, part, puppet)


def _blend(
    picture: np.ndarray,
    texture: np.ndarray,
    back: np.ndarray,
    polygon: np.ndarray,
    part: tuple[slice, slice],
    puppet: Puppet,
) -> None:
    """Draw `texture`, warped by `back`, where `picture` (the puppet's window) is inside `polygon`, with a soft edge."""
    drawn = _warp(texture, back, puppet, part)
    rows, columns = (slice(each.start * puppet.step, each.stop * puppet.step) for each in part)
    mask = np.zeros(drawn.shape[:2], np.uint8)
    corners = _inside(polygon, puppet) - (columns.start, rows.start)
    cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    share = cv2.GaussianBlur(mask, (0, 0), max(0.6, texture.shape[0] / 640)).astype(np.float32) / 255
    picture[rows, columns] = cv2.blendLinear(drawn, np.ascontiguousarray(picture[rows, columns]), share, 1 - share)


def _warp(texture: np.ndarray, back: np.ndarray, puppet: Puppet, part: tuple[slice, slice]) -> np.ndarray:
    """The part of the picture for which `back` (in nodes of the puppet's window) says where its pixels come from."""
    step = puppet.step
    size = ((part[1].stop - part[1].start) * step, (part[0].stop - part[0].start) * step)
    large = cv2.resize(back, size, interpolation=cv2.INTER_LINEAR) * np.float32(step) + puppet.points[0, 0]
    return cv2.remap(texture, large, _NO_MAP, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _inside(points: np.ndarray, puppet: Puppet) -> np.ndarray:
    """Picture coordinates (N, 2) as pixels of the puppet's window."""
    return points - (puppet.window[1].start * puppet.step, puppet.window[0].start * puppet.step)


def _window(points: np.ndarray, step: int, grid: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of the grid that hold `points` (N, 2) in pixels, with a margin of four nodes."""
    low = np.clip(np.floor(points.min(axis=0) / step).astype(int) - 4, 0, None)
    high = np.minimum(np.ceil(points.max(axis=0) / step).astype(int) + 5, grid[1::-1])
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))
