"""Wiring of gan_training."""

from kedro.pipeline import Node, Pipeline

from understudy.pipelines.gan_training.nodes import synthesise_faces, train_generator


def create_pipeline() -> Pipeline:
    """Source faces in, generator and synthetic faces out."""
    return Pipeline(
        [
            Node(
                func=train_generator,
                inputs=[
                    "source_faces",
                    "source_selection",
                    "params:gan_training",
                    "params:size",
                    "params:seed",
                    "gan_checkpoints",
                    "base_checkpoints",
                    "params:provenance",
                ],
                outputs=["generator", "gan_summary", "gan_sample_grid"],
                name="train_generator",
            ),
            Node(
                func=synthesise_faces,
                inputs=["generator", "params:gan_training"],
                outputs="synthetic_faces",
                name="synthesise_faces",
            ),
        ]
    )
