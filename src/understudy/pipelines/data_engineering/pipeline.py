"""Wiring of data_engineering."""

from kedro.pipeline import Node, Pipeline

from understudy.pipelines.data_engineering import nodes


def create_pipeline() -> Pipeline:
    """Consent first; then the same steps for the source and for the target."""
    consent = Node(
        func=nodes.check_consents,
        inputs=["source_footage", "target_footage"],
        outputs="consents",
        name="check_consents",
    )
    sets = Node(
        func=nodes.choose_variety_sets,
        inputs=["source_faces", "source_selection", "params:seed"],
        outputs="source_variety_sets",
        name="choose_source_variety_sets",
    )
    export = Node(
        func=nodes.export_faces,
        inputs=["source_faces", "source_selection", "params:data_engineering"],
        outputs="source_export",
        name="export_source_faces",
    )
    return Pipeline([consent, *_person("source"), *_person("target"), sets, export])


def _person(who: str) -> list[Node]:
    return [
        Node(
            func=nodes.probe_clips,
            inputs=[f"{who}_footage", "consents"],
            outputs=f"{who}_clips",
            name=f"probe_{who}_clips",
        ),
        Node(
            func=nodes.find_wanted,
            inputs=[f"{who}_footage", f"{who}_clips", "params:data_engineering"],
            outputs=f"{who}_person",
            name=f"find_{who}_person",
        ),
        Node(
            func=nodes.plan_faces,
            inputs=[
                f"{who}_footage",
                f"{who}_clips",
                f"{who}_person",
                "params:data_engineering",
                "params:size",
                "params:parallel",
            ],
            outputs=f"{who}_faces",
            name=f"extract_{who}_faces",
        ),
        Node(
            func={"source": nodes.select_source_faces, "target": nodes.select_target_faces}[who],
            inputs=[f"{who}_faces", "params:data_engineering", "params:seed"],
            outputs=f"{who}_selection",
            name=f"select_{who}_faces",
        ),
        Node(
            func=nodes.draw_sheets,
            inputs=[f"{who}_faces", f"{who}_selection", f"params:{who}"],
            outputs=[f"{who}_contact_sheet", f"{who}_rejected_sheet"],
            name=f"draw_{who}_contact_sheets",
        ),
        Node(
            func=nodes.draw_expression_coverage,
            inputs=[f"{who}_faces", f"{who}_selection", f"params:{who}"],
            outputs=[f"{who}_expression_plot", f"{who}_expression_picture"],
            name=f"draw_{who}_expressions",
        ),
        Node(
            func=nodes.summarise_faces,
            inputs=[f"{who}_faces", f"{who}_clips", f"{who}_selection"],
            outputs=[f"{who}_faces_summary", f"{who}_clip_table"],
            name=f"summarise_{who}_faces",
        ),
    ]
