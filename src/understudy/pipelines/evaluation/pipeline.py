"""Wiring of the `evaluation` pipeline. `--tags identity|frechet|inception|report` runs a part."""

from kedro.pipeline import Node, Pipeline

from understudy.metrics.scores import collect
from understudy.pipelines.evaluation import nodes

FACES = ["synthetic_faces", "original_faces"]
MEASURES = ["identity_scores", "distance_scores", "frechet_scores", "inception_scores"]
SETTINGS = "params:evaluation"


def create_pipeline() -> Pipeline:
    """Judge `synthetic_faces` against `source_faces`; scores, pictures and the report."""
    return Pipeline(
        [
            Node(
                func=nodes.describe_originals,
                inputs=["source_faces", SETTINGS, "params:parallel"],
                outputs="original_faces",
                name="describe_originals",
                tags=["identity", "frechet", "inception"],
            ),
            Node(
                func=nodes.compare_identity,
                inputs=[*FACES, SETTINGS],
                outputs="identity_scores",
                name="compare_identity",
                tags="identity",
            ),
            Node(
                func=nodes.measure_distances,
                inputs=FACES,
                outputs="distance_scores",
                name="measure_distances",
                tags="identity",
            ),
            Node(
                func=nodes.measure_frechet,
                inputs=[*FACES, SETTINGS, "params:seed"],
                outputs="frechet_scores",
                name="measure_frechet",
                tags="frechet",
            ),
            Node(
                func=nodes.measure_inception,
                inputs=[*FACES, SETTINGS, "params:seed"],
                outputs="inception_scores",
                name="measure_inception",
                tags="inception",
            ),
            Node(
                func=nodes.plot_distances,
                inputs=[*FACES, SETTINGS],
                outputs="identity_distance_plot",
                name="plot_distances",
                tags=["identity", "report"],
            ),
            Node(
                func=collect,
                inputs=["params:source", "params:size", *MEASURES],
                outputs="evaluation_scores",
                name="collect_scores",
                tags="report",
            ),
            Node(
                func=nodes.draw_pictures,
                inputs=[*FACES, SETTINGS],
                outputs="evaluation_pictures",
                name="draw_pictures",
                tags="report",
            ),
            Node(
                func=nodes.write_report,
                inputs=["evaluation_scores", *FACES, SETTINGS],
                outputs="evaluation_report",
                name="write_report",
                tags="report",
            ),
        ]
    )
