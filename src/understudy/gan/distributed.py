"""Several processes, one training: `torchrun --nproc-per-node N -m understudy.gan.pretrain …`, or the same by SLURM.

Each process works on its part of the global batch; random numbers are shared (see `chance`), gradients and figures are
averaged. Groups of the minibatch deviation lie within one process. So the losses are those of one process with the same
global batch, up to the rounding of the sums. Only the first process shows, logs and writes.
"""

from understudy.errors import UserError


def check_batch(batch: int, group: int, world: int) -> None:
    """Raise a UserError when `batch` cannot be shared by `world` processes in whole groups."""
    if batch % (group * world):
        raise UserError(
            f"Parameter 'gan_training.training.batch' = {batch} cannot be shared by {world} processes: use a multiple "
            f"of {group * world} ('deviation_group' times the number of processes)."
        )
