"""How good a swap is: whose face it shows and how well it follows the clip, out of the table of frames."""

from typing import Any

import numpy as np
import pandas as pd

from understudy.faces.identity import TOLERANCE, distances
from understudy.metrics.swap_motion import mean, motion_figures
from understudy.metrics.swap_people import People

NO_OPENFACE = (
    "OpenFace's file is not at hand: the evaluation's measure `openface` says where to put it, so that a second "
    "network can confirm the identity."
)


def swap_figures(table: pd.DataFrame, people: People, frames: int) -> dict[str, Any]:
    """The figures of a swap. The networks that judge, dlib's and OpenFace's, take no part in making it.

    Args:
        table: as `measure_frames` returns it.
        people: whom the faces were compared with.
        frames: how many the video has.

    Returns:
        Plain numbers, None where no frame holds a face; distances are Euclidean in dlib's 128 dimensions.
        `judged` is how many frames were asked whose face they show. `distance_to_source`,
        `distance_to_target`, `original_to_source`, `original_to_target` are medians, and `*_mean` means. `margin` is
        how much nearer the swap is to the source than to the target, on average. `rank_1` is the share of faces to
        which the source is nearer than the target and all `distractors`. `identity_std` is the standard deviation of
        the distance to the source over the frames, `identity_std_original` that of the clip's to the target.
        `openface` is the same by the second network, in squared distances. For the rest see `motion_figures`.
    """
    asked = table[table["spread"]]
    moved = motion_figures(table)
    figures: dict[str, Any] = {"frames": frames, "judged": len(asked)}
    figures["faceless"] = int((~asked["found_swap"]).sum())
    figures["faceless_in_original"] = int((~asked["found_original"]).sum())
    seen = asked[asked["to_source"].notna()]
    figures |= {
        "nearer_to_source": share(seen["to_source"] < seen["to_target"]),
        "matched_to_source": share(seen["to_source"] <= TOLERANCE),
        "distance_to_source": median(asked["to_source"]),
        "distance_to_source_mean": mean(asked["to_source"]),
        "distance_to_target": median(asked["to_target"]),
        "distance_to_target_mean": mean(asked["to_target"]),
        "original_to_source": median(asked["original_to_source"]),
        "original_to_target": median(asked["original_to_target"]),
        "source_to_target": float(distances(people.known[:1], people.known[1:])[0, 0]),
        "margin": mean(seen["to_target"] - seen["to_source"]),
        "rank_1": share(seen["to_source"] < seen[["to_target", "to_other"]].min(axis=1)),
        "distractors": len(people.others),
        "identity_std": deviation(asked["to_source"]),
        "identity_std_original": deviation(asked["original_to_target"]),
    }
    missing = moved.pop("missing")
    figures |= moved
    figures["openface"] = _openface(asked)
    if figures["openface"]["distance_to_source"] is None and people.network is None:
        missing["openface"] = NO_OPENFACE
    if not len(seen):
        missing["identity"] = "No face was found in any judged frame of the swap, so it is nobody's."
    return figures | {"missing": missing}


def share(true: pd.Series) -> float:
    """The share of true values; 0 of none."""
    return float(true.mean()) if len(true) else 0.0


def median(values: pd.Series) -> float | None:
    """The median of what is known; None where nothing is."""
    known = values.dropna()
    return float(known.median()) if len(known) else None


def deviation(values: pd.Series) -> float | None:
    """The standard deviation of what is known; None where nothing is."""
    known = values.dropna().to_numpy()
    return float(np.std(known)) if len(known) else None


def _openface(asked: pd.DataFrame) -> dict[str, float | None]:
    seen = asked[asked["openface_to_source"].notna()]
    near = seen["openface_to_source"] < seen["openface_to_target"]
    return {
        "nearer_to_source": share(near) if len(seen) else None,
        "distance_to_source": median(seen["openface_to_source"]),
        "distance_to_target": median(seen["openface_to_target"]),
        "margin": mean(seen["openface_to_target"] - seen["openface_to_source"]),
    }
