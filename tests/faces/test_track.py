import cv2
import numpy as np

from understudy.faces.config import FacesConfig
from understudy.faces.landmarks import eye_distance
from understudy.faces.track import Tracker, overlap, predict_fine


def luma(frames):
    return [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]


def test_a_moving_face_is_found_in_every_frame_near_where_a_full_search_finds_it(walking):
    frames = luma(walking)
    tracker = Tracker(FacesConfig())
    followed = [tracker.follow(frame) for frame in frames]
    assert all(face is not None for face in followed)
    for frame, face in list(zip(frames, followed, strict=True))[::4]:
        fresh = Tracker(FacesConfig()).follow(frame)
        error = np.linalg.norm(face.landmarks - fresh.landmarks, axis=1).mean() / eye_distance(fresh.landmarks)
        assert error < 0.06


def test_a_still_face_does_not_tremble(walking):
    noise = np.random.default_rng(0)
    still = [np.clip(luma(walking[:1])[0] + noise.normal(0, 2, (320, 320)), 0, 255).astype(np.uint8) for _ in range(12)]
    tracker = Tracker(FacesConfig())
    points = np.stack([tracker.follow(frame).landmarks for frame in still])
    moved = np.linalg.norm(np.diff(points, axis=0), axis=2).mean()
    assert moved < 0.01 * eye_distance(tracker.follow(still[0]).landmarks)


def test_landmarks_do_not_lag_behind_a_moving_face(hopper):
    grey = cv2.cvtColor(hopper, cv2.COLOR_RGB2GRAY)

    def error(places):
        """Mean place of the landmarks across, less the true shift; its bias does not depend on the direction."""
        tracker, across = Tracker(FacesConfig()), []
        for place in places:
            frame = cv2.warpAffine(grey, np.array([[1.0, 0, place], [0, 1, 0]]), (512, 600))
            across.append(tracker.follow(frame).landmarks[:, 0].mean() - place)
        return np.mean(across[2:])

    lags = []
    for step in (6, 10):  # pixels a frame: a tenth of the eyes' distance
        there = step * np.arange(16.0)
        lags.append((error(there[::-1]) - error(there)) / 2)
    assert abs(np.mean(lags)) < 0.7


def test_a_face_that_leaves_is_dropped_and_found_again(walking):
    frames = luma(walking)
    empty = [np.full((320, 320), 128, np.uint8)] * 5
    tracker = Tracker(FacesConfig())
    seen = [tracker.follow(frame) is not None for frame in [*frames[:6], *empty, *frames[6:10]]]
    assert seen == [True] * 6 + [False] * 5 + [True] * 4


def test_a_cut_to_a_face_elsewhere_is_noticed(astronaut, walking):
    before = luma(walking)[:4]
    after = [np.roll(255 - frame, 0) for frame in before]  # negative: another picture, no face
    shifted = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)[:320, 150:470]  # the face at the left border
    tracker = Tracker(FacesConfig())
    for frame in before:
        tracker.follow(frame)
    for frame in after:
        tracker.follow(frame)
    found = tracker.follow(np.ascontiguousarray(shifted))
    assert found is not None and abs(found.found.centre[0] - 73) < 12


def test_the_followed_face_is_kept_when_a_larger_one_appears(astronaut, hopper):
    small = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)[:300, 80:380]
    large = cv2.cvtColor(hopper, cv2.COLOR_RGB2GRAY)[80:380, 100:400]
    alone = np.hstack([small, np.full_like(large, 60)])
    both = np.hstack([small, large])
    tracker = Tracker(FacesConfig(redetect_every=2))
    faces = [tracker.follow(frame) for frame in (alone, alone, both, both, both, both)]
    assert all(face is not None and face.found.centre[0] < 300 for face in faces)
    fresh = Tracker(FacesConfig()).follow(both)
    assert fresh is not None and fresh.found.centre[0] > 300


def test_large_frames_are_searched_too(astronaut):
    grey = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    frame = np.full((900, 1600), 120, np.uint8)
    frame[200:712, 900:1412] = grey  # the face is 88 of 1600 pixels wide: too small for the quick search
    found = Tracker(FacesConfig()).follow(frame)
    assert found is not None and abs(found.found.centre[0] - 1123) < 12


def test_a_face_at_the_border_and_one_that_has_left_do_no_harm(walking):
    frame = luma(walking)[0]
    assert np.isfinite(predict_fine(frame, (-60.0, -60.0, 40.0, 40.0))).all()
    assert np.isfinite(predict_fine(frame, (900.0, 900.0, 1000.0, 1000.0))).all()


def test_overlap():
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == 1 / 3
    assert overlap((0, 0, 1, 1), (2, 2, 3, 3)) == 0


def test_followed_landmarks_do_not_run_away(hopper):
    grey = cv2.cvtColor(hopper, cv2.COLOR_RGB2GRAY)
    tracker = Tracker(FacesConfig())
    sizes = []
    for number in range(45):  # nods and tilts, at one size
        turn = cv2.getRotationMatrix2D((268, 244), 5 * np.sin(number / 6), 1)
        turn[1, 2] += 8 * np.sin(number / 9)
        frame = cv2.warpAffine(grey, turn, (512, 600), borderMode=cv2.BORDER_REPLICATE)
        sizes.append(eye_distance(tracker.follow(frame).landmarks))
    assert max(sizes) / min(sizes) < 1.2
