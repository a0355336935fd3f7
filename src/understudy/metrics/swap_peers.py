"""Published figures of other systems, for the report to stand beside. Measured on other data by other networks."""

from dataclasses import dataclass

NOTE = (
    "FaceForensics++ is 1,000 videos of many people, judged by other networks for identity and pose; these figures are "
    "a landmark and cannot be compared one to one with those of one clip."
)


@dataclass(frozen=True)
class Peer:
    """A system as it was published.

    Args:
        name: of the system.
        data: on which it was measured.
        retrieval: share of frames whose nearest identity is the source's.
        pose: mean difference of the head's pose from the target's, degrees.
        ssim: structural similarity.
        source: where the figures stand.
    """

    name: str
    data: str
    retrieval: float | None
    pose: float | None
    ssim: float | None
    source: str


PEERS = (
    Peer("DeepFaceLab", "FaceForensics++", None, 1.12, 0.73, "DeepFaceLab's paper, as listed on paperswithcode"),
    Peer("DeepFakes (autoencoder)", "FaceForensics++", None, 4.75, 0.71, "the same"),
    Peer("FaceDancer", "FaceForensics++", 0.9857, 2.27, None, "FaceDancer's paper, configuration C"),
    Peer("HifiFace", "FaceForensics++", 0.9848, 2.63, None, "as listed there"),
    Peer("SimSwap++", "FaceForensics++", 0.9755, None, None, "as published"),
)

DETECTORS = (
    "Published detectors tell DeepFakes of FaceForensics++ with an accuracy of 99.59 % (raw), 98.85 % (light "
    "compression) and 94.28 % (strong compression), by Xception trained on hundreds of such videos."
)
