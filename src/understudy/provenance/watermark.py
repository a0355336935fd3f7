"""The invisible watermark: 32 bits in the brightness of every frame, as `dwtDctSvd` of invisible-watermark lays them.

A picture's first Haar band is cut into blocks of 4x4, numbered row by row, and block n carries bit n mod 32 in its
largest singular value s: s lies in the upper half of a step for a 1, in the lower half for a 0 (quantisation index
modulation). A DCT before the SVD, as in the method's name, changes no singular value, since it is orthogonal; none is
taken.

That library reads what is written here, with `scales=[36, 0, 0]`. Its own encoder is not used, for measured reasons:
- It hands the inverse transform the vertical details for the horizontal ones: a portrait changed by up to 105 of 255.
- It writes into chroma by default, which keeps 81 to 97 % of the bits through H.264 at CRF 23 and a 0.75 resize, where
  brightness keeps them all.
- It takes 64 ms for 360x288 pixels, this 3: so every frame is marked, and a reader need not know which ones are. Of a
  video with every 15th frame marked, 78 % of the bits were read.
- It knows nothing of the frame before, see `HOLD`.
"""

import hashlib

import cv2
import numpy as np

BITS = 32
MARKER = 0xB562
"""The first 16 bits of every payload: they say that this project wrote it. As many ones as zeros."""

MARKER_BITS = 16
STEP = 36.0
"""Step of the quantisation, in units of a singular value; the library's default."""

LEAST_PIXELS = 256 * 256
"""Smaller pictures are not marked: the library refuses them, and too few blocks would share a bit."""

HOLD = 0.75
"""A block keeps the level of the frame before while its own value is within this many steps of it.

Without it, a block between two levels jumps from one to the other. Flicker (mean second difference over time, encoded)
was 1.3 to 1.5 times the unmarked video's without, 0.98 to 1.1 times with it.
"""

_HALF, _BLOCK = 2, 4
_ROUNDS = 6
"""Of the power iteration for the largest singular value; the values agree with LAPACK's to 1e-3 after two."""


def payload_of(*origins: str) -> int:
    """The 32 bits for something made from `origins` (hashes): the marker, then 16 bits of their SHA-256."""
    digest = hashlib.sha256("\n".join(origins).encode()).digest()
    return MARKER << (BITS - MARKER_BITS) | int.from_bytes(digest[:2], "big")


def to_bits(payload: int) -> np.ndarray:
    """The payload's bits, highest first, as 0 and 1, (32,) float32."""
    return np.array([payload >> (BITS - 1 - number) & 1 for number in range(BITS)], np.float32)


def from_bits(bits: np.ndarray) -> int:
    """The payload whose bits, (32,) of truth values, are given highest first."""
    return int("".join("1" if bit else "0" for bit in bits), 2)


def can_mark(height: int, width: int) -> bool:
    """Whether a picture is large enough to carry the watermark."""
    return height * width >= LEAST_PIXELS


class Marker:
    """Writes one payload into the frames of one video, given in their order; or into a single picture.

    Args:
        payload: 32 bits, of `payload_of`.
    """

    def __init__(self, payload: int) -> None:
        self._bits = to_bits(payload)
        self._levels: np.ndarray | None = None

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """Return a marked copy of a picture, uint8 (H, W, 3); a picture that is too small comes back as it is."""
        if not can_mark(*rgb.shape[:2]):
            return rgb
        band = _band(rgb)
        blocks = _blocks(band)  # 4 x 4 x N
        value, left, right = _largest(blocks)
        offset = 0.25 + 0.5 * np.resize(self._bits, len(value))
        levels = np.maximum(np.round(value / STEP - offset), 0) + offset  # the nearest one that carries the bit
        if self._levels is not None and len(self._levels) == len(levels):
            levels = np.where(np.abs(value / STEP - self._levels) < HOLD, self._levels, levels)
        self._levels = levels
        change = (levels * STEP - value) * left[:, None] * right[None]  # 4 x 4 x N, of the band
        rows, columns = band.shape[0] // _BLOCK, band.shape[1] // _BLOCK
        plane = change.reshape(_BLOCK, _BLOCK, rows, columns).transpose(2, 0, 3, 1).reshape(band.shape)
        # Half of a change of the Haar band goes to each of the four pixels under it.
        plane = np.repeat(np.repeat(plane / 2, _HALF, 0), _HALF, 1).astype(np.float32)
        out = rgb.copy()
        part = out[: plane.shape[0], : plane.shape[1]]
        part[:] = cv2.add(part, cv2.merge([plane] * 3), dtype=cv2.CV_8U)
        return out


def votes(rgb: np.ndarray) -> np.ndarray:
    """How strongly the blocks of a picture, uint8 (H, W, 3), speak for a bit: (32,) complex, at most 1 in size.

    The real part is 1 where `Marker` put a 1 and -1 where it put a 0. In a picture that became lighter or darker by a
    level or two since, as happens when colours are converted, all of them are turned by one common angle.
    """
    value, _, _ = _largest(_blocks(_band(rgb)))
    voices = 1j * np.exp(2j * np.pi * value / STEP)
    whole = len(voices) // BITS * BITS
    return voices[:whole].reshape(-1, BITS).mean(0)


def _band(rgb: np.ndarray) -> np.ndarray:
    """The low-pass Haar band of the brightness, float32, cut to whole blocks: (H // 8 * 4, W // 8 * 4)."""
    side = _HALF * _BLOCK
    height, width = rgb.shape[0] // side * side, rgb.shape[1] // side * side
    grey = cv2.cvtColor(np.ascontiguousarray(rgb[:height, :width]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return 2 * cv2.resize(grey, (width // _HALF, height // _HALF), interpolation=cv2.INTER_AREA)


def _blocks(band: np.ndarray) -> np.ndarray:
    """The blocks of 4x4, row by row, as (4, 4, N): so that sums run over whole vectors."""
    rows, columns = band.shape[0] // _BLOCK, band.shape[1] // _BLOCK
    blocks = band.reshape(rows, _BLOCK, columns, _BLOCK).transpose(1, 3, 0, 2)
    return np.ascontiguousarray(blocks.reshape(_BLOCK, _BLOCK, rows * columns))


def _largest(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The largest singular value of each block (N,), with its left and right vectors (4, N), by power iteration.

    Brightness is positive, so the vector of ones is near the answer; 27 times as fast as LAPACK, block by block.
    """
    right = np.full(blocks.shape[1:], 0.5, np.float32)
    for _ in range(_ROUNDS):
        left = _unit((blocks * right[None]).sum(1))[0]
        right, value = _unit((blocks * left[:, None]).sum(0))
    return value, left, right


def _unit(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (4, N) at length 1, and their lengths; a black block's vector, of length nought, becomes that of ones."""
    length = np.sqrt((vectors * vectors).sum(0))
    safe = np.maximum(length, 1e-6)
    return np.where(length > 1e-6, vectors / safe, np.float32(0.5)), length
