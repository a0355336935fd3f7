"""Random draws of equally many synthetic and filmed faces, and of filmed halves that show what is within reach."""

from dataclasses import dataclass

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Draw:
    """Row numbers of one draw.

    Args:
        near: N synthetic and N filmed faces; None where there are fewer than two synthetic ones.
        halves: N filmed faces and N others.
        by_clip: filmed faces of some clips and of the others, perhaps fewer than N; None where there is one clip.
    """

    near: Pair | None
    halves: Pair
    by_clip: Pair | None

    @property
    def clip_n(self) -> int:
        """Faces on each side of `by_clip`."""
        return 0 if self.by_clip is None else len(self.by_clip[0])


def draw_rows(synthetic: int, clips: np.ndarray, repeats: int, seed: int) -> list[Draw]:
    """Draw `repeats` times; none where there are fewer than four filmed faces.

    Args:
        synthetic: how many synthetic faces there are.
        clips: the clip of each filmed face, (m,).
        repeats: how often.
        seed: of the draws.
    """
    rng, filmed = np.random.default_rng(seed), len(clips)
    count = min(synthetic, filmed // 2)
    side = count if count >= 2 else filmed // 2
    if side < 2:
        return []
    parts = _clip_halves(clips, repeats, rng)
    clip_side = min([side, *(min(len(left), len(right)) for left, right in parts)]) if parts else 0
    draws = []
    for place in range(repeats):
        near = None
        if count >= 2:
            near = (rng.permutation(synthetic)[:count], rng.permutation(filmed)[:count])
        order = rng.permutation(filmed)
        by_clip = None
        if clip_side >= 2:
            left, right = (rng.permutation(rows)[:clip_side] for rows in parts[place])
            by_clip = (left, right)
        draws.append(Draw(near, (order[:side], order[side : 2 * side]), by_clip))
    return draws


def _clip_halves(clips: np.ndarray, repeats: int, rng: np.random.Generator) -> list[Pair]:
    """Row numbers of two halves that share no clip, once a draw; none where there is one clip."""
    names = np.unique(clips)
    if len(names) < 2:
        return []
    lefts = [np.isin(clips, rng.permutation(names)[: len(names) // 2]) for _ in range(repeats)]
    return [(np.flatnonzero(left), np.flatnonzero(~left)) for left in lefts]
