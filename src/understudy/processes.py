"""Several processes, one training, as torchrun or SLURM start them: who is who, and means over all of them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed.nn.functional
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor

from understudy.errors import UserError


@dataclass(frozen=True)
class Share:
    """Which part of each batch this process works on: part `rank` of `world`."""

    rank: int = 0
    world: int = 1


class PlainStrategy(DDPStrategy):
    """Lightning's processes without the wrapper `DistributedDataParallel`.

    That one follows a single backward pass a step and no gradients of gradients; here gradients are averaged where the
    optimisers step.
    """

    def configure_ddp(self) -> None:
        """Leave the module as it is."""


def share_from_environment() -> Share:
    """Which process this is, as torchrun or SLURM (`srun`) say; the only one when neither started it."""
    for rank, world in (("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS")):
        if rank in os.environ and world in os.environ:
            return Share(int(os.environ[rank]), int(os.environ[world]))
    return Share()


def require_alone(module: str, then: str) -> None:
    """Make sure that the pipeline runs in one process.

    Args:
        module: what torchrun starts instead.
        then: how the pipeline goes on from what that writes.

    Raises:
        UserError: there are several processes, each of which would run the whole pipeline over the same files.
    """
    if share_from_environment().world > 1:
        raise UserError(f"The pipeline runs in one process: train with torchrun -m {module}, and {then}.")


def processes_per_node(world: int) -> tuple[int, int]:
    """How many processes run on this machine, and how many machines there are."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("SLURM_NTASKS_PER_NODE") or world)
    return here, world // here


@torch.no_grad()
def average(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over all processes, in place and in one message."""
    if not active() or not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    parts = flat.split([tensor.numel() for tensor in tensors])
    torch._foreach_copy_(list(tensors), [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)])


def shared_mean(value: Tensor) -> Tensor:
    """The mean of a tensor over all processes, through which gradients flow back to each of them."""
    if not active():
        return value
    summed: Tensor = torch.distributed.nn.functional.all_reduce(value)
    return summed / torch.distributed.get_world_size()


def agree(wish: bool) -> bool:
    """Whether any process wishes so. All processes must ask at the same step."""
    if not active():
        return wish
    device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
    asked = torch.tensor(float(wish), device=device)
    torch.distributed.all_reduce(asked, op=torch.distributed.ReduceOp.MAX)
    return bool(asked > 0)


def active() -> bool:
    """Whether several processes train together."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()
