"""Wiring of deepfake."""

from kedro.pipeline import Node, Pipeline

from understudy.pipelines.deepfake import measuring
from understudy.pipelines.deepfake.nodes import (
    count_swap_frames,
    describe_swap,
    draw_stills,
    render_side_by_side,
    render_swap,
    train_swap,
)

SETTINGS, PROVENANCE = "params:deepfake", "params:provenance"


def create_pipeline() -> Pipeline:
    """Selected synthetic faces and the target's clip in, videos and their figures out."""
    return _making() + measuring.create_pipeline()


def _making() -> Pipeline:
    """From faces to videos."""
    return Pipeline(
        [
            Node(
                func=train_swap,
                inputs=[
                    "selected_faces",
                    "source_faces",
                    "source_selection",
                    "target_faces",
                    "target_selection",
                    SETTINGS,
                    "params:size",
                    "params:seed",
                    "swap_checkpoints",
                    "consents",
                    PROVENANCE,
                ],
                outputs=["swap_model", "swap_summary", "swap_preview"],
                name="train_swap",
            ),
            Node(
                func=describe_swap,
                inputs=["swap_model", "consents", PROVENANCE],
                outputs="swap_origin",
                name="describe_swap",
            ),
            Node(
                func=count_swap_frames,
                inputs=["target_footage", "target_faces", SETTINGS, "params:size"],
                outputs="swap_counts",
                name="count_swap_frames",
            ),
            Node(
                func=render_swap,
                inputs=["swap_model", "target_faces", "target_footage", SETTINGS, "swap_origin", PROVENANCE],
                outputs="swap_video",
                name="render_swap",
            ),
            Node(
                func=render_side_by_side,
                inputs=["target_footage", "swap_video", SETTINGS, "swap_origin", PROVENANCE],
                outputs="side_by_side_video",
                name="render_side_by_side",
            ),
            Node(
                func=draw_stills,
                inputs=["target_footage", "swap_video", SETTINGS, "swap_origin", PROVENANCE],
                outputs="swap_stills",
                name="draw_stills",
            ),
        ]
    )
