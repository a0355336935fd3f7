"""How the C library keeps memory between the steps of a training."""

import ctypes
import sys
from collections.abc import Mapping

# The names of glibc's malloc.h
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


def keep_memory() -> None:
    """Let glibc keep freed memory for the next step, instead of giving it back to the system.

    Every step allocates the same large tensors. Given back and fetched again, they are zeroed page by page by the
    kernel.
    """
    set_allocator({M_MMAP_MAX: 0, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 64 * 2**20})


def set_allocator(options: Mapping[int, int]) -> None:
    """Set options of glibc's `malloc`; nothing happens with another C library."""
    libc = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    if libc is not None and hasattr(libc, "mallopt"):
        for option, value in options.items():
            libc.mallopt(option, value)
