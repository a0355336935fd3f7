"""How far drawn faces are from the filmed ones while training goes on: Fréchet distance of face embeddings.

A stand-in for FID that is about the person: the 128-d space of the embedder, a fixed number of faces of fixed seeds,
and no detector. All crops are aligned to the same mean face, so all are cut for the embedder at the same place: where
the landmarks of the filmed ones usually lie. Only values of one training can be compared with each other.
"""

from collections.abc import Sequence

import numpy as np

from understudy.faces.embedding import embed_faces
from understudy.faces.faceset import Faceset
from understudy.gan.data import Filmed
from understudy.gan.generator import Generator
from understudy.gan.synthesis import draw

FIRST_SEED = 1_000_000
"""Of the latents: others than those of the sample that is drawn in the end."""


def usual_landmarks(facesets: Sequence[Faceset]) -> np.ndarray:
    """Median of the landmarks of all faces, (68, 2) in pixels of the crop."""
    found = np.concatenate([faceset.landmarks()[faceset.found()] for faceset in facesets])
    return np.median(found, axis=0)


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Fréchet distance of two Gaussians fitted to features (N, d) and (M, d)."""
    # The trace of the root of C1 C2 is the sum of the singular values of A1 A2^T, where A^T A = C.
    roots = [(x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (a.astype(np.float64), b.astype(np.float64))]
    apart = a.mean(axis=0, dtype=np.float64) - b.mean(axis=0, dtype=np.float64)
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    return float(max(0.0, apart @ apart + sum((root**2).sum() for root in roots) - 2 * shared))


class FaceDistance:
    """Measures a generator against filmed faces; those are embedded at the first measurement.

    Args:
        filmed: the faces that teach.
        landmarks: where all faces are cut for the embedder, (68, 2).
        count: faces on either side, at most as many as were filmed on that side.
    """

    def __init__(self, filmed: Filmed, landmarks: np.ndarray, count: int) -> None:
        self.filmed, self.landmarks, self.count = filmed, landmarks, count
        self._features: np.ndarray | None = None

    def measure(self, generator: Generator) -> float:
        """Squared Fréchet distance to the filmed faces."""
        if self._features is None:
            self._features = self._embed(self.filmed.sample(self.count))
        drawn = draw(generator, range(FIRST_SEED, FIRST_SEED + self.count))
        return frechet(self._features, self._embed(drawn))

    def _embed(self, images: np.ndarray) -> np.ndarray:
        return embed_faces(list(images), [self.landmarks] * len(images))
