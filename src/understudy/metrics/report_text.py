"""The report's words: the sentence at the top, the cards, the limits, what is missing."""

from typing import Any

from understudy.metrics.formats import ABSENT, at, number, percent

NAMES = {
    "identity": "Recognition",
    "distance": "Distances of all pairs",
    "openface": "OpenFace distances",
    "variety": "Monotone and varied footage",
    "frechet": "Distances between the sets",
    "inception": "Inception Score, FID, KID",
    "copies": "Copies of filmed frames",
    "coverage": "Expression coverage",
    "detectability": "Detectability",
    "years_apart": "Pictures years apart",
}
"""What each measure is called on the page."""


def lead(scores: dict[str, Any]) -> str:
    """The result in one or two sentences."""
    figures, name = scores["identity"], scores["source"]
    if at(figures, "matched_share") is None:
        return str(scores["missing"].get("identity", "The synthetic faces could not be compared with the originals."))
    return (
        f"{figures['matched']} of {figures['synthetic']} synthetic faces are recognised as {name}, "
        f"{figures['unmatched']} as somebody else, and {figures['faceless']} show no face that the detector finds."
    )


def headline(scores: dict[str, Any]) -> list[dict[str, str]]:
    """The cards: name, value, what stands beside it."""
    ratio, fid = at(scores, "frechet.ratio"), at(scores, "inception.fid")
    floor = f"floor {number(at(scores, 'inception.fid_equal_floor'), 1)} at N = {at(scores, 'inception.fid_equal_n')}"
    cards = [
        _card("Recognised", percent(at(scores, "identity.matched_share")), _interval(scores, "matched")),
        _card("No face", percent(at(scores, "identity.faceless_share")), _interval(scores, "faceless")),
        _card(
            "Fréchet distance of faces",
            number(at(scores, "frechet.distance")),
            "too few faces" if ratio is None else f"{ratio:.1f} times its floor at N = {at(scores, 'frechet.n')}",
        ),
    ]
    quality = at(scores, "detectability.quality")
    if quality is not None:
        cards.append(_card("Not told from filmed", number(quality, 2), "by probes: 1 is chance, 0 is always told"))
    cards.append(_card("FID", number(fid, 1), "see Not measured, below" if fid is None else floor))
    return cards


def limits(scores: dict[str, Any]) -> list[str]:
    """What to keep in mind when reading the figures."""
    tolerance = at(scores, "identity.tolerance")
    rule = f"at most {tolerance:g}" if tolerance is not None else "at most the tolerance"
    return [
        "A synthetic face is recognised when its distance to the medoid original, the one nearest to all others, is "
        f"{rule}. The nearest of all originals is a milder rule, given too.",
        "Filmed crops are judged in the same way as synthetic ones: found anew in the crop, by the same detector and "
        "network. What they score is the best that a generator can be expected to reach.",
        "Fréchet distances grow as N shrinks, so each stands beside its floor: filmed faces against other filmed "
        "faces at the same N. A ratio of 1 means that the two cannot be told apart by this measure.",
        "Frames of one clip resemble each other, which makes the floor of random halves low. The floor between "
        "clips, where there are several, is the fairer one.",
        "Precision and recall judge a point by its neighbours: they depend on N, and frames of one clip raise what "
        "filmed faces score against each other.",
        "Ranges in brackets are 95 % intervals. ± is the standard deviation over random draws or splits.",
    ]


def missing(scores: dict[str, Any]) -> list[tuple[str, str]]:
    """What was not measured: its name, and why."""
    return [(_name(key), reason) for key, reason in scores["missing"].items()]


def _name(key: str) -> str:
    measure, _, part = key.partition(".")
    name = NAMES.get(measure, measure.replace("_", " ").capitalize())
    return f"{name}: {part.replace('_', ' ').replace('.', ', ')}" if part else name


def _card(name: str, value: str, beside: str) -> dict[str, str]:
    return {"name": name, "value": value, "beside": beside, "absent": "absent" if value == ABSENT else ""}


def _interval(scores: dict[str, Any], kind: str) -> str:
    figures = scores["identity"]
    if at(figures, f"{kind}_low") is None:
        return "no face to compare"
    return f"{100 * figures[f'{kind}_low']:.0f} to {100 * figures[f'{kind}_high']:.0f} %, N = {figures['synthetic']}"
