"""The pipelines that `kedro run --pipelines NAME` knows."""

from kedro.pipeline import Pipeline


def register_pipelines() -> dict[str, Pipeline]:
    """All pipelines by name.

    `kedro run` runs the four of the project. `demo` puts the making of demo footage before them. They are named one by
    one, since Kedro's search would look for a package of the name `demo`.
    """
    from understudy.pipelines import data_engineering, deepfake, demo_footage, evaluation, gan_training

    single = {
        "data_engineering": data_engineering.create_pipeline(),
        "gan_training": gan_training.create_pipeline(),
        "evaluation": evaluation.create_pipeline(),
        "deepfake": deepfake.create_pipeline(),
    }
    whole = sum(single.values(), start=Pipeline([]))
    footage = demo_footage.create_pipeline()
    return {"__default__": whole, "demo": footage + whole, "demo_footage": footage, **single}
