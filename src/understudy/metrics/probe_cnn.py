"""The learnt probe: a small convolutional network, trained afresh to tell synthetic faces from filmed ones."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from understudy.progress import Meter

BATCH = 32
RATE = 3e-3
WIDTHS = (16, 24, 32, 48)


class ProbeNetwork(nn.Module):
    """Four convolutions on blocks of 2x2 pixels and a linear layer on their mean and maximum; about 27,000 parameters.

    Blocks of pixels become channels first, which keeps the finest texture in plain view at a quarter of the work.
    Group normalisation makes the score of a picture depend on that picture alone.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.PixelUnshuffle(2)]
        for number, (before, after) in enumerate(zip((16, *WIDTHS), WIDTHS, strict=False)):
            stride = 1 if number == 0 else 2
            layers += [nn.Conv2d(before, after, 3, stride, padding=1), nn.GroupNorm(4, after), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(2 * WIDTHS[-1], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Score pictures (N, 3, S, S) in [-1, 1], S at least 16: (N,), large looks synthetic."""
        grey = x.mean(1, keepdim=True)
        fine = grey - functional.avg_pool2d(grey, 3, 1, 1, count_include_pad=False)
        seen = torch.cat([x, 8 * fine], 1)[..., : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2]  # whole blocks
        maps = self.body(seen)  # N x 48 x S/16 x S/16
        pooled = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)
        scores: Tensor = self.head(pooled)[:, 0]
        return scores


def cnn_scores(
    images: np.ndarray, fake: np.ndarray, fold: np.ndarray, epochs: int, seed: int, shown: Meter
) -> np.ndarray:
    """Score each face by a network that was taught by the other folds, (N,): large looks synthetic.

    On the CPU the result is the same for the same arguments. Time grows with the pixels and with `epochs`.

    Args:
        images: RGB uint8 (N, S, S, 3).
        fake: what is synthetic, (N,) bool.
        fold: fold of each face, (N,).
        epochs: how often each face is shown.
        seed: of the first weights and of the order.
        shown: counts the faces that were shown, `len(images) * (folds - 1) * epochs` in all.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    scores = np.empty(len(fake))
    for number in np.unique(fold):
        held = fold == number
        network = _train(images, fake, np.flatnonzero(~held), epochs, seed, device, shown)
        scores[held] = _score(network, images[held], device)
    return scores


def _train(
    images: np.ndarray, fake: np.ndarray, rows: np.ndarray, epochs: int, seed: int, device: torch.device, shown: Meter
) -> ProbeNetwork:
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers go on as if nothing had happened
        torch.manual_seed(seed)
        network = ProbeNetwork().to(device)
    rng = np.random.default_rng(seed)
    steps = epochs * -(-len(rows) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    share = torch.tensor(1 / max(float(fake[rows].mean()), 1e-6) - 1, device=device)  # both kinds weigh the same
    for _ in range(epochs):
        order = rng.permutation(rows)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            x = _tensor(images[chosen], device)
            mirrored = torch.from_numpy(rng.random(len(chosen)) < 0.5).to(device)
            x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
            truth = torch.from_numpy(fake[chosen]).float().to(device)
            loss = functional.binary_cross_entropy_with_logits(network(x), truth, pos_weight=share)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            shown.step(len(chosen))
    return network


@torch.no_grad()
def _score(network: ProbeNetwork, images: np.ndarray, device: torch.device) -> np.ndarray:
    """The mean score of each picture and its mirror image, (N,) float64."""
    parts = []
    for start in range(0, len(images), 4 * BATCH):
        x = _tensor(images[start : start + 4 * BATCH], device)
        parts.append((network(x) + network(x.flip(3))).double().cpu().numpy() / 2)
    return np.concatenate(parts)


def _tensor(images: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
