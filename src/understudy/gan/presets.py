"""Sets of settings that belong together. What the parameters give explicitly is never replaced."""

from collections.abc import Mapping
from typing import Any

import torch

from understudy.config import parse
from understudy.gan.config import GanConfig

Settings = dict[str, dict[str, Any]]

GIB_AT_256 = 0.28
"""GPU memory for one image of 256 x 256 with 16384 / 512 channels in half precision: 4.5 GB at batch 16."""

# Published settings (Karras et al. 2020, arXiv 1912.04958 and 2006.06676; Zhao et al. 2020, arXiv 2006.10738).
PAPER256: Settings = {
    "network": {"channel_base": 16384, "channel_max": 512, "mapping_layers": 8, "latent": 512},
    "training": {
        "batch": 64,
        "lr": 0.0025,
        "r1_gamma": 1.0,
        "path_length_every": 4,
        "deviation_group": 8,
        "ema_kimg": 20,
        "ema_ramp": None,
        "augment": "ada",
    },
}
CONFIG_F: Settings = {
    "network": {"channel_base": 32768, "channel_max": 512, "mapping_layers": 8, "latent": 512},
    "training": {
        "batch": 32,
        "lr": 0.002,
        "r1_gamma": 10.0,
        "path_length_every": 4,
        "ema_kimg": 10,
        "ema_ramp": None,
        "augment": "none",
    },
}
LOW_SHOT: Settings = {
    "network": {"channel_base": 32768, "channel_max": 512, "mapping_layers": 2, "latent": 512},
    "training": {
        "kimg": 300,
        "batch": 8,
        "lr": 0.002,
        "r1_gamma": 10.0,
        "path_length_every": 0,
        "ema_kimg": 10,
        "ema_ramp": None,
        "augment": "diffaugment",
        "mirror": True,
    },
}
# The widths that two cores train at 64 pixels in about a minute a kimg; see benchmarks/gan.py.
CPU: Settings = {
    "network": {"channel_base": 4096, "channel_max": 64, "mapping_layers": 2, "latent": 512},
    "training": {
        "batch": 16,
        "lr": 0.0025,
        "r1_gamma": "auto",
        "path_length_every": 0,
        "ema_kimg": 5,
        "ema_ramp": 0.05,
        "augment": "diffaugment",
        "precision": "float32",
    },
}
FIXED: dict[str, Settings] = {
    "paper256": PAPER256,
    "config_f": CONFIG_F,
    "low_shot": LOW_SHOT,
    "cpu": CPU,
}


def auto(size: int, memory_gib: float | None) -> Settings:
    """Settings by size and by the memory of the GPU.

    Half the width of configuration F below 512 pixels. The batch is 4096 / size, from 4 to 32; twice that where 40 GiB
    or more are there, which a large GPU needs to be busy; less where it would not fit.

    Args:
        size: pixels of the crops.
        memory_gib: of the GPU; None: there is none.
    """
    wide = size >= 512
    batch = min(4096 // size, 32)
    if memory_gib is not None:
        batch *= 2 if memory_gib >= 40 else 1
        image = GIB_AT_256 * (size / 256) ** 2 * (2 if wide else 1)
        batch = min(batch, int(memory_gib * 0.8 / image))
    batch = max(4, batch // 4 * 4)
    return {
        "network": {"channel_base": 32768 if wide else 16384, "channel_max": 512, "mapping_layers": 2, "latent": 512},
        "training": {
            "batch": batch,
            "lr": 0.002 if size >= 1024 else 0.0025,
            "r1_gamma": "auto",
            "path_length_every": 4,
            "ema_kimg": batch * 10 / 32,
            "ema_ramp": 0.05,
            "precision": "float32" if memory_gib is None else "bfloat16",
        },
    }


def configure(params: Mapping[str, Any], size: int, memory_gib: float | None = None) -> GanConfig:
    """Check the parameters of gan_training and fill in what their preset gives.

    Args:
        params: as read from YAML.
        size: pixels of the crops.
        memory_gib: of the GPU; None: there is none.

    Raises:
        UserError: names the first parameter that is wrong.
    """
    given = parse(GanConfig, params, "gan_training")
    if given.preset is None:
        return given
    chosen = auto(size, memory_gib) if given.preset == "auto" else FIXED[given.preset]
    filled = {name: {**chosen[name], **(params.get(name) or {})} for name in ("network", "training")}
    return parse(GanConfig, {**params, **filled}, "gan_training")


def gpu_memory_gib() -> float | None:
    """Memory of the GPU that would be used; None when there is none."""
    if not torch.cuda.is_available():
        return None
    return float(torch.cuda.get_device_properties(0).total_memory) / 2**30
