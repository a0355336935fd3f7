"""From trained networks to weights on disk and back."""

import hashlib
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from understudy.errors import UserError
from understudy.gan.config import NetworkConfig
from understudy.gan.generator import Generator
from understudy.gan.module import GanModule
from understudy.weights import Weights, load_weights

KIND = "stylegan2"

logger = logging.getLogger(__name__)


def pack(
    module: GanModule, network: NetworkConfig, notes: dict[str, Any], dtype: torch.dtype = torch.float32
) -> Weights:
    """The running mean of the generator, and the discriminator, as weights of kind `stylegan2`."""
    tensors: dict[str, Tensor] = {}
    for name, part in (("generator", module.ema), ("discriminator", module.discriminator)):
        for key, value in part.state_dict().items():
            tensors[f"{name}.{key}"] = value.detach().cpu().to(dtype).contiguous()
    return Weights(KIND, {"size": module.size, **asdict(network)}, tensors, notes)


def load_generator(weights: Weights) -> Generator:
    """The generator of `weights`, ready to draw from.

    Raises:
        UserError: the weights are of another kind.
    """
    if weights.kind != KIND:
        raise UserError(f"A '{weights.kind}' network was given where '{KIND}' is needed: choose another file.")
    generator = Generator(**weights.arguments)
    generator.load_state_dict(_part(weights, "generator"))
    # the layout in which it was trained, and the fastest to draw in
    generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return generator.requires_grad_(False).eval()


def load_base(folder: Path, size: int) -> Weights:
    """The shipped base checkpoint for crops of `size` pixels.

    Raises:
        UserError: there is none for this size, or it is damaged.
    """
    path = folder / f"{size}px"
    if not path.with_suffix(".safetensors").is_file():
        raise UserError(
            f"There is no base checkpoint {path}.safetensors: set 'gan_training.start: scratch', "
            "or make one with python -m understudy.gan.pretrain."
        )
    return load_weights(path, KIND)


def start_from(module: GanModule, network: NetworkConfig, base: Weights) -> None:
    """Begin training at `base`: both networks and the running mean. A snapshot has no discriminator: it stays fresh.

    Raises:
        UserError: `base` has another architecture.
    """
    wanted = {"size": module.size, **asdict(network)}
    if base.kind != KIND or base.arguments != wanted:
        differing = [name for name in wanted if base.arguments.get(name) != wanted[name]]
        raise UserError(
            f"The base checkpoint is a {base.kind} with {base.arguments} and the parameters ask for {wanted} "
            f"({', '.join(differing)} differ): set 'gan_training.network' and 'size' alike, "
            "or 'gan_training.start: scratch'."
        )
    generator, discriminator = _part(base, "generator"), _part(base, "discriminator")
    module.generator.load_state_dict(generator)
    module.ema.load_state_dict(generator)
    if discriminator:
        module.discriminator.load_state_dict(discriminator)
    else:
        logger.warning("The weights to start from hold no discriminator: it begins anew.")


def _part(weights: Weights, name: str) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value.float() for key, value in weights.tensors.items() if key.startswith(prefix)}


def weights_key(weights: Weights) -> str:
    """A short name for the numbers of `weights`, so that a faceset drawn from others is made again."""
    digest = hashlib.sha256()
    for name in sorted(weights.tensors):
        digest.update(name.encode())
        digest.update(weights.tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
