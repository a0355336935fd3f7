"""The report's tables: this run beside its reference and the paper, with what each figure means and what biases it."""

from typing import Any

from understudy.metrics.formats import ABSENT, at, between, known, number, percent, plus, spread, thousand

Row = dict[str, str]
Group = dict[str, Any]


def table_groups(scores: dict[str, Any]) -> list[Group]:
    """The tables: groups of rows with this run's figure, its reference and the paper's."""
    groups = [_table_2(scores), _identity(scores), _variation(scores), _face_space(scores), _pictures(scores)]
    return [group for group in groups if group["rows"]]


def group(title: str, method: str, reference: str, rows: list[Row]) -> Group:
    """A table."""
    return {"title": title, "method": method, "reference": reference, "rows": rows}


def entry(name: str, meaning: str, ours: str, reference: str = "", paper: str = "") -> Row:
    """A row. The reference and the paper's may be empty."""
    return {"name": name, "meaning": meaning, "ours": ours, "reference": known(reference), "paper": paper}


def _table_2(scores: dict[str, Any]) -> Group:
    """The paper's table 2, in its order."""
    ours, paper = scores["identity"], scores["paper"]
    inception, resize = at(scores, "inception") or {}, at(scores, "inception.resize")
    same = f"{at(ours, 'synthetic') or 0} unselected faces"

    def theirs(kind: str) -> str:
        return f"{paper[kind]} of {paper['synthetic']} · {percent(paper[kind] / paper['synthetic'])}"

    other = None
    if at(ours, "originals"):
        other = 1 - ours["originals_matched_share"] - ours["originals_faceless_share"]
    size = f"N = {inception['synthetic']}" if inception.get("synthetic") else "as ImageNet's classes see it"
    rows = [
        entry("Inception Score", f"Clear and varied content, {size}; ± over splits, ddof 1.",
              plus(at(inception, "score"), at(inception, "score_std")),
              plus(at(inception, "real_score"), at(inception, "real_score_std")),
              f"{paper['inception_score']} · variance {paper['inception_score_variance']}"),
        entry("FID", f"Distance from filmed pictures; grows as N shrinks{f'; {resize}' if resize else ''}.",
              number(at(inception, "fid"), 2), _floor(inception),
              f"{paper['fid']} (N and resize not stated)"),
        entry("OpenFace distance", "Squared, mean of all pairs: too small is monotone. Its own network and scale.",
              spread(at(scores, "openface.synthetic.squared_mean"), at(scores, "openface.synthetic.squared_variance")),
              spread(at(scores, "openface.originals.squared_mean"), at(scores, "openface.originals.squared_variance")),
              f"{paper['openface_mean']:.3f} · variance {paper['openface_variance']:.3f}"),
        entry("Recognised", f"The same person, by distance to the medoid original; {same}.", counted(ours, "matched"),
              percent(at(ours, "originals_matched_share")), theirs("matched")),
        entry("Somebody else", "A face, but farther away than the tolerance.", counted(ours, "unmatched"),
              percent(other), theirs("unmatched")),
        entry("No face", "The detector finds none.", counted(ours, "faceless"),
              percent(at(ours, "originals_faceless_share")), theirs("faceless")),
    ]  # fmt: skip
    return group("Table 2: the synthetic faces", "as the paper measured them", "Filmed faces or floor", rows)


def counted(figures: dict[str, Any], kind: str) -> str:
    """So many of so many, as a share with its interval."""
    share = at(figures, f"{kind}_share")
    if share is None:
        return ABSENT
    ends = between(at(figures, f"{kind}_low"), at(figures, f"{kind}_high"))
    return f"{figures[kind]} of {figures['synthetic']} · {percent(share)} {ends}"


def _floor(inception: dict[str, Any]) -> str:
    if inception.get("fid_equal_floor") is None:
        return ""
    return f"floor {inception['fid_equal_floor']:.2f} at N = {inception['fid_equal_n']}"


def _identity(scores: dict[str, Any]) -> Group:
    ours = scores["identity"]
    rows = [
        entry("Recognised by nearest", "By distance to the nearest original: milder, more so the more there are.",
              counted(ours, "matched_by_nearest")),
        entry("Distance to the source", "Median distance to the medoid original: smaller is more alike.",
              number(at(ours, "to_medoid_median")), number(at(ours, "originals_to_medoid_median"))),
        entry("Distance to the nearest original", "Median; near 0 would be copies.",
              number(at(ours, "to_nearest_median"))),
    ]  # fmt: skip
    return group("Is it the same person?", "face_recognition, 128-d embedding", "Filmed faces", rows)


def _variation(scores: dict[str, Any]) -> Group:
    ours, real = at(scores, "distance.synthetic") or {}, at(scores, "distance.originals") or {}
    pairs = [f"{part.get('pairs') or 0:,}" for part in (ours, real)]
    rows = [
        entry("Distance of all pairs", "Mean and variance: near the filmed faces' is a natural variety.",
              spread(at(ours, "l2_mean"), at(ours, "l2_variance")),
              spread(at(real, "l2_mean"), at(real, "l2_variance"))),
        entry("Squared distance", "The same, squared. The paper's is OpenFace's embedding: another scale.",
              spread(at(ours, "squared_mean"), at(ours, "squared_variance")),
              spread(at(real, "squared_mean"), at(real, "squared_variance"))),
        entry("Pairs", "All pairs within each set.", pairs[0], pairs[1]),
    ]  # fmt: skip
    return group("How much do they vary?", "all pairs of 128-d embeddings", "Filmed faces", rows)


def _face_space(scores: dict[str, Any]) -> Group:
    ours = at(scores, "frechet") or {}
    kernel = at(ours, "kernel") or {}
    size = f"N = {ours['n']}" if ours.get("n") else "no N"
    clips = ""
    if ours.get("floor_by_clip") is not None:
        clips = f"; between clips {ours['floor_by_clip']:.4f} (N = {ours['floor_by_clip_n']})"
    rows = [
        entry("Fréchet distance", f"Between the two clouds of faces, at {size}: 0 is the same cloud.",
              plus(ours.get("distance"), ours.get("distance_std"), 4),
              known(plus(ours.get("floor"), ours.get("floor_std"), 4)) + clips),
        entry("Fréchet distance, all faces",
              f"All {ours.get('all_synthetic', 0)} against all {ours.get('all_real', 0)}; smaller by bias alone.",
              number(ours.get("all"), 4)),
        entry("Kernel distance × 1000", "Cubic-kernel discrepancy; unbiased, so its floor is about 0.",
              plus(thousand(kernel.get("distance")), thousand(kernel.get("distance_std"))),
              plus(thousand(kernel.get("floor")), thousand(kernel.get("floor_std")))),
    ]  # fmt: skip
    return group("Are they spread like filmed faces?", "distances between the sets of embeddings", "Floor", rows)


def _pictures(scores: dict[str, Any]) -> Group:
    ours = at(scores, "inception") or {}
    if ours.get("fid") is None:
        return group("As pictures", "InceptionV3", "Floor", [])
    rows = [
        entry("Variance of the Inception Score", "Over the splits.", number(ours.get("score_variance"), 5),
              number(ours.get("real_score_variance"), 5)),
        entry("FID at equal N", f"N = {ours.get('fid_equal_n')}, beside its floor at the same N.",
              plus(ours.get("fid_equal_distance"), ours.get("fid_equal_distance_std"), 2),
              plus(ours.get("fid_equal_floor"), ours.get("fid_equal_floor_std"), 2)),
        entry("KID × 1000", f"Subsets of {ours.get('kid_subset_size')}; unbiased, 0 is the same cloud.",
              plus(thousand(ours.get("kid")), thousand(ours.get("kid_std")), 2)),
    ]  # fmt: skip
    return group("As pictures", "InceptionV3, 2015-12-05", "Floor", rows)
