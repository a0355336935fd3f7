"""Convolutions whose second derivatives cost no more than they need to.

PyTorch differentiates a convolution twice by general rules: a depthwise one becomes a loop over its channels, and the
gradient of the weights is a convolution with huge kernels. Both penalties (R1 and path length) are made of such second
derivatives. Inside `penalty()` a convolution is instead differentiated by its own adjoint, which is the transposed
convolution with the same weights, so that every derivative is again one plain convolution.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx

_state = {"penalty": False, "slopes": False}


@contextmanager
def penalty() -> Iterator[None]:
    """Within, convolutions are built to be differentiated twice (in full precision)."""
    _state["penalty"] = True
    try:
        yield
    finally:
        _state["penalty"] = False


def slopes(value: Tensor, at: Tensor) -> Tensor:
    """The gradient of the sum of `value` with respect to `at`, itself differentiable.

    Within `penalty()` the gradients of the weights, which autograd would compute and throw away, are left out.
    """
    _state["slopes"] = _state["penalty"]
    try:
        (gradient,) = torch.autograd.grad(value.sum(), at, create_graph=True)
    finally:
        _state["slopes"] = False
    return gradient


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: int = 1, padding: int = 0) -> Tensor:
    """`conv2d`; a weight with one channel in is applied to each channel by itself (depthwise)."""
    groups = x.shape[1] // weight.shape[1]
    if not _state["penalty"]:
        return F.conv2d(x, weight, bias, stride=stride, padding=padding, groups=groups)
    y = _Convolution.apply(x, weight, stride, padding, 0, groups, False)
    return y if bias is None else y + bias[None, :, None, None]


def convolve_transposed(x: Tensor, weight: Tensor, *, stride: int) -> Tensor:
    """`conv_transpose2d` without padding; weight (channels in, channels out, k, k)."""
    if not _state["penalty"]:
        return F.conv_transpose2d(x, weight, stride=stride)
    return _Convolution.apply(x, weight, stride, 0, 0, 1, True)


class _Convolution(torch.autograd.Function):
    """A plain or transposed convolution; its gradient towards the input is the other kind with the same weights."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int, extra: int, groups: int, transposed: bool
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.how = (stride, padding, extra, groups, transposed)
        if transposed:
            return F.conv_transpose2d(x, weight, None, stride, padding, extra, groups)
        return F.conv2d(x, weight, None, stride, padding, 1, groups)

    @staticmethod
    def backward(ctx: FunctionCtx, *grads: Tensor) -> Any:
        (grad,) = grads
        x, weight = ctx.saved_tensors  # type: ignore[attr-defined]
        stride, padding, extra, groups, transposed = ctx.how  # type: ignore[attr-defined]
        to_x = to_weight = None
        if ctx.needs_input_grad[0]:  # type: ignore[attr-defined]
            # rows that a convolution with a stride leaves over at the border, which its adjoint has to give back
            over = 0 if transposed else (x.shape[2] + 2 * padding - weight.shape[2]) % stride
            to_x = _Convolution.apply(grad, weight, stride, padding, over, groups, not transposed)
        if ctx.needs_input_grad[1] and not _state["slopes"]:  # type: ignore[attr-defined]
            _, to_weight, _ = torch.ops.aten.convolution_backward(
                grad,
                x,
                weight,
                None,
                [stride] * 2,
                [padding] * 2,
                [1, 1],
                transposed,
                [extra] * 2,
                groups,
                [False, True, False],
            )
        return to_x, to_weight, None, None, None, None, None
