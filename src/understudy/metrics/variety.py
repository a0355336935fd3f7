"""Table 1 of the paper: how far the faces of a monotone and of a varied set of filmed frames lie from one another."""

from typing import Any

import numpy as np

from understudy.errors import UserError
from understudy.faces.describe import describe_crops
from understudy.faces.faceset import Faceset
from understudy.metrics.config import OpenFaceConfig
from understudy.metrics.crops import read_crops
from understudy.metrics.identity import pair_figures
from understudy.metrics.openface import embed_crops
from understudy.metrics.openface_file import openface_at_hand
from understudy.progress import meter

SETS = ("monotone", "varied")
_PART = 25


def variety_scores(source: Faceset, sets: dict[str, dict[str, Any]], config: OpenFaceConfig) -> dict[str, Any]:
    """Distances of all pairs of each set, by both networks; every crop is embedded anew.

    OpenFace's are None while its file is not there: the measure `openface` says where to put it.

    Args:
        source: filmed faces of the source.
        sets: `monotone` and `varied`, each with `rows` of `source` and `expression_distance`.
        config: where OpenFace's file is.

    Returns:
        For each set `rows`, `expression_distance`, and `dlib` and `openface` as `pair_figures`. The paper's are squared
        OpenFace distances; dlib's are Euclidean by definition, and their square is given too.
    """
    figures: dict[str, Any] = {}
    network = openface_at_hand(config)
    total = sum(len(sets[name]["rows"]) for name in SETS)
    with meter("Monotone and varied faces", total) as shown:
        for name in SETS:
            rows = np.sort(np.asarray(sets[name]["rows"], np.int64))
            if len(rows) and rows[-1] >= len(source):
                raise UserError(
                    f"The {name} set names row {rows[-1]} of a faceset with {len(source)} faces: "
                    "run data_engineering again."
                )
            crops = read_crops(source, rows)
            vectors, points = [np.empty((0, 128), np.float32)], [np.empty((0, 68, 2), np.float32)]
            for start in range(0, len(crops), _PART):
                table = describe_crops(crops[start : start + _PART])
                vectors.append(_array(table.column("embedding"), 128))
                points.append(_array(table.column("landmarks"), 136).reshape(-1, 68, 2))
                shown.step(table.num_rows)
            seen = np.empty((0, 128))
            if network is not None:
                seen = embed_crops(network, crops, np.concatenate(points), config.batch)
            figures[name] = {
                "rows": len(rows),
                "expression_distance": sets[name].get("expression_distance"),
                "dlib": pair_figures(np.concatenate(vectors)),
                "openface": pair_figures(seen),
            }
    few = [name for name in SETS if figures[name]["dlib"]["l2_mean"] is None]
    return figures | {
        "missing": f"Fewer than two faces were found in the {' and the '.join(few)} set: add footage." if few else None
    }


def _array(column: Any, width: int) -> np.ndarray:
    return np.array(column.to_pylist(), np.float32).reshape(-1, width)
