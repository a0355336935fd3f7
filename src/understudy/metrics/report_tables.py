"""The report's tables after the paper's: this run beside its reference and the paper."""

from typing import Any

from understudy.metrics.formats import ABSENT, at, number, percent, plus, spread
from understudy.metrics.report_beyond import beyond
from understudy.metrics.report_rows import Group, counted, entry, group


def table_groups(scores: dict[str, Any]) -> list[Group]:
    """The tables: groups of rows with this run's figure, its reference and the paper's. Empty ones are left out."""
    groups = [_table_1(scores), _table_2(scores), _identity(scores), *beyond(scores)]
    return [found for found in groups if found["rows"]]


def _table_1(scores: dict[str, Any]) -> Group:
    """Monotone and varied footage: does the measure see variety at all?"""
    sets, paper = at(scores, "variety") or {}, scores["paper"]
    rows = []
    for name in ("monotone", "varied"):
        ours = sets.get(name) or {}
        pairs = at(ours, "openface.pairs") or at(ours, "dlib.pairs") or 0
        theirs = f"{paper[f'openface_{name}_mean']:.3f} · variance {paper[f'openface_{name}_variance']:.3f}"
        rows += [
            entry(f"{name.capitalize()}, OpenFace",
                  f"Squared distances; {at(ours, 'rows') or 0} filmed frames, {pairs:,} pairs.",
                  spread(at(ours, "openface.squared_mean"), at(ours, "openface.squared_variance")), "", theirs),
            entry(f"{name.capitalize()}, face_recognition", "Plain distances: another network, another scale.",
                  spread(at(ours, "dlib.l2_mean"), at(ours, "dlib.l2_variance")),
                  number(at(ours, "expression_distance"))),
        ]  # fmt: skip
    method = "100 frames that hardly change and 100 that change most, all pairs: the larger gap, the better the measure"
    return group("Table 1: monotone and varied footage", method, "Mean expression distance", rows)


def _table_2(scores: dict[str, Any]) -> Group:
    """The paper's table 2, in its order."""
    ours, paper = scores["identity"], scores["paper"]
    inception, openface = at(scores, "inception") or {}, at(scores, "openface") or {}

    def theirs(kind: str) -> str:
        return f"{paper[kind]} of {paper['synthetic']} · {percent(paper[kind] / paper['synthetic'])}"

    other = None
    if at(ours, "originals"):
        other = 1 - ours["originals_matched_share"] - ours["originals_faceless_share"]
    made = inception.get("synthetic")
    against = f" {made} against {inception['real']}, {inception['resize']}." if made else ""
    floor = inception.get("fid_equal_floor")
    rows = [
        entry("Inception Score", f"Clear and varied content; {f'N = {made}; ' if made else ''}± over splits, ddof 1.",
              plus(inception.get("score"), inception.get("score_std")),
              plus(inception.get("real_score"), inception.get("real_score_std")),
              f"{paper['inception_score']} · variance {paper['inception_score_variance']}"),
        entry("FID", f"Distance from filmed pictures; grows as N shrinks.{against}", number(inception.get("fid"), 2),
              "" if floor is None else f"floor {floor:.2f} at N = {inception['fid_equal_n']}",
              f"{paper['fid']} (N and resize not stated)"),
        entry("OpenFace distance", "Squared, of all pairs: small is monotone. The paper's network and scale.",
              spread(at(openface, "synthetic.squared_mean"), at(openface, "synthetic.squared_variance")),
              spread(at(openface, "originals.squared_mean"), at(openface, "originals.squared_variance")),
              f"{paper['openface_mean']:.3f} · variance {paper['openface_variance']:.3f}"),
        entry("Recognised", "The same person, by distance to the medoid original.", counted(ours, "matched"),
              percent(at(ours, "originals_matched_share")), theirs("matched")),
        entry("Somebody else", "A face, but farther away than the tolerance.", counted(ours, "unmatched"),
              percent(other), theirs("unmatched")),
        entry("No face", "The detector finds none.", counted(ours, "faceless"),
              percent(at(ours, "originals_faceless_share")), theirs("faceless")),
    ]  # fmt: skip
    return group("Table 2: the synthetic faces", "unselected, as the paper measured them", "Filmed faces", rows)


def _identity(scores: dict[str, Any]) -> Group:
    ours, apart = scores["identity"], at(scores, "years_apart") or {}
    rows = [
        entry("Recognised by nearest", "By distance to the nearest original: milder, more so the more there are.",
              counted(ours, "matched_by_nearest")),
        entry("Distance to the source", "Median distance to the medoid original: smaller is more alike.",
              number(at(ours, "to_medoid_median")), number(at(ours, "originals_to_medoid_median"))),
        entry("Distance to the nearest original", "Median; near 0 would be copies.",
              number(at(ours, "to_nearest_median"))),
    ]  # fmt: skip
    if chosen := at(ours, "selected"):
        rows.append(
            entry(
                "Selected faces, recognised",
                f"The {chosen['synthetic']:,} chosen out of a pool for the swap: others than the unselected above.",
                counted(chosen, "matched"),
            )
        )
    if apart.get("measured"):
        same = f"{apart['same']} of {apart['measured']} · {number(apart.get('distance_mean'))}"
        rows.append(entry("Pictures years apart", "Pairs that were supplied: recognised, mean distance.", same))
    for pair in apart.get("pairs") or ():
        if pair.get("distance") is not None:
            openface = pair.get("openface_distance")
            also = "" if openface is None else f" · OpenFace {openface:.3f}"
            verdict = "same person" if pair["same"] else "somebody else"
            rows.append(
                entry(pair["name"], " and ".join(pair["pictures"]), f"{pair['distance']:.3f}{also} · {verdict}")
            )
    if all(row["ours"] == ABSENT for row in rows):
        rows = []
    return group("Is it the same person?", "face_recognition, 128-d embedding", "Filmed faces", rows)
