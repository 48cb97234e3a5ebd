"""Samples whose ground truth is partial: the special flags of the published criterion (spec 8.1).

The text is one sentence per flag. What it leaves open is decided here as follows.

* What a flag does not name stays as it is: weights by confidence, the constant error on sky, and (but for
  camera-only) the cross term and the pose term with its factors from points. So the poses of depth-only and
  single-view data must be true, with translations in the unit of the points; pictures without poses are scenes of one
  frame, whose pose is the identity (`data/processed.py`).
* Depth-only, "mean-centred, divided by mean absolute deviation, ... pooled separately per view": mean and deviation
  are those of one point map of one view of one sample, over its valid pixels, without weights. Prediction and truth
  are each brought to mean 0 and deviation 1. The cross map is compared in the same way, along the axis of camera 0.
* Single-view, "scale-invariant point error": both maps are divided by their own mean distance (at least 1e-6), over
  the valid pixels of one view, without weights, where others share one factor over all views and both maps. Gradient
  flows through the prediction's. Metric samples keep the ordinary error, as "non-metric" says.
* Camera-only: prediction and truth are both divided by z, then every coordinate is clipped. z below 1e-6 counts as
  1e-6, so a point behind the camera lands on the clip and stays an error. The dropped cross term takes its pixels out
  of that term's mean, as if they were invalid; the mean over the 2V terms keeps its 2V, also when a term is empty, so
  that what a sample weighs does not depend on its neighbours. "Pose factors from translations": the plain mean length
  over all frames, at least 1e-3; metric samples divide both sides by the truth's; a camera that stands still is
  skipped, as every sample with a factor of 1e-3 is.
* The minimum of 1e-6 applies to values in the units of the maps, not after division by the norm factor.
* A sample has one flag at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import torch
from torch import Tensor

SMALLEST = 1e-6
# Rays further out than 63 degrees are all alike.
STEEPEST = 2.0


class Flag(IntEnum):
    """What is lacking in the ground truth of a sample; 0 = nothing."""

    NONE = 0
    # Depth up to scale and shift.
    DEPTH_ONLY = 1
    # Points of each view up to a scale of its own.
    SINGLE_VIEW = 2
    # Poses and intrinsics: points stand for their rays, at any depth.
    CAMERA_ONLY = 3

    @property
    def label(self) -> str:
        """The name in layouts and messages, e.g. `depth-only`."""
        return self.name.lower().replace("_", "-")

    @staticmethod
    def named(label: str) -> Flag:
        """The flag of a label."""
        for flag in Flag:
            if flag.label == label:
                return flag
        raise ValueError(f"no flag {label!r}: known are {', '.join(flag.label for flag in Flag)}")


def _view_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean over the valid pixels of each view, `[V, 1, 1]`; 0 for a view without any. `values` are 0 elsewhere."""
    return values.sum((1, 2), keepdim=True) / valid.sum((1, 2), keepdim=True).clamp(min=1)


def _standard_depth(points: Tensor, valid: Tensor) -> Tensor:
    """z of each view with mean 0 and mean absolute deviation 1."""
    z = torch.where(valid, points[..., 2], 0)
    # Twice: what rounding left of a constant would be blown up by the division.
    for _ in range(2):
        z = torch.where(valid, z - _view_mean(z, valid), 0)
    return z / _view_mean(z.abs(), valid).clamp(min=SMALLEST)


def _standard_points(points: Tensor, valid: Tensor) -> Tensor:
    """Points of each view with mean distance 1."""
    points = torch.where(valid[..., None], points, 0)
    return points / _view_mean(points.norm(dim=-1), valid).clamp(min=SMALLEST)[..., None]


def _rays(points: Tensor) -> Tensor:
    """Points at z = 1, within reach."""
    return (points / points[..., 2:].clamp(min=SMALLEST)).clamp(-STEEPEST, STEEPEST)


def flagged_error(
    flag: Flag, error: Tensor, points: Tensor, truth: Tensor, valid: Tensor, metric: Tensor
) -> Tensor:
    """Per-pixel error `[V, H, W]` of one sample: `error` is the ordinary one, the maps are in their own units."""
    if flag is Flag.DEPTH_ONLY:
        return (_standard_depth(points, valid) - _standard_depth(truth, valid)).abs()
    if flag is Flag.SINGLE_VIEW:
        invariant = (_standard_points(points, valid) - _standard_points(truth, valid)).norm(dim=-1)
        return torch.where(metric, error, invariant)
    if flag is Flag.CAMERA_ONLY:
        keep = valid[..., None]
        return (_rays(torch.where(keep, points, 0)) - _rays(torch.where(keep, truth, 0))).norm(dim=-1)
    return error


def flagged_errors(
    flags: Sequence[Flag], error: Tensor, points: Tensor, truth: Tensor, valid: Tensor, metric: Tensor
) -> Tensor:
    """`flagged_error` of every sample, `[B, V, H, W]`."""
    samples = zip(flags, error, points, truth, valid, metric, strict=True)
    return torch.stack([flagged_error(*sample) for sample in samples])


def camera_only(flags: Sequence[Flag], like: Tensor) -> Tensor:
    """Which samples know cameras only, `[B]`."""
    return torch.tensor([flag is Flag.CAMERA_ONLY for flag in flags], device=like.device)


def translation_factor(translations: Tensor) -> Tensor:
    """Mean length over the frames, `[B]`: what normalises the pose of a sample without points."""
    return translations.norm(dim=-1).mean(1).clamp(min=1e-3)
