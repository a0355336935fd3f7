"""Wiring of `demo_footage`."""

from kedro.pipeline import Node, Pipeline

from understudy.pipelines.demo_footage import nodes


def create_pipeline() -> Pipeline:
    """Two portraits become two people's footage, with consent records that say what they are."""
    return Pipeline(
        [
            Node(
                func=nodes.animate_source,
                inputs=["params:demo_footage", "params:source"],
                outputs="source_footage",
                name="animate_source_portrait",
            ),
            Node(
                func=nodes.animate_target,
                inputs=["params:demo_footage", "params:target"],
                outputs="target_footage",
                name="animate_target_portrait",
            ),
        ]
    )
