"""Wiring of the `evaluation` pipeline. `--tags NAME` runs one measure, `--tags report` collects and draws them all."""

from kedro.pipeline import Node, Pipeline

from understudy.metrics.collect import collect
from understudy.metrics.viz import plot_coverage, plot_detectability, plot_thresholds
from understudy.pipelines.evaluation import nodes

FACES = ["synthetic_faces", "original_faces"]
SETTINGS = "params:evaluation"

PROBED = ["copies", "coverage", "detectability"]

MEASURES = ["identity", "distance", "openface", "variety", "frechet", "inception", "years_apart", *PROBED]
"""Each is a tag, a node and the dataset `<name>_scores`; what is listed here is collected for the report."""


def create_pipeline() -> Pipeline:
    """Judge `synthetic_faces` against `source_faces`; scores, pictures and the report."""
    return _measures() + _probes() + _report()


def _measures() -> Pipeline:
    """One node, one measure."""
    return Pipeline(
        [
            Node(
                func=nodes.describe_originals,
                inputs=["source_faces", "source_selection", SETTINGS, "params:parallel"],
                outputs="original_faces",
                name="describe_originals",
                tags=[name for name in MEASURES if name not in {"variety", "years_apart", "detectability"}],
            ),
            Node(
                func=nodes.compare_identity,
                inputs=[*FACES, "selected_faces", SETTINGS],
                outputs="identity_scores",
                name="compare_identity",
                tags="identity",
            ),
            Node(
                func=nodes.measure_distances,
                inputs=FACES,
                outputs="distance_scores",
                name="measure_distances",
                tags="distance",
            ),
            Node(
                func=nodes.measure_openface,
                inputs=[*FACES, SETTINGS],
                outputs="openface_scores",
                name="measure_openface",
                tags="openface",
            ),
            Node(
                func=nodes.measure_variety,
                inputs=["source_faces", "source_variety_sets", SETTINGS],
                outputs="variety_scores",
                name="measure_variety",
                tags="variety",
            ),
            Node(
                func=nodes.measure_years_apart,
                inputs=["source_years_apart", SETTINGS],
                outputs="years_apart_scores",
                name="measure_years_apart",
                tags="years_apart",
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
        ]
    )


def _probes() -> Pipeline:
    """What the paper did not measure: copies, expressions, and whether synthetic faces betray themselves."""
    return Pipeline(
        [
            Node(
                func=nodes.measure_copies,
                inputs=["synthetic_faces", "source_faces", "original_faces", SETTINGS],
                outputs="copies_scores",
                name="measure_copies",
                tags="copies",
            ),
            Node(
                func=nodes.measure_coverage,
                inputs=[*FACES, SETTINGS, "params:seed"],
                outputs="coverage_scores",
                name="measure_coverage",
                tags="coverage",
            ),
            Node(
                func=nodes.measure_detectability,
                inputs=["synthetic_faces", "source_faces", "source_selection", SETTINGS, "params:seed"],
                outputs="detectability_scores",
                name="measure_detectability",
                tags="detectability",
            ),
        ]
    )


def _report() -> Pipeline:
    """What is made of the measures: plots, pictures, the page."""
    figures = {name: f"{name}_scores" for name in MEASURES}
    return Pipeline(
        [
            Node(
                func=nodes.plot_distances,
                inputs=[*FACES, SETTINGS],
                outputs="identity_distance_plot",
                name="plot_distances",
                tags=["identity", "report"],
            ),
            Node(
                func=collect,
                inputs={"source": "params:source", "size": "params:size", **figures},
                outputs="evaluation_scores",
                name="collect_scores",
                tags="report",
            ),
            Node(
                func=plot_thresholds,
                inputs="evaluation_scores",
                outputs="threshold_plot",
                name="plot_thresholds",
                tags="report",
            ),
            Node(
                func=plot_coverage,
                inputs="evaluation_scores",
                outputs="coverage_plot",
                name="plot_coverage",
                tags="report",
            ),
            Node(
                func=plot_detectability,
                inputs="evaluation_scores",
                outputs="detectability_plot",
                name="plot_detectability",
                tags="report",
            ),
            Node(
                func=nodes.draw_pictures,
                inputs=["evaluation_scores", *FACES, "source_faces", SETTINGS],
                outputs="evaluation_pictures",
                name="draw_pictures",
                tags="report",
            ),
            Node(
                func=nodes.write_report,
                inputs=["evaluation_scores", *FACES, "source_faces", SETTINGS],
                outputs="evaluation_report",
                name="write_report",
                tags="report",
            ),
        ]
    )
