"""Losses of the swap: structural dissimilarity, squared error in the mask, eyes and mouth."""

import torch
from torch.nn import functional as F

from understudy.swap.config import LossConfig

K1, K2, SIGMA = 0.01, 0.03, 1.5


def gaussian_kernel(length: int, sigma: float, like: torch.Tensor) -> torch.Tensor:
    """A normalised Gaussian of `length` samples."""
    x = torch.arange(length, device=like.device, dtype=torch.float32) - (length - 1) / 2
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    return kernel / kernel.sum()


def filter_valid(images: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Filter (..., H, W) with `kernel` along both sides, without padding.

    As two products with a banded matrix: faster on a CPU than a depthwise convolution, forwards and backwards.
    """

    def band(side: int) -> torch.Tensor:
        rows = side - len(kernel) + 1
        offset = torch.arange(side, device=images.device) - torch.arange(rows, device=images.device)[:, None]
        inside = (offset >= 0) & (offset < len(kernel))
        return torch.where(inside, kernel[offset.clamp(0, len(kernel) - 1)], 0.0)  # rows x side

    return band(images.shape[-2]) @ images @ band(images.shape[-1]).T


def soften(masks: torch.Tensor) -> torch.Tensor:
    """Blur masks (B, 1, S, S) by 1/32 of their side; outside lies zero."""
    sigma = max(1.0, masks.shape[-1] // 32)
    length = int(4 * sigma) | 1
    padded = F.pad(masks.float(), [length // 2] * 4)
    return filter_valid(padded, gaussian_kernel(length, sigma, masks))


def dssim(a: torch.Tensor, b: torch.Tensor, window: int, side: int | None = None) -> torch.Tensor:
    """Structural dissimilarity (1 - SSIM) / 2 of images (B, C, H, W) in 0..1, (B,).

    With `side` they are parts of larger images, (B, C, side, side), that are equal everywhere else.

    Wang et al., "Image quality assessment", IEEE TIP 13(4), 2004, equation 13, with Gaussian weights. Computed in
    float32, since the variances are small differences of large numbers.
    """
    a, b = a.float(), b.float()
    kernel = gaussian_kernel(window, SIGMA, a)
    mean_b = filter_valid(b, kernel)  # apart: in training b needs no gradient
    # Both squares as one: only their sum is asked for.
    mean_a, squares, product = filter_valid(torch.stack([a, a * a + b * b, a * b]), kernel)
    both, means = mean_a * mean_b, mean_a**2 + mean_b**2
    light = (2 * both + K1**2) / (means + K1**2)
    contrast = (2 * (product - both) + K2**2) / (squares - means + K2**2)
    windows = a.shape[1] * ((side or a.shape[-2]) - window + 1) * ((side or a.shape[-1]) - window + 1)
    return (1 - light * contrast).sum((1, 2, 3)) / (2 * windows)


def window_of(side: int) -> int:
    """The wider of DSSIM's windows."""
    return max(3, int(side / 11.6))


def multiscale_dssim(a: torch.Tensor, b: torch.Tensor, side: int | None = None) -> torch.Tensor:
    """DSSIM with a window of 1/11.6 of the side; from 256 pixels the mean with one of half that, (B,).

    `side` is that of the whole images when `a` and `b` are parts of them.
    """
    whole = side or a.shape[-1]
    wide = dssim(a, b, window_of(whole), side)
    return wide if whole < 256 else (wide + dssim(a, b, int(whole / 23.2), side)) / 2


def face_losses(
    image: torch.Tensor,
    mask: torch.Tensor,
    target: torch.Tensor,
    target_mask: torch.Tensor,
    eyes_mouth: torch.Tensor,
    weights: LossConfig,
) -> dict[str, torch.Tensor]:
    """The weighted losses of each face, (B,) each.

    Args:
        image: predicted faces (B, 3, S, S) in [-1, 1].
        mask: predicted masks (B, 1, S, S).
        target: true faces (B, 3, S, S) in [-1, 1].
        target_mask: true masks (B, 1, S, S).
        eyes_mouth: where eyes and mouth are (B, 1, S, S).
        weights: of the losses.
    """
    soft = 2 * soften(target_mask).clamp(0, 0.5)  # 1 up to the mask's edge, then falling off
    full = image[0].numel()
    losses = {"mask": weights.mask * (mask.float() - target_mask).square().mean((1, 2, 3))}
    if not image.is_cuda:  # there it would be waited for
        rows, columns = _around(soft, window_of(image.shape[-1]))
        image, target, soft, eyes_mouth = (
            x[..., rows, columns].contiguous() for x in (image, target, soft, eyes_mouth)
        )
    image, target = (image.float() + 1) / 2, (target + 1) / 2
    masked, masked_target = image * soft, target * soft
    losses["dssim"] = weights.dssim * multiscale_dssim(masked, masked_target, mask.shape[-1])
    losses["mse"] = weights.mse / full * (masked - masked_target).square().sum((1, 2, 3))
    if weights.eyes_mouth:
        apart = ((image - target) * eyes_mouth).abs().sum((1, 2, 3))
        losses["eyes_mouth"] = weights.eyes_mouth / full * apart
    return losses


def _around(soft: torch.Tensor, window: int) -> tuple[slice, slice]:
    """Rows and columns outside of which every window of masked faces is black: nothing is lost there."""
    bounds = []
    for side in (3, 2):
        seen = soft.amax((0, 1, side)).nonzero()
        low, high = (int(seen[0]), int(seen[-1])) if len(seen) else (0, 0)
        bounds.append(slice(max(0, low - window), high + window + 1))
    return bounds[0], bounds[1]
