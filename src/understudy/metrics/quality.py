"""Inception Score, FID and KID, computed by torchmetrics on the features of our Inception network."""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from understudy.metrics.config import InceptionConfig
from understudy.metrics.frechet import compare_sets, extrapolate, frechet_distance
from understudy.metrics.inception import InceptionV3
from understudy.metrics.precision import precision_figures
from understudy.progress import meter

REFERENCE = "filmed crops of the source, spread evenly over the footage"
STD_CONVENTION = (
    "Inception Score over splits: std divides by n - 1 (torchmetrics), std_ddof0 by n (torch-fidelity), the variance "
    "is that of n - 1. KID over subsets: kid_std divides by n, kid_std_ddof1 by n - 1. Over random draws: by n."
)


@dataclass(frozen=True)
class Features:
    """What the network says of one set of images: `pool` (N, 2048) and `logits` (N, 1008), float32."""

    pool: Tensor
    logits: Tensor


class Given(nn.Module):
    """Hands features that were computed once to a torchmetrics class that wants a network."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        """Return what came in."""
        return features


def extract(network: InceptionV3, images: Iterable[np.ndarray], count: int, batch: int, description: str) -> Features:
    """Run the network over RGB uint8 batches (B, H, W, 3), `count` images in all, `batch` at a time."""
    device = next(network.parameters()).device
    pools: list[Tensor] = [torch.empty(0, 2048)]
    logits: list[Tensor] = [torch.empty(0, 1008)]
    with meter(description, count) as shown:
        for rgb in _rebatch(images, batch):
            found = network.features(torch.from_numpy(rgb).permute(0, 3, 1, 2).to(device))
            pools.append(found["2048"].cpu())
            logits.append(found["logits_unbiased"].cpu())
            shown.step(len(rgb))
    return Features(torch.cat(pools), torch.cat(logits))


def inception_figures(
    synthetic: Features,
    real: Features,
    clips: np.ndarray,
    config: InceptionConfig,
    repeats: int,
    seed: int,
    weights_sha256: str | None = None,
) -> dict[str, Any]:
    """All figures of the Inception network, beside them what they depend on; None where a set is too small for one.

    Args:
        synthetic: features of the synthetic faces.
        real: features of the filmed faces.
        clips: the clip of each filmed face, (N,).
        config: splits and subsets.
        repeats: random draws behind the floor of the FID.
        seed: of splits, subsets and draws.
        weights_sha256: of the network's file.

    Returns:
        `synthetic`, `real` (how many), `reference`, `resize`, `weights_sha256`, `std_convention`; `score` and
        `real_score`, with `_std`, `_std_ddof0`, `_variance`; `fid`, `fid_infinity`, `fid_infinity_error`,
        `fid_equal_…` as in `compare_sets`; `kid`, `kid_std`, `kid_std_ddof1`; `precision_recall` as in
        `precision_figures`.
    """
    figures: dict[str, Any] = {"synthetic": len(synthetic.pool), "real": len(real.pool), "reference": REFERENCE}
    figures |= {"resize": f"bilinear, {'' if config.antialias else 'not '}antialiased, to 299 px"}
    figures |= {"weights_sha256": weights_sha256, "std_convention": STD_CONVENTION}
    figures |= inception_score(synthetic.logits, config.splits, seed)
    figures |= {f"real_{name}": value for name, value in inception_score(real.logits, config.splits, seed).items()}
    figures["fid"] = fid(real.pool, synthetic.pool)
    figures |= kid(real.pool, synthetic.pool, config, seed)
    pools = (synthetic.pool.numpy(), real.pool.numpy())
    compared = compare_sets(*pools, clips, frechet_distance, repeats, seed)
    names = ("n", "distance", "distance_std", "floor", "floor_std", "floor_by_clip", "floor_by_clip_n")
    figures |= {f"fid_equal_{name}": compared[name] for name in names}
    figures |= {f"fid_{name}": value for name, value in extrapolate(*pools, seed).items()}
    return figures | {"precision_recall": precision_figures(*pools, clips, seed)}


def inception_score(logits: Tensor, splits: int, seed: int) -> dict[str, float | None]:
    """Inception Score with both conventions of the deviation between splits, and its variance (ddof 1)."""
    names = ("score", "score_std", "score_std_ddof0", "score_variance")
    if len(logits) < 2:
        return dict.fromkeys(names)
    splits = min(splits, len(logits) // 2)
    metric = _quiet(lambda: InceptionScore(feature=Given(logits.shape[1]), splits=splits))
    metric.update(logits.double())
    mean, std = _seeded(metric, seed)
    std = std if splits > 1 else math.nan
    population = std * math.sqrt((splits - 1) / splits)
    return dict(zip(names, map(_finite, (mean, std, population, std * std)), strict=True))


def fid(real: Tensor, synthetic: Tensor) -> float | None:
    """Fréchet Inception distance of features (N, D) and (M, D); None below two images on a side."""
    if min(len(real), len(synthetic)) < 2:
        return None
    metric = FrechetInceptionDistance(feature=Given(real.shape[1])).set_dtype(torch.float64)
    metric.update(real.double(), real=True)
    metric.update(synthetic.double(), real=False)
    return _finite(float(metric.compute()))


def kid(real: Tensor, synthetic: Tensor, config: InceptionConfig, seed: int) -> dict[str, float | int | None]:
    """Kernel Inception distance over random subsets, none larger than the smaller set."""
    size = min(config.kid_subset_size, len(real), len(synthetic))
    if size < 2:
        return dict.fromkeys(("kid", "kid_std", "kid_std_ddof1", "kid_subset_size"))
    metric = _quiet(
        lambda: KernelInceptionDistance(
            feature=Given(real.shape[1]), subsets=config.kid_subsets, subset_size=size
        ).set_dtype(torch.float64)
    )
    metric.update(real.double(), real=True)
    metric.update(synthetic.double(), real=False)
    mean, std = _seeded(metric, seed)
    count = config.kid_subsets
    sample = std * math.sqrt(count / (count - 1)) if count > 1 else math.nan
    return {"kid": _finite(mean), "kid_std": _finite(std), "kid_std_ddof1": _finite(sample), "kid_subset_size": size}


def _rebatch(images: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    for batch in images:
        yield from (batch[start : start + size] for start in range(0, len(batch), size))


def _seeded(metric: Metric, seed: int) -> tuple[float, float]:
    """Compute with torch's global generator at `seed`: torchmetrics shuffles by it and offers no other way."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*degrees of freedom is <= 0.*")  # one split has no deviation
        torch.manual_seed(seed)
        mean, std = metric.compute()
    return float(mean), float(std)


def _quiet(build: Callable[[], Metric]) -> Metric:
    """Build a metric without its warning that features are kept: a few thousand are meant to be."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*will save all extracted features.*")
        return build()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
