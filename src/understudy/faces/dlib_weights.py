"""Reader of dlib's serialised face-recognition network.

The file is a stream of self-describing numbers. Each layer has written its body (a string with its kind, then its
fields), three flags and its working tensors; the layers follow each other from the input to the output.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from understudy.errors import UserError


@dataclass(frozen=True)
class Layer:
    """A layer that carries weights.

    Args:
        kind: `conv`, `affine` or `fc`.
        weight: conv (out, in, rows, columns); affine scale (C,); fc (inputs, outputs).
        bias: conv (out,); affine shift (C,); fc empty.
        stride: of a conv, else 1.
        padding: of a conv, else 0.
    """

    kind: str
    weight: np.ndarray
    bias: np.ndarray
    stride: int = 1
    padding: int = 0


@dataclass(frozen=True)
class DlibNetwork:
    """What the file holds: the input's channel means (R, G, B), its side in pixels, and the layers in order."""

    means: tuple[float, float, float]
    side: int
    layers: list[Layer]


class Reader:
    """Reads dlib's primitive types from bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise ValueError("the file ends too early")
        self.at += count
        return piece

    def integer(self) -> int:
        """A control byte (bit 7: negative; low bits: how many bytes), then the magnitude, little endian."""
        control = self.take(1)[0]
        if control & 0x70 or not 1 <= (control & 0x0F) <= 8:
            raise ValueError(f"no integer at byte {self.at - 1}")
        value = int.from_bytes(self.take(control & 0x0F), "little")
        return -value if control & 0x80 else value

    def real(self) -> float:
        """Two integers: mantissa, then exponent of two."""
        mantissa, exponent = self.integer(), self.integer()
        if exponent >= 32000:
            raise ValueError(f"a number before byte {self.at} is not finite")
        return float(mantissa) * 2.0**exponent

    def flag(self) -> bool:
        """One ASCII byte, 0 or 1."""
        byte = self.take(1)
        if byte not in b"01":
            raise ValueError(f"no flag at byte {self.at - 1}")
        return byte == b"1"

    def string(self) -> str:
        """A length, then the bytes."""
        return self.take(self.integer()).decode("ascii")

    def tensor(self) -> np.ndarray:
        """A float32 tensor with four dimensions."""
        self.expect(2, "tensor version")
        shape = [self.integer() for _ in range(4)]
        count = int(np.prod(shape))
        return np.frombuffer(self.take(4 * count), "<f4").reshape(shape)

    def alias(self) -> tuple[int, ...]:
        """A view into another tensor: only its four dimensions."""
        self.expect(1, "alias version")
        return tuple(self.integer() for _ in range(4))

    def expect(self, value: int, what: str) -> None:
        """Read an integer that must be `value`."""
        if (found := self.integer()) != value:
            raise ValueError(f"{what} is {found}, not {value}, before byte {self.at}")


def read_network(path: Path) -> DlibNetwork:
    """Read `dlib_face_recognition_resnet_model_v1.dat`.

    Raises:
        UserError: the file is another network, another version of the format, or damaged.
    """
    reader = Reader(path.read_bytes())
    try:
        network = _read(reader)
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not dlib's face network as expected ({error}): install it again.") from error
    return network


def _read(reader: Reader) -> DlibNetwork:
    reader.expect(1, "loss version")
    _name(reader, "loss_metric_2")
    reader.real(), reader.real()  # margin and distance threshold of the training loss
    for _ in range(129):  # versions of all wrappers, the outermost first
        if reader.integer() not in (1, 2):
            raise ValueError(f"unknown layer version before byte {reader.at}")
    reader.expect(3, "version of the first layer")
    _name(reader, "input_rgb_image_sized")
    means = (reader.real(), reader.real(), reader.real())
    side = reader.integer()
    reader.expect(side, "input width")
    layers: list[Layer] = []
    first = True
    while reader.at < len(reader.data):
        layer = _layer(reader, reader.string())
        for _ in range(3):
            reader.flag()
        for _ in range(3):
            if reader.tensor().size:
                raise ValueError(f"a training state before byte {reader.at}")
        if first:
            reader.expect(1, "sample expansion")
            first = False
        if layer is not None:
            layers.append(layer)
    return DlibNetwork(means, side, layers)


def _layer(reader: Reader, kind: str) -> Layer | None:
    if kind == "con_4":
        return _conv(reader)
    if kind == "affine_":
        return _affine(reader)
    if kind == "fc_2":
        return _fc(reader)
    if kind in ("max_pool_2", "avg_pool_2"):
        for _ in range(6):
            reader.integer()  # window, stride, padding: the network's own, fixed by its layout
    elif kind not in ("relu_", "add_prev_"):
        raise ValueError(f"unknown layer '{kind}'")
    return None


def _conv(reader: Reader) -> Layer:
    params = reader.tensor().reshape(-1)
    filters, rows, columns, stride, stride_x, padding, padding_x = (reader.integer() for _ in range(7))
    shape, biases = reader.alias(), reader.alias()
    _multipliers(reader)
    if (stride, padding) != (stride_x, padding_x) or shape[0] != filters or shape[2:] != (rows, columns):
        raise ValueError("a convolution does not agree with itself")
    count = int(np.prod(shape))
    if biases != (1, filters, 1, 1) or len(params) != count + filters:
        raise ValueError("a convolution has the wrong number of weights")
    return Layer("conv", params[:count].reshape(shape), params[count:], stride, padding)


def _affine(reader: Reader) -> Layer:
    params = reader.tensor().reshape(-1)
    gamma, beta = reader.alias(), reader.alias()
    reader.expect(0, "affine mode")
    if gamma != beta or len(params) != 2 * gamma[1]:
        raise ValueError("a scale has the wrong number of weights")
    return Layer("affine", params[: gamma[1]], params[gamma[1] :])


def _fc(reader: Reader) -> Layer:
    outputs, inputs = reader.integer(), reader.integer()
    params = reader.tensor().reshape(-1)
    reader.alias(), reader.alias()
    reader.expect(1, "bias mode")
    _multipliers(reader)
    if len(params) != inputs * outputs:
        raise ValueError("the last layer has the wrong number of weights")
    return Layer("fc", params.reshape(inputs, outputs), np.empty(0, np.float32))


def _multipliers(reader: Reader) -> None:
    for _ in range(4):
        reader.real()  # learning rate and decay multipliers


def _name(reader: Reader, wanted: str) -> None:
    if (found := reader.string()) != wanted:
        raise ValueError(f"'{found}' where '{wanted}' is needed")
