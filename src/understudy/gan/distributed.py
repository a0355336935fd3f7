"""Several processes, one training: `torchrun --nproc-per-node N -m understudy.gan.pretrain …`, or the same by SLURM.

Each process works on its part of the global batch; random numbers are shared (see `chance`), gradients and figures are
averaged. Groups of the minibatch deviation lie within one process. So the losses are those of one process with the same
global batch, up to the rounding of the sums. Only the first process shows, logs and writes.
"""

import os
from collections.abc import Sequence

import torch
from pytorch_lightning.strategies import DDPStrategy
from torch import Tensor

from understudy.errors import UserError
from understudy.gan.chance import Share


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


def processes_per_node(world: int) -> tuple[int, int]:
    """How many processes run on this machine, and how many machines there are."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("SLURM_NTASKS_PER_NODE") or world)
    return here, world // here


def require_alone() -> None:
    """Raise a UserError when there are several processes: each would run the whole pipeline over the same files."""
    if share_from_environment().world > 1:
        raise UserError(
            "The pipeline runs in one process: train with torchrun -m understudy.gan.pretrain, and set "
            "'gan_training.start' to the .safetensors that it writes."
        )


def check_batch(batch: int, group: int, world: int) -> None:
    """Raise a UserError when `batch` cannot be shared by `world` processes in whole groups."""
    if batch % (group * world):
        raise UserError(
            f"Parameter 'gan_training.training.batch' = {batch} cannot be shared by {world} processes: use a multiple "
            f"of {group * world} ('deviation_group' times the number of processes)."
        )


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
