"""The report's tables beyond the paper: distances between sets, precision, coverage, copies, detectability."""

from typing import Any

from understudy.metrics.formats import at, between, known, number, percent, plus, spread, thousand
from understudy.metrics.report_rows import Group, Row, counted, entry, group

MEASURED = {
    "mouth_open": "Mouth",
    "eye_open": "Eyes",
    "brow_height": "Brows",
    "yaw": "Left and right",
    "pitch": "Up and down",
}


def beyond(scores: dict[str, Any]) -> list[Group]:
    """The tables, empty ones included."""
    return [
        _variation(scores),
        _face_space(scores),
        _pictures(scores),
        _coverage(scores),
        _copies(scores),
        _detectability(scores),
    ]


def _variation(scores: dict[str, Any]) -> Group:
    ours, real = at(scores, "distance.synthetic") or {}, at(scores, "distance.originals") or {}
    pairs = [f"{part.get('pairs') or 0:,}" for part in (ours, real)]
    rows = [
        entry("Distance of all pairs", "Mean and variance: near the filmed faces' is a natural variety.",
              spread(at(ours, "l2_mean"), at(ours, "l2_variance")),
              spread(at(real, "l2_mean"), at(real, "l2_variance"))),
        entry("Squared distance", "The same, squared. Not on the scale of OpenFace's.",
              spread(at(ours, "squared_mean"), at(ours, "squared_variance")),
              spread(at(real, "squared_mean"), at(real, "squared_variance"))),
        entry("Pairs", "All pairs within each set.", pairs[0], pairs[1]),
    ]  # fmt: skip
    return group("How much do they vary?", "all pairs of 128-d embeddings of face_recognition", "Filmed faces", rows)


def _face_space(scores: dict[str, Any]) -> Group:
    ours = at(scores, "frechet") or {}
    kernel = at(ours, "kernel") or {}
    size = f"N = {ours['n']}" if ours.get("n") else "no N"
    rows = [
        entry("Fréchet distance", f"Between the two clouds of faces, at {size}: 0 is the same cloud.",
              plus(ours.get("distance"), ours.get("distance_std"), 4), _floor(ours, 4)),
        entry("Fréchet distance, all faces",
              f"All {ours.get('all_synthetic', 0)} against all {ours.get('all_real', 0)}; smaller by bias alone.",
              number(ours.get("all"), 4)),
        *_infinity("Fréchet distance", ours.get("infinity"), ours.get("infinity_error"), 4),
        entry("Kernel distance × 1000", "Cubic-kernel discrepancy; unbiased, so its floor is about 0.",
              plus(thousand(kernel.get("distance")), thousand(kernel.get("distance_std"))),
              plus(thousand(kernel.get("floor")), thousand(kernel.get("floor_std")))),
        *_precision(ours.get("precision_recall") or {}),
    ]  # fmt: skip
    return group(
        "Are they spread like filmed faces?",
        "in the space of face_recognition's embeddings",
        "Filmed against filmed",
        rows,
    )


def _pictures(scores: dict[str, Any]) -> Group:
    ours = at(scores, "inception") or {}
    if ours.get("fid") is None:
        return group("As pictures", "InceptionV3", "Floor", [])
    equal = {name: ours.get(f"fid_equal_{name}") for name in ("floor", "floor_std", "floor_by_clip", "floor_by_clip_n")}
    rows = [
        entry("Inception Score, other deviations", "Over the splits: ddof 0, and the variance of ddof 1.",
              f"{number(ours.get('score_std_ddof0'), 4)} · variance {number(ours.get('score_variance'), 5)}",
              f"{number(ours.get('real_score_std_ddof0'), 4)} · variance {number(ours.get('real_score_variance'), 5)}"),
        entry("FID at equal N", f"N = {ours.get('fid_equal_n')}, beside its floor at the same N.",
              plus(ours.get("fid_equal_distance"), ours.get("fid_equal_distance_std"), 2), _floor(equal, 2)),
        *_infinity("FID", ours.get("fid_infinity"), ours.get("fid_infinity_error"), 2),
        entry("KID × 1000", f"Subsets of {ours.get('kid_subset_size')}; unbiased, 0 is the same cloud.",
              plus(thousand(ours.get("kid")), thousand(ours.get("kid_std")), 2)),
        *_precision(ours.get("precision_recall") or {}),
    ]  # fmt: skip
    file = str(ours.get("weights_sha256") or "")
    method = f"InceptionV3 of 2015-12-05{f', SHA-256 {file[:12]}…' if file else ''}; {ours.get('resize', '')}"
    return group("As pictures", method, "Filmed against filmed", rows)


def _coverage(scores: dict[str, Any]) -> Group:
    ours = at(scores, "coverage") or {}
    if ours.get("covered") is None:
        return group("Do they cover the expressions?", "", "", [])
    film = ours.get("film") or {}
    rows = [
        entry("Covered", f"Filmed faces with a synthetic one near by; of {ours['originals']} by {ours['synthetic']}.",
              percent(ours["covered"]), percent(film.get("covered"))),
        entry("Mean expression distance", "Of all pairs of synthetic faces; the filmed ones' is beside it.",
              number(ours.get("other_distance")), number(ours.get("distance"))),
    ]  # fmt: skip
    for name, part in (ours.get("measures") or {}).items():
        rows.append(
            entry(
                MEASURED.get(name, name.replace("_", " ")),
                "Share of the filmed range (5–95 %) reached; overlap of the histograms.",
                _reached(part),
                _reached(at(film, f"measures.{name}") or {}),
            )
        )
    method = "mouth, eyes, brows and the turn of the head, from 68 landmarks; a smaller set covers less"
    return group("Do they cover the expressions?", method, "As many filmed faces", rows)


def _reached(part: dict[str, float | None]) -> str:
    inside, overlap = part.get("range"), part.get("overlap")
    return f"{percent(inside, 0)} · overlap {percent(overlap, 0)}" if inside is not None else ""


def _copies(scores: dict[str, Any]) -> Group:
    ours = at(scores, "copies") or {}
    if ours.get("copies_share") is None:
        return group("Are they copies?", "", "", [])
    expected = percent(ours.get("expected_share"), 0)
    rows = [
        entry("Near a filmed frame", f"Nearer by pixels than all but {expected} of filmed faces to other clips.",
              counted(ours, "copies"), f"{expected} expected"),
    ]  # fmt: skip
    for space, name in (("pixels", "Nearest by pixels"), ("embedding", "Nearest by face")):
        part = ours.get(space) or {}
        if part.get("median") is not None:
            rows.append(entry(name, f"Median distance; below {part['limit']:.3f} counts as near: {part['near']} faces.",
                              number(part["median"]), number(part["filmed_median"])))  # fmt: skip
    method = f"nearest of {ours.get('filmed', 0):,} filmed frames, mirrored ones too"
    return group("Are they copies?", method, "Filmed, of other clips", rows)


def _detectability(scores: dict[str, Any]) -> Group:
    ours = at(scores, "detectability") or {}
    rows: list[Row] = []
    for key, name in (("spectrum", "Power spectrum"), ("cnn", "Small network")):
        found, control = at(ours, key) or {}, at(ours, f"control.{key}") or {}
        if found.get("auc") is not None:
            rows.append(entry(name, f"AUC: 0.5 is chance. Equal error rate {percent(found.get('eer'))}.",
                              _auc(found), _auc(control)))  # fmt: skip
    if rows:
        rows.append(
            entry("Quality", "1 - |2 AUC - 1| of the better probe: 1 cannot be told, 0 is always told.",
                  number(ours.get("quality")), number(at(ours, "control.quality"))))  # fmt: skip
    method = f"{ours.get('faces', 0)} of each, {ours.get('folds', 0)} folds by {ours.get('grouped_by', 'clip')}"
    if ours.get("equalised"):
        method += f"; made equal: {ours['equalised']}; left as it is: {ours.get('not_equalised', '')}"
    return group("Can they be told from filmed faces?", method, "Control: filmed from filmed", rows)


def _auc(part: dict[str, Any]) -> str:
    if part.get("auc") is None:
        return ""
    return f"{part['auc']:.3f} {between(part.get('auc_low'), part.get('auc_high'), 1, 3)}"


def _floor(part: dict[str, Any], digits: int) -> str:
    clips = ""
    if part.get("floor_by_clip") is not None:
        clips = f"; between clips {part['floor_by_clip']:.{digits}f} (N = {part['floor_by_clip_n']})"
    return known(plus(part.get("floor"), part.get("floor_std"), digits)) + clips


def _infinity(name: str, value: float | None, error: float | None, digits: int) -> list[Row]:
    if value is None:
        return []
    return [
        entry(f"{name} at endless N", "Extrapolated on 1/N; ± is the fit's error alone.", plus(value, error, digits))
    ]


def _precision(part: dict[str, Any]) -> list[Row]:
    if part.get("precision") is None:
        return []
    where = f"k = {part.get('neighbours')}, N = {part.get('n')}"

    def real(name: str) -> str:
        clips = part.get(f"real_by_clip_{name}")
        between_clips = "" if clips is None else f"; between clips {clips:.3f}"
        return plus(part.get(f"real_{name}"), part.get(f"real_{name}_std")) + between_clips

    return [
        entry("Precision", f"Synthetic faces among filmed ones; {where}.",
              plus(part["precision"], part.get("precision_std")), real("precision")),
        entry("Recall", f"Filmed faces among synthetic ones; {where}.",
              plus(part["recall"], part.get("recall_std")), real("recall")),
    ]  # fmt: skip
