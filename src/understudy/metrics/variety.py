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
    rows = np.unique(np.concatenate([np.asarray(sets[name]["rows"], np.int64) for name in SETS]))
    if len(rows) and rows[-1] >= len(source):
        raise UserError(
            f"The set of varied or monotone faces names row {rows[-1]} of a faceset with {len(source)} faces: "
            "run data_engineering again."
        )
    known, seen = _embed(read_crops(source, rows), config)
    figures: dict[str, Any] = {}
    for name in SETS:
        places = np.searchsorted(rows, np.asarray(sets[name]["rows"], np.int64))
        figures[name] = {
            "rows": len(places),
            "expression_distance": sets[name].get("expression_distance"),
            "dlib": pair_figures(known[places]),
            "openface": pair_figures(seen[places]),
        }
    few = [name for name in SETS if figures[name]["dlib"]["l2_mean"] is None]
    return figures | {
        "missing": f"Fewer than two faces were found in the {' and the '.join(few)} set: add footage." if few else None
    }


def _embed(crops: np.ndarray, config: OpenFaceConfig) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of crops (N, S, S, 3) by dlib's network and by OpenFace's, (N, 128) each; NaN where there is none."""
    network = openface_at_hand(config)
    known, seen = np.full((len(crops), 128), np.nan), np.full((len(crops), 128), np.nan)
    with meter("Monotone and varied faces", len(crops)) as shown:
        for start in range(0, len(crops), _PART):
            part = slice(start, start + _PART)
            table = describe_crops(crops[part])
            known[part] = table.column("embedding").to_pylist()
            if network is not None:
                points = np.array(table.column("landmarks").to_pylist(), np.float32).reshape(-1, 68, 2)
                seen[part] = embed_crops(network, crops[part], points, config.batch)
            shown.step(table.num_rows)
    return known, seen
