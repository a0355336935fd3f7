"""What depends on the device: how memory is kept, how numbers are rounded, what is compiled, where the crops lie."""

import ctypes
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import psutil  # type: ignore[import-untyped]
import torch
from torch import Tensor

from understudy.gan.config import TrainingConfig

logger = logging.getLogger(__name__)

# The names of glibc's malloc.h
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


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


def keep_memory() -> None:
    """Let glibc keep freed memory for the next step, instead of giving it back to the system.

    Every step allocates the same large tensors. Given back and fetched again, they are zeroed page by page by the
    kernel, which costs a fifth of the time of a step on a CPU.
    """
    set_allocator({M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 64 * 2**20})


def set_allocator(options: Mapping[int, int]) -> None:
    """Set options of glibc's `malloc`; nothing happens with another C library."""
    libc = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    if libc is not None and hasattr(libc, "mallopt"):
        for option, value in options.items():
            libc.mallopt(option, value)


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
