"""The report's words and formatted figures: the sentence at the top, the cards, the tables, the limits."""

from typing import Any

ABSENT = "not measured"


def lead(scores: dict[str, Any]) -> str:
    """The result in one or two sentences."""
    figures, name = scores["identity"], scores["source"]
    total = figures["synthetic"]
    if figures["matched_share"] is None:
        return str(scores["missing"].get("identity", "The synthetic faces could not be compared with the originals."))
    return (
        f"{figures['matched']} of {total} synthetic faces are recognised as {name}, {figures['unmatched']} as somebody "
        f"else, and {figures['faceless']} show no face that the detector finds."
    )


def headline(scores: dict[str, Any]) -> list[dict[str, str]]:
    """The cards: name, value, what stands beside it."""
    identity, frechet, inception = scores["identity"], scores["frechet"], scores["inception"]
    ratio = frechet["ratio"]
    cards = [
        {
            "name": "Recognised",
            "value": _percent(identity["matched_share"]),
            "beside": _interval(identity, "matched") or "no face to compare",
        },
        {
            "name": "No face",
            "value": _percent(identity["faceless_share"]),
            "beside": _interval(identity, "faceless") or "no face to compare",
        },
        {
            "name": "Fréchet distance of faces",
            "value": _number(frechet["distance"]),
            "beside": f"{ratio:.1f} times its floor at N = {frechet['n']}" if ratio is not None else "too few faces",
        },
    ]
    fid = inception["fid"]
    beside = f"floor {_number(inception['fid_equal_floor'], 1)} at N = {inception['fid_equal_n']}" if fid else ABSENT
    cards.append({"name": "FID", "value": _number(fid, 1), "beside": beside if fid else "see Not measured, below"})
    return cards


def table_groups(scores: dict[str, Any]) -> list[dict[str, Any]]:
    """The tables: groups of rows with this run's figure, its reference and the paper's."""
    return [_identity(scores), _spread(scores), _face_space(scores), _inception(scores)]


def limits(scores: dict[str, Any]) -> list[str]:
    """What to keep in mind when reading the figures."""
    notes = [
        "A synthetic face is recognised when its distance to the medoid original, the one nearest to all others, is at "
        f"most {scores['identity']['tolerance']:g}. The nearest of all originals is a milder rule, given too.",
        "Filmed crops are judged in the same way as synthetic ones: found anew in the crop, by the same detector and "
        "network. What they score is the best that a generator can be expected to reach.",
        "Fréchet distances grow as N shrinks, so each stands beside its floor: filmed faces against other filmed "
        "faces at the same N. A ratio of 1 means that the two cannot be told apart by this measure.",
        "Frames of one clip resemble each other, which makes the floor of random halves low. The floor between "
        "clips, where there are several, is the fairer one.",
        "Ranges in brackets are 95 % intervals (Wilson). ± is the standard deviation over random draws or splits.",
    ]
    return notes


def _identity(scores: dict[str, Any]) -> dict[str, Any]:
    ours, paper = scores["identity"], scores["paper"]

    def counted(kind: str) -> str:
        if ours[f"{kind}_share"] is None:
            return ABSENT
        return f"{ours[kind]} of {ours['synthetic']} · {_percent(ours[f'{kind}_share'])} {_range(ours, kind)}"

    def theirs(kind: str) -> str:
        return f"{paper[kind]} of {paper['synthetic']} · {_percent(paper[kind] / paper['synthetic'])}"

    other = None
    if ours["originals"]:
        other = 1 - ours["originals_matched_share"] - ours["originals_faceless_share"]
    rows = [
        _entry("Recognised", "The same person, by distance to the medoid original.", counted("matched"),
               _percent(ours["originals_matched_share"]), theirs("matched")),
        _entry("Somebody else", "A face, but farther away than the tolerance.", counted("unmatched"),
               _percent(other), theirs("unmatched")),
        _entry("No face", "The detector finds none.", counted("faceless"),
               _percent(ours["originals_faceless_share"]), theirs("faceless")),
        _entry("Recognised by nearest", "The same, by distance to the nearest original.",
               counted("matched_by_nearest"), "", ""),
        _entry("Distance to the source", "Median distance to the medoid original: smaller is more alike.",
               _number(ours["to_medoid_median"]), _number(ours["originals_to_medoid_median"]), ""),
    ]  # fmt: skip
    return _group("Is it the same person?", "face_recognition, 128-d embedding", "Filmed faces", rows)


def _spread(scores: dict[str, Any]) -> dict[str, Any]:
    ours, real = scores["distance"]["synthetic"], scores["distance"]["originals"]
    paper = scores["paper"]

    def pair(figures: dict[str, Any], name: str) -> str:
        if figures[f"{name}_mean"] is None:
            return ABSENT
        return f"{figures[f'{name}_mean']:.3f} · variance {figures[f'{name}_variance']:.4f}"

    openface = (
        f"OpenFace {paper['openface_mean']:.3f} · variance {paper['openface_variance']:.3f}; "
        f"varied {paper['openface_varied_mean']:.3f} · {paper['openface_varied_variance']:.3f}; "
        f"monotone {paper['openface_monotone_mean']:.3f} · {paper['openface_monotone_variance']:.3f}"
    )
    rows = [
        _entry("Distance of all pairs", "Mean and variance: near the filmed faces' is a natural variety.",
               pair(ours, "l2"), pair(real, "l2"), ""),
        _entry("Squared distance", "The same, squared. The paper's is OpenFace's embedding: another scale.",
               pair(ours, "squared"), pair(real, "squared"), openface),
        _entry("Pairs", "All pairs within each set.", f"{ours['pairs']:,}", f"{real['pairs']:,}", ""),
    ]  # fmt: skip
    return _group("How much do they vary?", "all pairs of 128-d embeddings", "Filmed faces", rows)


def _face_space(scores: dict[str, Any]) -> dict[str, Any]:
    ours = scores["frechet"]
    kernel = ours["kernel"]
    size = f"N = {ours['n']}" if ours["n"] else "no N"
    all_note = f"All {ours['all_synthetic']} against all {ours['all_real']}; smaller than at equal N by bias alone."
    between = ""
    if ours["floor_by_clip"] is not None:
        between = f"; between clips {ours['floor_by_clip']:.4f} (N = {ours['floor_by_clip_n']})"
    rows = [
        _entry("Fréchet distance", f"Between the two clouds of faces, at {size}: 0 is the same cloud.",
               _plus(ours["distance"], ours["distance_std"], 4), _plus(ours["floor"], ours["floor_std"], 4) + between,
               ""),
        _entry("Fréchet distance, all faces", all_note, _number(ours["all"], 4), "", ""),
        _entry("Kernel distance × 1000", "Cubic-kernel discrepancy; unbiased, so its floor is about 0.",
               _plus(_thousand(kernel["distance"]), _thousand(kernel["distance_std"]), 3),
               _plus(_thousand(kernel["floor"]), _thousand(kernel["floor_std"]), 3), ""),
    ]  # fmt: skip
    return _group("Are they spread like filmed faces?", "distances between the sets of embeddings", "Floor", rows)


def _inception(scores: dict[str, Any]) -> dict[str, Any]:
    ours, paper = scores["inception"], scores["paper"]
    if ours["fid"] is None and ours["score"] is None:
        rows = [
            _entry("Inception Score", "Clear and varied content, as ImageNet's classes see it.", ABSENT, "",
                   f"{paper['inception_score']} · variance {paper['inception_score_variance']}"),
            _entry("FID", "Fréchet distance in Inception's space.", ABSENT, "", f"{paper['fid']}"),
        ]  # fmt: skip
        return _group("As pictures", "InceptionV3", "Filmed faces or floor", rows)
    rows = [
        _entry("Inception Score", f"{ours['synthetic']} pictures; ± over splits, ddof 1.",
               _plus(ours["score"], ours["score_std"]), _plus(ours["real_score"], ours["real_score_std"]),
               f"{paper['inception_score']} · variance {paper['inception_score_variance']}"),
        _entry("Its variance", "Over the splits.", _number(ours["score_variance"], 5),
               _number(ours["real_score_variance"], 5), ""),
        _entry("FID", f"{ours['synthetic']} against {ours['real']} pictures, {ours['resize']}.",
               _number(ours["fid"], 2), "", f"{paper['fid']} (N and resize not stated)"),
        _entry("FID at equal N", f"N = {ours['fid_equal_n']}, beside its floor.",
               _plus(ours["fid_equal_distance"], ours["fid_equal_distance_std"], 2),
               _plus(ours["fid_equal_floor"], ours["fid_equal_floor_std"], 2), ""),
        _entry("KID × 1000", f"Subsets of {ours['kid_subset_size']}; unbiased, 0 is the same cloud.",
               _plus(_thousand(ours["kid"]), _thousand(ours["kid_std"]), 2), "", ""),
    ]  # fmt: skip
    return _group("As pictures", "InceptionV3, 2015-12-05", "Filmed faces or floor", rows)


def _group(title: str, method: str, reference: str, rows: list[dict[str, str]]) -> dict[str, Any]:
    return {"title": title, "method": method, "reference": reference, "rows": rows}


def _entry(name: str, meaning: str, ours: str, reference: str, paper: str) -> dict[str, str]:
    return {"name": name, "meaning": meaning, "ours": ours, "reference": reference, "paper": paper}


def _percent(share: float | None) -> str:
    return ABSENT if share is None else f"{100 * share:.1f} %"


def _range(figures: dict[str, Any], kind: str) -> str:
    return f"({100 * figures[f'{kind}_low']:.0f}–{100 * figures[f'{kind}_high']:.0f})"


def _interval(figures: dict[str, Any], kind: str) -> str:
    if figures[f"{kind}_low"] is None:
        return ""
    return f"{100 * figures[f'{kind}_low']:.0f} to {100 * figures[f'{kind}_high']:.0f} %, N = {figures['synthetic']}"


def _number(value: float | None, digits: int = 3) -> str:
    return ABSENT if value is None else f"{value:.{digits}f}"


def _plus(value: float | None, std: float | None, digits: int = 3) -> str:
    if value is None:
        return ABSENT
    return f"{value:.{digits}f}" + (f" ± {std:.{digits}f}" if std is not None else "")


def _thousand(value: float | None) -> float | None:
    return None if value is None else 1000 * value
