"""The tables of the page about a swap: its figures, what the same measure finds in the clip, and peers."""

from typing import Any

from understudy.metrics.formats import ABSENT, at, between, number, percent, plus
from understudy.metrics.report_rows import Group, Row, entry, group
from understudy.metrics.swap_peers import PEERS

ORIGINAL = "The clip itself"
FLOOR = "Coding alone"
"""The clip against the clip coded once more, as the swap is."""


def table_groups(quality: dict[str, Any], reconstruction: dict[str, Any], detected: dict[str, Any]) -> list[Group]:
    """The tables that have something to show."""
    groups = [_identity(quality), _motion(quality), _flicker(quality), _changes(quality)]
    groups += [_reconstruction(reconstruction), _detectability(detected)]
    return [found for found in groups if any(row["ours"] != ABSENT for row in found["rows"])]


def _identity(quality: dict[str, Any]) -> Group:
    found = quality["judged"] > quality["faceless"]
    retrieval = ", ".join(f"{peer.name} {percent(peer.retrieval)}" for peer in PEERS if peer.retrieval)
    rows = [
        entry("Nearer to the source", "Frames whose face is nearer to the source than to the target.",
              percent(quality["nearer_to_source"] if found else None)),
        entry("First of all people", f"Nearest to the source among it, the target and {quality['distractors']} "
              "strangers.", percent(quality["rank_1"] if found else None), "", retrieval),
        entry("Distance to the source", "Mean and median of face_recognition's distance; 0.6 counts as the same.",
              _both(quality, "distance_to_source"), number(quality["original_to_source"])),
        entry("Distance to the target", "Mean and median.", _both(quality, "distance_to_target"),
              number(quality["original_to_target"])),
        entry("Margin", "How much nearer the source is than the target, on average.", number(quality["margin"])),
        entry("OpenFace: nearer to the source", "By a second network, in squared distances.",
              percent(at(quality, "openface.nearer_to_source"))),
        entry("OpenFace: distances", "Median to the source and to the target.", _pair(
            at(quality, "openface.distance_to_source"), at(quality, "openface.distance_to_target"))),
        entry("Frames without a face", "In which the detector finds none.",
              f"{quality['faceless']} of {quality['judged']}",
              f"{quality['faceless_in_original']} of {quality['judged']}"),
    ]  # fmt: skip
    return group("Whose face is it?", "the rendered video, found and embedded afresh", ORIGINAL, rows)


def _motion(quality: dict[str, Any]) -> Group:
    poses = ", ".join(f"{peer.name} {peer.pose:.2f}°" for peer in PEERS if peer.pose)
    rows = [
        entry("Head pose", "Mean length of the difference in yaw, pitch and roll.",
              _degrees(at(quality, "pose.combined")), _degrees(at(quality, "pose_floor.combined")), poses),
        entry("Head pose, centred", "Without the constant offset: pitch from landmarks depends on the face too.",
              _degrees(at(quality, "pose.centred")), _degrees(at(quality, "pose_floor.centred"))),
        entry("Yaw, pitch, roll", "Mean absolute differences.", _angles(at(quality, "pose")),
              _angles(at(quality, "pose_floor"))),
        entry("Landmarks", "Mean distance of all 68, in per cent of the distance of the eyes.",
              percent(at(quality, "landmark_error")), percent(at(quality, "landmark_error_floor"))),
        *[row for name, title in (("mouth", "Mouth"), ("eyes", "Eyes")) for row in (
            entry(f"{title}: correlation", "Of the opening over time with the clip's; 1 is the same movement.",
                  number(at(quality, f"{name}.correlation"), 2), number(at(quality, f"{name}.correlation_floor"), 2)),
            entry(f"{title}: amplitude", "How far it opens, as a share of the clip's.",
                  percent(at(quality, f"{name}.amplitude"), 0), percent(at(quality, f"{name}.amplitude_floor"), 0)))],
    ]  # fmt: skip
    method = f"{quality['consecutive']} frames in a row, landmarks of both videos found independently"
    return group("Does it move as the clip does?", method, FLOOR, rows)


def _flicker(quality: dict[str, Any]) -> Group:
    rows = [
        entry("Landmarks", "Second difference over time, as a multiple of the clip's.",
              _times(at(quality, "flicker.landmarks")), _times(at(quality, "flicker.landmarks_floor"))),
        entry("Picture", "Change of the face from frame to frame, as a multiple of the clip's; less is smoother.",
              _times(at(quality, "flicker.picture")), _times(at(quality, "flicker.picture_floor"))),
    ]  # fmt: skip
    return group("Does it tremble?", "the same frames", FLOOR, rows)


def _changes(quality: dict[str, Any]) -> Group:
    rows = [
        entry("Far from the face", "Mean change of colour, of 255. A watermark and coding reach the whole picture.",
              number(quality["change_outside_face"], 2), number(quality["change_outside_face_floor"], 2)),
        entry("Around the face", "Hair, ears, neck and what is beside them: nothing should change.",
              number(quality["change_around_face"], 2), number(quality["change_around_face_floor"], 2)),
    ]  # fmt: skip
    return group("Is the rest left alone?", "outside of the hull of the landmarks, label left out", FLOOR, rows)


def _reconstruction(figures: dict[str, Any]) -> Group:
    ssim = ", ".join(f"{peer.name} {peer.ssim:.2f}" for peer in PEERS if peer.ssim)
    names = (("ssim", "Structural similarity", "1 is the same picture.", 3), ("psnr", "PSNR", "Decibels.", 1),
             ("perceptual", "Perceptual distance", "0 is the same picture; not LPIPS's scale.", 4))  # fmt: skip
    rows: list[Row] = [
        entry(title, meaning, plus(figures.get(name), figures.get(f"{name}_std"), digits),
              number(figures.get(f"other_{name}"), digits), ssim if name == "ssim" else "")
        for name, title, meaning, digits in names
    ]  # fmt: skip
    method = f"{figures.get('faces', 0)} filmed faces of the source that never taught; {figures.get('network', '')}"
    return group("Can the decoder draw the source?", method, "Another face of the source", rows)


def _detectability(figures: dict[str, Any]) -> Group:
    rows = [
        entry(title, f"AUC: 0.5 is chance. Equal error rate {percent(at(figures, f'{name}.eer'))}.",
              _auc(at(figures, name)), _auc(at(figures, f"control.{name}")))
        for name, title in (("spectrum", "Power spectrum"), ("cnn", "Small network"))
    ]  # fmt: skip
    method = (
        f"{figures.get('faces', 0)} frames of each, {figures.get('folds', 0)} folds by block of time; made equal: "
        f"{figures.get('equalised', '')}; left as it is: {figures.get('not_equalised', '')}"
    )
    return group("Can it be told from the clip?", method, "Control: the clip from itself", rows)


def _auc(part: dict[str, Any] | None) -> str:
    if not part or part.get("auc") is None:
        return ABSENT
    return f"{part['auc']:.3f} {between(part.get('auc_low'), part.get('auc_high'), 1, 3)}"


def _both(quality: dict[str, Any], name: str) -> str:
    return _pair(quality[f"{name}_mean"], quality[name])


def _pair(first: float | None, second: float | None) -> str:
    return ABSENT if first is None or second is None else f"{first:.3f} · {second:.3f}"


def _degrees(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.2f}°"


def _angles(pose: dict[str, float | None] | None) -> str:
    values = [(pose or {}).get(name) for name in ("yaw", "pitch", "roll")]
    return ABSENT if None in values else " · ".join(_degrees(value) for value in values)


def _times(ratio: float | None) -> str:
    return ABSENT if ratio is None else f"{ratio:.2f} ×"
