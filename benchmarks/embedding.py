"""Faces a second of the 128-d embedding: ours in torch against dlib's own call, on the same chips in the same run.

    python benchmarks/embedding.py [--chips 48] [--rounds 3]

The rounds alternate, so that a busy machine slows both alike. The last number printed is the ratio of the medians.
"""

import argparse
import time
from statistics import median

import cv2
import dlib
import numpy as np
import skimage.data
import torch

from understudy.faces.detect import largest_face
from understudy.faces.embedding import FaceEmbedder, chip
from understudy.faces.identity import distances
from understudy.faces.landmarks import predict5
from understudy.faces.models import model_path


def make_chips(count: int) -> np.ndarray:
    """Chips of one portrait, turned and brightened differently, RGB uint8 (count, 150, 150, 3)."""
    portrait = skimage.data.astronaut()
    face = largest_face(portrait)
    if face is None:
        raise RuntimeError("no face was found in scikit-image's portrait")
    landmarks = predict5(portrait, face.box)
    chips = []
    for number in range(count):
        turn = cv2.getRotationMatrix2D(face.centre, number % 21 - 10, 1)
        gain = 0.7 + 0.5 * number / count
        image = np.clip(cv2.warpAffine(portrait, turn, (512, 512)) * gain, 0, 255).astype(np.uint8)
        chips.append(chip(image, landmarks))
    return np.stack(chips)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    chips = make_chips(arguments.chips)
    ours = FaceEmbedder()
    theirs = dlib.face_recognition_model_v1(str(model_path("embedding")))
    mine = ours.embed_chips(chips)  # also warms up
    theirs.compute_face_descriptor(chips[0])
    speeds: dict[str, list[float]] = {"dlib": [], "torch": []}
    reference = mine
    for _ in range(arguments.rounds):
        start = time.perf_counter()
        reference = np.array([theirs.compute_face_descriptor(image) for image in chips], np.float32)
        speeds["dlib"].append(len(chips) / (time.perf_counter() - start))
        start = time.perf_counter()
        ours.embed_chips(chips)
        speeds["torch"].append(len(chips) / (time.perf_counter() - start))
    print(f"{len(chips)} chips, {torch.get_num_threads()} threads")
    print(f"{'':8}{'faces/s':>10}{'range':>18}")
    for name, values in speeds.items():
        print(f"{name:8}{median(values):10.1f}{min(values):10.1f} -{max(values):6.1f}")
    pairs = np.abs(distances(mine, mine) - distances(reference, reference)).max()
    print(f"largest difference of a vector {np.abs(mine - reference).max():.1e}, of a pair's distance {pairs:.1e}")
    print(f"times dlib: {median(speeds['torch']) / median(speeds['dlib']):.1f}")


if __name__ == "__main__":
    main()
