"""The autoencoders: `df`, encoder and code shared by two people and a decoder for each; `liae`, a code for each.

In `df` a face of the target goes through the shared encoder and the source's decoder: the source's face with the
target's expression comes out. In `liae` one decoder paints both. The code of a face has two halves there: for the
source twice the shared one, for the target their own beside the shared one. The swap takes the shared one twice.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import torch
from torch import nn

from understudy.errors import UserError
from understudy.faces.expression import EXPRESSION
from understudy.swap.layers import Decoder, Encoder, Inter, Standard, Upscale
from understudy.weights import Weights

KINDS = ("df", "liae")

N = TypeVar("N", bound=nn.Module)


class Part(NamedTuple):
    """Faces that one decoder paints."""

    people: tuple[str, ...]  # whose they are, as many of each
    rows: slice  # which of the 2B faces
    code: torch.Tensor
    paint: nn.Module  # the code to faces and masks


class Codes(NamedTuple):
    """What the encoder makes of the source's B faces and the target's B faces."""

    parts: list[Part]
    shared: torch.Tensor  # the code of the target's faces that the swap paints
    expression: torch.Tensor  # 2B x 5, as the code tells it


class Painted(NamedTuple):
    """What comes back of the source's B faces and the target's B faces."""

    faces: torch.Tensor  # 2B x 3 x S x S in [-1, 1]
    masks: torch.Tensor  # 2B x 1 x S x S in [0, 1]
    code: torch.Tensor  # the shared one of the target's faces
    expression: torch.Tensor  # 2B x 5, as the code tells it


class Swapper(nn.Module):
    """All that rendering needs: encoder, the shared code, and the decoder that paints the source.

    Args:
        size: pixels of the crop, a multiple of 16, or of 32 with the option `d`.
        options, encoder, inter, decoder, mask, kind: see `NetworkConfig`.

    Raises:
        UserError: `size` does not fit.
    """

    def __init__(
        self, size: int, options: str, encoder: int, inter: int, decoder: int, mask: int, kind: str = "df"
    ) -> None:
        super().__init__()
        step = 32 if "d" in options else 16
        if size % step:
            raise UserError(f"Parameter 'size' = {size} does not fit the swap network: use a multiple of {step}.")
        self.size, self.twofold = size, kind == "liae"
        width = 2 * inter if self.twofold else inter
        self.inter_shape = (8 * encoder * (size // 16) ** 2, inter, width, size // step)
        self.decoder_shape = (2 * width if self.twofold else width, decoder, mask, "d" in options)
        self.encoder = Encoder(encoder, "u" in options)
        self.inter = Inter(*self.inter_shape)
        self.source = Decoder(*self.decoder_shape)
        self.standard = Standard(inter) if "s" in options else nn.Identity()
        initialise(self)

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The source's face (B, 3, S, S) in [-1, 1] and mask (B, 1, S, S) with the expression of `faces`."""
        return self.paint_source(self.inter.widen(self.standard(self.inter.squeeze(self.encoder(faces)))))

    def paint_source(self, code: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The source's face and mask from the shared code."""
        return self.source(torch.cat([code, code], 1) if self.twofold else code)


class Trainee(Swapper):
    """The whole autoencoder as it is trained: with the target's decoder, or with the target's own code in `liae`.

    A linear layer tells the expression from the shared code. It is the same for both people, so that opening the mouth
    moves the code of either the same way, and the swap follows.
    """

    def __init__(
        self, size: int, options: str, encoder: int, inter: int, decoder: int, mask: int, kind: str = "df"
    ) -> None:
        super().__init__(size, options, encoder, inter, decoder, mask, kind)
        self.target = Inter(*self.inter_shape) if self.twofold else Decoder(*self.decoder_shape)
        self.source_standard = Standard(inter) if "s" in options else nn.Identity()
        self.expression = nn.Linear(inter, len(EXPRESSION))
        initialise(self.target)
        initialise(self.expression)

    def encode(self, faces: torch.Tensor) -> "Codes":
        """What is to be painted of both people's faces.

        Args:
            faces: as many faces of the source as of the target, one after the other, (2B, 3, S, S) in [-1, 1].
        """
        flat = self.encoder(faces)
        short_source, short_target = self.inter.squeeze(flat).chunk(2)
        short = torch.cat([self.source_standard(short_source), self.standard(short_target)])
        code_source, code_target = self.inter.widen(short).chunk(2)
        expression = self.expression(short)
        half = len(faces) // 2
        if self.twofold:
            own = self.target(flat.chunk(2)[1])
            halves = torch.cat([torch.cat([code_source, own]), torch.cat([code_source, code_target])], 1)
            return Codes([Part(("source", "target"), slice(None), halves, self.source)], code_target, expression)
        of_source = Part(("source",), slice(0, half), code_source, self.source)
        of_target = Part(("target",), slice(half, None), code_target, self.target)
        return Codes([of_source, of_target], code_target, expression)

    def reconstruct(self, faces: torch.Tensor) -> "Painted":
        """Both people's own faces back; `faces` as in `encode`."""
        codes = self.encode(faces)
        image, mask = (torch.cat(both) for both in zip(*(part.paint(part.code) for part in codes.parts), strict=True))
        return Painted(image, mask, codes.shared, codes.expression)


def initialise(network: nn.Module) -> None:
    """Glorot-uniform weights, zero biases; before a pixel shuffle, four pixels that start alike."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, Upscale):
            # Equal sub-pixels start without a checkerboard (Aitken et al., arXiv 1707.02937).
            weight = module.conv.weight
            outputs = weight.shape[0] // 4
            fresh = torch.empty(outputs, *weight.shape[1:])
            bound = math.sqrt(6 / ((weight.shape[1] + 4 * outputs) * weight[0, 0].numel()))
            with torch.no_grad():
                weight.copy_(fresh.uniform_(-bound, bound).repeat_interleave(4, 0))


def fast_layout(network: N) -> N:
    """Keep convolutions channels-last: 1.4 times as fast on a CPU at 64 px, and what tensor cores want."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def weights_of(network: Trainee, arguments: Mapping[str, Any], notes: Mapping[str, Any]) -> Weights:
    """What rendering needs of a trained network."""
    unused = ("target.", "expression.", "source_standard.")
    tensors = {name: value for name, value in network.state_dict().items() if not name.startswith(unused)}
    kind = "liae" if network.twofold else "df"
    return Weights(
        kind, dict(arguments), {name: value.detach().cpu().clone() for name, value in tensors.items()}, dict(notes)
    )


def load_swapper(weights: Weights) -> Swapper:
    """Build the network that `weights` describe, ready for use.

    Raises:
        UserError: they are of another kind.
    """
    if weights.kind not in KINDS:
        raise UserError(
            f"The swap model is of the kind '{weights.kind}' where {' or '.join(KINDS)} is needed: train it again."
        )
    network = Swapper(**weights.arguments, kind=weights.kind)
    network.load_state_dict(weights.tensors)
    return fast_layout(network.eval().requires_grad_(False))
