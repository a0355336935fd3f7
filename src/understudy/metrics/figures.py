"""The figures that are worth a dot with an error bar: what each is called, means, and is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from understudy.metrics.paper import PAPER
from understudy.metrics.svg import Dot


@dataclass(frozen=True)
class Figure:
    """One figure, by its dotted key in the scores.

    Args:
        key: such as `identity.matched_share`.
        name: its title.
        meaning: one short sentence.
        better: `higher`, `lower`, `filmed` (as near as possible to what filmed faces score) or `chance` (to 0.5).
        ends: keys of a 95 % interval's ends.
        std: key of a standard deviation; the error bar is one of it on each side.
        variance: key of a variance; the error bar is its root on each side.
        reference: key of what filmed faces score.
        reference_ends: keys of its 95 % interval's ends.
        reference_std: key of its standard deviation.
        reference_variance: key of its variance.
        floor: the reference is not a score of filmed faces but filmed faces against other filmed faces.
        paper: the paper's value.
        scale: the shown value is the figure times this.
        digits: decimals of the shown value.
        unit: stands behind it.
    """

    key: str
    name: str
    meaning: str
    better: str
    ends: tuple[str, str] | None = None
    std: str | None = None
    variance: str | None = None
    reference: str | None = None
    reference_ends: tuple[str, str] | None = None
    reference_std: str | None = None
    reference_variance: str | None = None
    floor: bool = False
    paper: float | None = None
    scale: float = 1.0
    digits: int = 3
    unit: str = ""

    def text(self, value: float | None) -> str:
        """The value in words."""
        return "not measured" if value is None else f"{value * self.scale:z.{self.digits}f}{self.unit}"

    def dot(self, name: str, figures: Mapping[str, float]) -> Dot:
        """The row of a dot plot, called `name`, from flat figures; the reference is a hollow dot in it."""
        value = figures.get(self.key)
        low, high = _ends(value, self.ends, _reach(self.std, self.variance, figures), figures)
        return Dot(name, self.text(value), value, low, high, figures.get(self.reference or ""))

    def both(self, figures: Mapping[str, float]) -> list[Dot]:
        """The synthetic faces' row and, where there is a reference, its own."""
        rows = [replace(self.dot("Synthetic faces", figures), reference=None)]
        value = figures.get(self.reference or "")
        if value is not None:
            reach = _reach(self.reference_std, self.reference_variance, figures)
            low, high = _ends(value, self.reference_ends, reach, figures)
            name = "Filmed against filmed" if self.floor else "Filmed faces"
            rows.append(Dot(name, self.text(value), value, low, high, kind="filmed"))
        return rows


def _ends(
    value: float | None, keys: tuple[str, str] | None, reach: float | None, figures: Mapping[str, float]
) -> tuple[float | None, float | None]:
    """The ends of an error bar: an interval's, else one deviation on each side."""
    if keys is not None:
        return figures.get(keys[0]), figures.get(keys[1])
    return (None, None) if value is None or reach is None else (value - reach, value + reach)


def _reach(std: str | None, variance: str | None, figures: Mapping[str, float]) -> float | None:
    """A standard deviation, given as itself or as its square."""
    if std is not None:
        return figures.get(std)
    square = figures.get(variance or "")
    return None if square is None else square**0.5


def _share(key: str, name: str, meaning: str, better: str, paper: float | None = None, real: bool = True) -> Figure:
    measure, kind = key.split(".")
    return Figure(
        f"{key}_share", name, meaning, better, ends=(f"{key}_low", f"{key}_high"), paper=paper,
        reference=f"{measure}.originals_{kind}_share" if real else None,
        reference_ends=(f"{measure}.originals_{kind}_low", f"{measure}.originals_{kind}_high") if real else None,
        scale=100, digits=1, unit=" %",
    )  # fmt: skip


FIGURES = (
    _share("identity.matched", "Recognised", "Faces that are the same person.", "higher",
           PAPER["matched"] / PAPER["synthetic"]),
    _share("identity.faceless", "No face", "Faces in which the detector finds none.", "lower",
           PAPER["faceless"] / PAPER["synthetic"]),
    Figure("identity.to_medoid_median", "Distance to the source", "Median over the synthetic faces.", "lower",
           std="identity.to_medoid_std", reference="identity.originals_to_medoid_median",
           reference_std="identity.originals_to_medoid_std"),
    Figure("distance.synthetic.l2_mean", "Distance of all pairs", "Their variety.", "filmed",
           variance="distance.synthetic.l2_variance", reference="distance.originals.l2_mean",
           reference_variance="distance.originals.l2_variance"),
    Figure("openface.synthetic.squared_mean", "OpenFace distance", "Squared, of all pairs.", "filmed",
           variance="openface.synthetic.squared_variance", reference="openface.originals.squared_mean",
           reference_variance="openface.originals.squared_variance", paper=PAPER["openface_mean"]),
    Figure("frechet.distance", "Fréchet distance of faces", "At equal N, beside its floor.", "lower",
           std="frechet.distance_std", reference="frechet.floor",
           reference_std="frechet.floor_std", floor=True, digits=4),
    Figure("frechet.kernel.distance", "Kernel distance of faces × 1000", "Unbiased: its floor is 0.", "lower",
           std="frechet.kernel.distance_std", reference="frechet.kernel.floor",
           reference_std="frechet.kernel.floor_std", floor=True, scale=1000),
    Figure("frechet.precision_recall.precision", "Precision of faces", "Synthetic among filmed ones.", "higher",
           std="frechet.precision_recall.precision_std", reference="frechet.precision_recall.real_precision",
           reference_std="frechet.precision_recall.real_precision_std", floor=True),
    Figure("frechet.precision_recall.recall", "Recall of faces", "Filmed among synthetic ones.", "higher",
           std="frechet.precision_recall.recall_std", reference="frechet.precision_recall.real_recall",
           reference_std="frechet.precision_recall.real_recall_std", floor=True),
    Figure("coverage.covered", "Expressions covered", "Filmed faces with a synthetic one near by.", "higher",
           reference="coverage.film.covered", scale=100, digits=1, unit=" %"),
    Figure("copies.copies_share", "Near a filmed frame", "By pixels; 1 % is expected.", "lower",
           ends=("copies.copies_low", "copies.copies_high"), scale=100, digits=1, unit=" %"),
    Figure("detectability.spectrum.auc", "Told by the spectrum", "AUC: 0.5 is chance.", "chance",
           ends=("detectability.spectrum.auc_low", "detectability.spectrum.auc_high"),
           reference="detectability.control.spectrum.auc", floor=True,
           reference_ends=("detectability.control.spectrum.auc_low", "detectability.control.spectrum.auc_high")),
    Figure("detectability.cnn.auc", "Told by a small network", "AUC: 0.5 is chance.", "chance",
           ends=("detectability.cnn.auc_low", "detectability.cnn.auc_high"),
           reference="detectability.control.cnn.auc", floor=True,
           reference_ends=("detectability.control.cnn.auc_low", "detectability.control.cnn.auc_high")),
    Figure("inception.score", "Inception Score", "Clear and varied content.", "filmed", std="inception.score_std",
           reference="inception.real_score", reference_std="inception.real_score_std", paper=PAPER["inception_score"]),
    Figure("inception.fid", "FID", "All faces.", "lower", paper=PAPER["fid"], digits=2),
    Figure("inception.fid_equal_distance", "FID at equal N", "Beside its floor.", "lower",
           std="inception.fid_equal_distance_std", reference="inception.fid_equal_floor",
           reference_std="inception.fid_equal_floor_std", floor=True, digits=2),
    Figure("inception.kid", "KID × 1000", "Unbiased.", "lower", std="inception.kid_std", scale=1000),
    Figure("inception.fid_infinity", "FID at endless N", "Extrapolated.", "lower",
           std="inception.fid_infinity_error", digits=2),
    Figure("swap_quality.nearer_to_source", "Swap: nearer to the source", "Frames of the swap.", "higher",
           scale=100, digits=1, unit=" %"),
    Figure("swap_quality.rank_1", "Swap: first of all people", "Frames nearest to the source of all.", "higher",
           scale=100, digits=1, unit=" %"),
    Figure("swap_quality.distance_to_source", "Swap: distance to the source", "Median over frames.", "lower",
           std="swap_quality.identity_std", reference="swap_quality.original_to_source"),
    Figure("swap_quality.distance_to_source_mean", "Swap: mean distance to the source", "Over frames.", "lower",
           std="swap_quality.identity_std"),
    Figure("swap_quality.margin", "Swap: margin", "How much nearer the source is than the target.", "higher"),
    Figure("swap_quality.openface.margin", "Swap: margin by OpenFace", "Squared distances.", "higher"),
    Figure("swap_quality.mouth.correlation", "Swap: mouth follows", "Correlation with the clip's.", "higher",
           reference="swap_quality.mouth.correlation_floor", floor=True, digits=2),
    Figure("swap_quality.mouth.amplitude", "Swap: mouth opens", "As a share of the clip's.", "higher",
           scale=100, digits=0, unit=" %"),
    Figure("swap_quality.eyes.correlation", "Swap: eyes follow", "Correlation with the clip's.", "higher",
           reference="swap_quality.eyes.correlation_floor", floor=True, digits=2),
    Figure("swap_quality.pose.combined", "Swap: head pose error", "Degrees.", "lower",
           reference="swap_quality.pose_floor.combined", floor=True, digits=2),
    Figure("swap_quality.pose.centred", "Swap: head pose error, centred", "Degrees.", "lower",
           reference="swap_quality.pose_floor.centred", floor=True, digits=2),
    Figure("swap_quality.landmark_error", "Swap: landmark error", "Per cent of the distance of the eyes.", "lower",
           reference="swap_quality.landmark_error_floor", floor=True, scale=100, digits=1, unit=" %"),
    Figure("swap_quality.flicker.landmarks", "Swap: flicker", "Landmarks, as a multiple of the clip's.", "lower",
           reference="swap_quality.flicker.landmarks_floor", floor=True, digits=2),
    Figure("swap_quality.change_outside_face", "Swap: change outside the face", "Mean of 0 to 255.", "lower",
           reference="swap_quality.change_outside_face_floor", floor=True, digits=2),
    Figure("swap_quality.change_around_face", "Swap: change around the face", "Mean of 0 to 255.", "lower",
           reference="swap_quality.change_around_face_floor", floor=True, digits=2),
    Figure("swap_reconstruction.ssim", "Swap: unseen faces drawn", "Structural similarity.", "higher",
           std="swap_reconstruction.ssim_std"),
    Figure("swap_reconstruction.psnr", "Swap: unseen faces drawn, PSNR", "Decibels.", "higher",
           std="swap_reconstruction.psnr_std", digits=1),
    Figure("swap_reconstruction.perceptual", "Swap: unseen faces drawn, perceptual", "Distance.", "lower",
           std="swap_reconstruction.perceptual_std", digits=4),
    Figure("swap_detectability.spectrum.auc", "Swap: told by the spectrum", "AUC: 0.5 is chance.", "chance",
           ends=("swap_detectability.spectrum.auc_low", "swap_detectability.spectrum.auc_high"),
           reference="swap_detectability.control.spectrum.auc", floor=True),
    Figure("swap_detectability.cnn.auc", "Swap: told by a small network", "AUC: 0.5 is chance.", "chance",
           ends=("swap_detectability.cnn.auc_low", "swap_detectability.cnn.auc_high"),
           reference="swap_detectability.control.cnn.auc", floor=True),
)  # fmt: skip
"""In the order in which they are shown. A figure that no run holds is left out."""

SWAP = tuple(figure for figure in FIGURES if figure.key.startswith("swap_"))
"""Those of a swap."""

BETTER = {
    "higher": "higher is better",
    "lower": "lower is better",
    "chance": "near chance is better",
    "filmed": "near the filmed faces' is better",
}
