"""What depends on the device: how memory is kept, how numbers are rounded, what is compiled, where the crops lie."""

import logging
from dataclasses import dataclass
from importlib.util import find_spec

import psutil  # type: ignore[import-untyped]
import torch
from torch import Tensor

from understudy.gan.config import TrainingConfig
from understudy.memory import keep_memory

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DevicePlan:
    """How training runs on this machine.

    Args:
        kind: `cuda` or `cpu`.
        precision: of the main passes; the penalties stay in float32.
        backend: what compiles the main passes; None: nothing does.
    """

    kind: str = "cpu"
    precision: torch.dtype = torch.float32
    backend: str | None = None

    @property
    def cuda(self) -> bool:
        """Whether a GPU does the work."""
        return self.kind == "cuda"


def plan_device(settings: TrainingConfig) -> DevicePlan:
    """Look at the machine and decide; what is asked for and cannot be had is left out with a word in the log."""
    cuda = torch.cuda.is_available()
    precision = torch.float32
    if settings.precision == "bfloat16":
        if cuda and not torch.cuda.is_bf16_supported(including_emulation=False):
            logger.warning("This GPU does not compute in bfloat16: float32 is used.")
        else:
            precision = torch.bfloat16
    wanted = cuda if settings.compile == "auto" else settings.compile
    backend = None
    if wanted and cuda and find_spec("triton") is None:
        logger.warning("triton is not installed, so nothing is compiled: training is slower and otherwise the same.")
    elif wanted:
        backend = "inductor"
    return DevicePlan("cuda" if cuda else "cpu", precision, backend)


def prepare(plan: DevicePlan) -> None:
    """Set the process up for training."""
    if plan.cuda:
        torch.set_float32_matmul_precision("high")  # TF32
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    else:
        keep_memory()


def place_pictures(pictures: Tensor, plan: DevicePlan) -> Tensor:
    """The uint8 crops on the GPU if they take at most a quarter of what is free there, else where they are."""
    if not plan.cuda:
        return pictures
    free, _ = torch.cuda.mem_get_info()
    return pictures.cuda() if pictures.numel() <= free / 4 else pictures


def memory_used(plan: DevicePlan) -> dict[str, float]:
    """Memory in use now by this process, and the most that was in use on the GPU."""
    used = {"memory_mb": psutil.Process().memory_info().rss / 1e6}
    if plan.cuda:
        used["gpu_memory_mb"] = torch.cuda.max_memory_allocated() / 1e6
    return used
