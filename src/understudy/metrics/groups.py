"""Groups of faces that belong together, such as a clip's frames, and folds that never part a group."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Groups:
    """The group of each face.

    Args:
        labels: (N,) int. Two stretches that follow each other in one clip have labels that differ by 1; labels of
            different clips differ by 2 at least.
        kind: `clip`, or `stretch of a clip` where there were too few clips.
    """

    labels: np.ndarray
    kind: str

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(np.unique(self.labels))


def group_by_clip(clips: np.ndarray, at_least: int) -> Groups:
    """Group faces by clip; fewer than `at_least` clips are cut into stretches until there are so many groups.

    Frames of one clip are near copies of each other. A stretch is the next best thing, since only its ends have such
    copies outside it.

    Args:
        clips: clip of each face in the order of time, (N,).
        at_least: how many groups are needed; a clip with fewer faces than stretches makes a group of each face.
    """
    names, clip = np.unique(clips, return_inverse=True)
    if len(names) >= at_least or not len(clips):
        return Groups(2 * clip.astype(np.int64), "clip")
    cuts = -(-at_least // len(names))
    labels = np.empty(len(clips), np.int64)
    for number in range(len(names)):
        rows = np.flatnonzero(clip == number)
        stretch = np.arange(len(rows)) * cuts // len(rows)
        labels[rows] = number * (cuts + 1) + stretch
    return Groups(labels, "stretch of a clip")


def assign_folds(groups: np.ndarray, fake: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Give each group a fold, so that every fold holds about as many faces of either kind.

    The largest group comes first, into the fold with the fewest faces of its kind. A group may hold both kinds, such
    as the frames of a clip and what a swap made of them; it stays whole.

    Args:
        groups: label of each face, (N,).
        fake: which faces are synthetic, (N,) bool.
        folds: how many.
        seed: of the order of groups of equal size.

    Returns:
        Fold of each face, (N,) int.
    """
    names, group = np.unique(groups, return_inverse=True)
    kinds = [np.bincount(group[fake == kind], minlength=len(names)) for kind in (False, True)]
    counts = np.stack(kinds, axis=1)  # G x 2
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-counts[order].sum(1), kind="stable")]
    filled = np.zeros((folds, 2))
    fold = np.empty(len(names), np.int64)
    for number in order:
        fold[number] = (filled @ counts[number]).argmin()
        filled[fold[number]] += counts[number]
    return fold[group]


def halve(groups: np.ndarray, seed: int) -> np.ndarray:
    """Put half of the groups, drawn at random, on one side: (N,) bool."""
    names, group = np.unique(groups, return_inverse=True)
    side = np.arange(len(names)) % 2 == 1
    return np.random.default_rng(seed).permutation(side)[group]
