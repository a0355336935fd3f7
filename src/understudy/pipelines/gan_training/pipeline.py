"""Wiring of gan_training."""

from kedro.pipeline import Node, Pipeline

from understudy.pipelines.gan_training import variety
from understudy.pipelines.gan_training.nodes import train_generator
from understudy.pipelines.gan_training.registry import register_generator

SETTINGS, SEED, PROVENANCE, PARALLEL = "params:gan_training", "params:seed", "params:provenance", "params:parallel"


def create_pipeline() -> Pipeline:
    """Source faces in, generator and synthetic faces out, and what shows the generator's latent space."""
    return _training() + _faces() + _space()


def _training() -> Pipeline:
    """The generator, and its entry in MLflow's model registry."""
    return Pipeline(
        [
            Node(
                func=train_generator,
                inputs=[
                    "source_faces",
                    "source_selection",
                    SETTINGS,
                    "params:size",
                    SEED,
                    "gan_checkpoints",
                    "base_checkpoints",
                    PROVENANCE,
                ],
                outputs=["generator", "gan_summary", "gan_sample_grid"],
                name="train_generator",
            ),
            Node(
                func=register_generator,
                inputs=["generator", SETTINGS, "params:source"],
                outputs="generator_registration",
                name="register_generator",
            ),
        ]
    )


def _faces() -> Pipeline:
    """The plain sample, which is judged, and the selected one, from which a swap learns."""
    return Pipeline(
        [
            Node(
                func=variety.synthesise_faces,
                inputs=["generator", SETTINGS, PARALLEL],
                outputs="synthetic_faces",
                name="synthesise_faces",
            ),
            Node(
                func=variety.draw_pool,
                inputs=["generator", SETTINGS, PARALLEL],
                outputs="face_pool",
                name="draw_pool",
            ),
            Node(
                func=variety.select_synthetic_faces,
                inputs=["face_pool", "synthetic_faces", "source_faces", "source_selection", SETTINGS, SEED],
                outputs=["selected_faces", "selection_summary"],
                name="select_synthetic_faces",
            ),
        ]
    )


def _space() -> Pipeline:
    """Directions in W, filmed faces in W, and a walk through it."""
    return Pipeline(
        [
            Node(
                func=variety.measure_directions,
                inputs=["generator", SETTINGS, SEED],
                outputs="gan_directions",
                name="measure_directions",
            ),
            Node(
                func=variety.picture_directions,
                inputs=["generator", "gan_directions", SETTINGS, SEED, PROVENANCE],
                outputs="gan_directions_picture",
                name="picture_directions",
            ),
            Node(
                func=variety.project_faces,
                inputs=["generator", "source_faces", "source_selection", SETTINGS, SEED, PROVENANCE],
                outputs=["gan_projections", "gan_projections_picture"],
                name="project_faces",
            ),
            Node(
                func=variety.film_walk,
                inputs=["generator", SETTINGS, PROVENANCE],
                outputs="gan_walk",
                name="film_walk",
            ),
        ]
    )
