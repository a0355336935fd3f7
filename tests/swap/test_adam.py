"""The optimiser does what PyTorch's does, for weights in any layout."""

import torch
from torch import nn

from understudy.swap.adam import Adam
from understudy.swap.networks import fast_layout


def networks() -> tuple[nn.Sequential, nn.Sequential]:
    """Twice the same small network, channels-last."""
    made = []
    for _ in range(2):
        torch.manual_seed(0)
        made.append(
            fast_layout(nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 6, 1), nn.Flatten(), nn.Linear(6 * 36, 4)))
        )
    return made[0], made[1]


def steps(network: nn.Module, adam: torch.optim.Optimizer, first: int, count: int) -> None:
    for number in range(first, first + count):
        adam.zero_grad()
        torch.manual_seed(number)
        network(torch.randn(2, 3, 8, 8)).square().mean().backward()
        adam.step()


def test_same_weights_as_with_pytorch_s() -> None:
    ours, theirs = networks()
    steps(ours, Adam(list(ours.parameters()), 1e-2), 0, 5)
    steps(theirs, torch.optim.Adam(theirs.parameters(), 1e-2, fused=True), 0, 5)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.stride() == b.stride()


def test_goes_on_where_it_was() -> None:
    whole, parts = networks()
    steps(whole, Adam(list(whole.parameters()), 1e-2), 0, 4)
    first = Adam(list(parts.parameters()), 1e-2)
    steps(parts, first, 0, 2)
    _, fresh = networks()
    fresh.load_state_dict(parts.state_dict())
    second = Adam(list(fresh.parameters()), 1e-2)
    second.load_state_dict(first.state_dict())
    steps(fresh, second, 2, 2)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), fresh.parameters(), strict=True))


def test_follows_weights_that_have_moved_in_memory() -> None:
    here, there = networks()
    adam, other = (Adam(list(network.parameters()), 1e-2) for network in (here, there))
    for parameter in there.parameters():
        parameter.data = parameter.data.clone()  # as `to` does when a network goes to another device
    steps(here, adam, 0, 2)
    steps(there, other, 0, 2)
    assert all(torch.equal(a, b) for a, b in zip(here.parameters(), there.parameters(), strict=True))


def test_weights_without_a_gradient_stay() -> None:
    network, _ = networks()
    before = [parameter.clone() for parameter in network.parameters()]
    Adam(list(network.parameters()), 1e-2).step()
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
