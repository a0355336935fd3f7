"""Glue between the catalog and `understudy.faces`."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from understudy.config import parse
from understudy.datasets.faceset import Shard, ShardPlan
from understudy.datasets.measure import Measure
from understudy.faces.config import FacesConfig
from understudy.faces.export import ExportPlan, plan_export
from understudy.faces.faceset import Faceset
from understudy.faces.person import find_person, find_reference, person_key
from understudy.faces.plan import plan_extraction, refuse_absent
from understudy.faces.plots import draw_coverage, measure_coverage, plot_coverage
from understudy.faces.selection import Selection, select, variety_sets
from understudy.faces.sheet import contact_sheet, rejected_sheet
from understudy.faces.summary import summarise
from understudy.parallel import ParallelConfig
from understudy.progress import track
from understudy.provenance.consent import NEEDS, check
from understudy.video.footage import Footage
from understudy.video.probe import probe

Parameters = dict[str, Any]
Records = list[dict[str, Any]]


def check_consents(source: Footage, target: Footage) -> dict[str, Any]:
    """Read the consent records of both people; nothing goes on without them."""
    return {
        who: check(footage.folder, footage.name, NEEDS[who]).as_dict()
        for who, footage in {"source": source, "target": target}.items()
    }


def probe_clips(footage: Footage, consents: dict[str, Any]) -> Records:
    """Describe each clip. `consents` is asked for so that no frame is looked at before it was read."""
    del consents
    return [probe(path).record() for path in track(footage.clips, f"Reading the clips of {footage.name}")]


def find_wanted(footage: Footage, clips: Records, parameters: Parameters) -> Measure:
    """Find out who is to be followed."""
    config = _config(parameters)
    reference = find_reference(footage.folder)
    return Measure(
        key=person_key([clip["sha256"] for clip in clips], config, reference),
        make=partial(find_person, footage, clips, config, reference),
    )


def plan_faces(
    footage: Footage, clips: Records, person: dict[str, Any], parameters: Parameters, size: int, parallel: Parameters
) -> ShardPlan:
    """Plan the extraction of the faces of the person wanted, a shard a segment."""
    pieces = plan_extraction(footage, clips, size, _config(parameters), person)
    names = [segment.path.name for _, segment, _ in pieces]
    return ShardPlan(
        description=f"Cutting out the faces of {footage.name} (frames)",
        shards=[
            Shard(key, make, weight=segment.frames, name=f"{segment.path} from frame {segment.first_frame} on")
            for key, segment, make in pieces
        ],
        parallel=parse(ParallelConfig, parallel, "parallel"),
        accept=partial(refuse_absent, person, str(footage.folder), names),
    )


def select_source_faces(faces: Faceset, parameters: Parameters, seed: int) -> Selection:
    """Judge the faces, and choose those that teach."""
    return select(faces, _config(parameters).selection, seed)


def select_target_faces(faces: Faceset, parameters: Parameters, seed: int) -> Selection:
    """Judge the faces; `count` and `variety` are meant for the source."""
    return select(faces, replace(_config(parameters).selection, count=None, variety="all"), seed)


def choose_variety_sets(faces: Faceset, selection: Selection, seed: int) -> dict[str, Any]:
    """The faces that differ least and most: the sets of the paper's first table."""
    return variety_sets(faces, selection, seed)


def export_faces(faces: Faceset, selection: Selection, parameters: Parameters) -> ExportPlan:
    """Export the kept faces for other programs, if that is asked for."""
    selection.check(faces)
    return plan_export(faces, selection.rows, _config(parameters).export)


def draw_sheets(faces: Faceset, selection: Selection, person: str) -> tuple[np.ndarray, np.ndarray]:
    """Draw the kept faces over time, and those that were left out with the reason under each."""
    return contact_sheet(faces, selection, person), rejected_sheet(faces, selection, person)


def draw_expression_coverage(faces: Faceset, selection: Selection, person: str) -> tuple[go.Figure, np.ndarray]:
    """Draw which poses and expressions there are, for Kedro-Viz and for MLflow."""
    coverage = measure_coverage(faces, selection)
    title = f"{person}: {len(selection.rows)} faces kept"
    return plot_coverage(coverage, title), draw_coverage(coverage, title)


def summarise_faces(faces: Faceset, clips: Records, selection: Selection) -> tuple[dict[str, Any], pd.DataFrame]:
    """Count and measure; the table of clips once more by itself."""
    summary = summarise(faces, clips, selection)
    return summary, pd.DataFrame(summary["per_clip"])


def _config(parameters: Parameters) -> FacesConfig:
    return parse(FacesConfig, parameters, "data_engineering")
