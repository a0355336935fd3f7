"""Network weights on disk: safetensors for the numbers, JSON beside it for what they are."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save, save_file

from understudy.errors import UserError
from understudy.files import atomic_path, sha256, write_json


@dataclass(frozen=True)
class Weights:
    """The tensors of one or several networks and what is needed to build them.

    Args:
        kind: which network, such as `stylegan2` or `df`.
        arguments: the arguments that build it, plain values.
        tensors: its state, by name.
        notes: where it comes from: images seen, faceset, figures. Plain values.
    """

    kind: str
    arguments: dict[str, Any]
    tensors: dict[str, torch.Tensor]
    notes: dict[str, Any] = field(default_factory=dict)


def save_weights(path: Path, weights: Weights) -> None:
    """Write `path`.safetensors, then `path`.json with the SHA-256 of the former."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.tensors.items()}
    numbers = path.with_suffix(".safetensors")
    with atomic_path(numbers) as temporary:
        save_file(tensors, temporary)
    card = {
        "kind": weights.kind,
        "arguments": weights.arguments,
        "notes": weights.notes,
        "sha256": sha256(numbers),
    }
    write_json(path.with_suffix(".json"), card)


def digest(weights: Weights) -> str:
    """SHA-256, in hex, of the `.safetensors` file that `save_weights` makes of these weights."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.tensors.items()}
    return hashlib.sha256(save(tensors)).hexdigest()


def load_weights(path: Path, kind: str | None = None) -> Weights:
    """Read what `save_weights` wrote, onto the CPU.

    Raises:
        UserError: a file is missing or damaged, or holds another kind of network than `kind`.
    """
    numbers, card_path = path.with_suffix(".safetensors"), path.with_suffix(".json")
    for file in (numbers, card_path):
        if not file.is_file():
            raise UserError(f"The network file {file} does not exist: run the step that trains it, or copy it there.")
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
        if card["sha256"] != sha256(numbers):
            raise UserError(f"{numbers} does not match the SHA-256 in {card_path.name}: copy both files again.")
        weights = Weights(card["kind"], card["arguments"], load_file(numbers), card["notes"])
    except (json.JSONDecodeError, KeyError, SafetensorError) as error:
        raise UserError(f"{path} is not a network of this project ({error}): copy both of its files again.") from error
    if kind is not None and weights.kind != kind:
        raise UserError(f"{path} holds a '{weights.kind}' network where '{kind}' is needed: choose another file.")
    return weights
