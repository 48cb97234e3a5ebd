"""Training criteria.

`reference_loss` is the published criterion (spec 8.1): confidence-weighted regression of both point maps plus a
capped pose term; samples with partial truth have a flag (`flags.py`). `log_point_loss` is the one our small networks
learn from faster: regression in the compressed space of the raw maps, smooth pose terms on all frames but the first.
`relative_depth_loss` is an addition to it.

Means are over the pixels of the whole batch. In a distributed run `average` makes them means over the pixels of all
processes, so that averaged gradients equal those of one process with the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .flags import Flag, camera_only, flagged_errors, translation_factor
from .model import Prediction
from .model.heads import compress, expand, quaternion_of

# The constant part of the error on sky, where there is no point to compare with.
SKY_ERROR = 2.0
CONFIDENCE_WEIGHT = 0.2
POSE_CAP = 0.3
# Of the first frame's pose in `log_point_loss`.
FIRST_POSE_WEIGHT = 1.0
# What `log_point_loss` scales the mean distance of a sample's first frame to.
FIRST_DISTANCE = 2.0
# Depth below which `relative_depth_loss` counts differences instead of ratios, in the same unit.
NEAR = 0.05

Average = Callable[[Tensor], Tensor]


def alone(value: Tensor) -> Tensor:
    """The average over processes when there is one."""
    return value


@dataclass(frozen=True)
class Targets:
    """Ground truth of a batch: `points [B, V, H, W, 3]` in any world, masks `[B, V, H, W]`, `poses [B, V, 4, 4]`
    camera to that world, `metric [B]`. `sky` pixels are those whose depth is known to be endless. `flags` has an
    entry per sample, or none at all when no sample has a flag."""

    points: Tensor
    valid: Tensor
    sky: Tensor
    poses: Tensor
    metric: Tensor
    flags: tuple[Flag, ...] = ()

    def to(self, device: torch.device) -> Targets:
        """On another device."""
        tensors = (self.points, self.valid, self.sky, self.poses, self.metric)
        return Targets(*(x.to(device, non_blocking=True) for x in tensors), self.flags)

    def relative_poses(self) -> Tensor:
        """Poses in the camera of frame 0."""
        return torch.linalg.inv(self.poses[:, :1]) @ self.poses

    def camera_points(self) -> Tensor:
        """Points in each frame's own camera."""
        return _move(torch.linalg.inv(self.poses), self.points)

    def world_points(self) -> Tensor:
        """Points in the camera of frame 0."""
        inverse = torch.linalg.inv(self.poses[:, :1])
        return _move(inverse.expand_as(self.poses), self.points)


@dataclass(frozen=True)
class Loss:
    """`total` carries the gradient; `terms` are for the log."""

    total: Tensor
    terms: dict[str, Tensor]

    def plus(self, name: str, weight: float, term: Tensor) -> Loss:
        """With another weighted term, logged without its weight."""
        return Loss(self.total + weight * term, self.terms | {name: term.detach()})


def _move(pose: Tensor, points: Tensor) -> Tensor:
    rotation, translation = pose[..., :3, :3], pose[..., :3, 3]
    moved = points.flatten(-3, -2) @ rotation.transpose(-1, -2) + translation[..., None, :]
    return moved.reshape(points.shape)


def _stack(predictions: Sequence[Prediction], name: str) -> Tensor:
    return torch.stack([getattr(p, name).float() for p in predictions], 1)


def _norm_factor(camera: Tensor, world: Tensor, weights: list[Tensor]) -> Tensor:
    """Weighted mean distance of all points of a sample, `[B]`."""
    total = sum((w * p.norm(dim=-1)).flatten(1).sum(1) for p, w in zip((camera, world), weights, strict=True))
    count = sum(w.flatten(1).sum(1) for w in weights)
    return (total / (count + 1e-8)).clamp(min=1e-3)


@dataclass(frozen=True)
class _Normalised:
    """Predictions and targets, and the factor `[B]` that each is divided by."""

    camera: Tensor
    world: Tensor
    confidence: tuple[Tensor, Tensor]
    true_camera: Tensor
    true_world: Tensor
    factor: Tensor
    true_factor: Tensor


def _normalise(predictions: Sequence[Prediction], targets: Targets) -> _Normalised:
    valid = targets.valid
    keep = valid[..., None]
    true_camera = torch.where(keep, targets.camera_points(), 0)
    true_world = torch.where(keep, targets.world_points(), 0)
    camera, world = _stack(predictions, "points_camera"), _stack(predictions, "points_world")
    confidence = (_stack(predictions, "confidence_camera"), _stack(predictions, "confidence_world"))
    weights = [c.detach().log().clamp(min=1e-3) * valid for c in confidence]
    true_factor = _norm_factor(true_camera, true_world, weights)
    factor = torch.where(targets.metric, true_factor, _norm_factor(camera, world, weights))
    return _Normalised(camera, world, confidence, true_camera, true_world, factor, true_factor)


def _pose_term(predictions: Sequence[Prediction], targets: Targets, n: _Normalised, average: Average) -> Tensor:
    """Distance of translations and of quaternions, mean over samples and frames; not capped."""
    pose = _stack(predictions, "camera_pose")
    true = targets.relative_poses()
    factor, true_factor = n.factor, n.true_factor
    if any(targets.flags):
        flagged = camera_only(targets.flags, factor)
        moved = translation_factor(true[..., :3, 3])
        found = torch.where(targets.metric, moved, translation_factor(pose[..., :3]))
        factor, true_factor = torch.where(flagged, found, factor), torch.where(flagged, moved, true_factor)
    translation = pose[..., :3] / factor[:, None, None] - true[..., :3, 3] / true_factor[:, None, None]
    rotation = pose[..., 3:] - quaternion_of(true[..., :3, :3])
    counted = ((factor > 1e-3) & (true_factor > 1e-3)).float()
    count = average(counted.sum()).clamp(min=1e-8) * pose.shape[1]
    return ((translation.norm(dim=-1) + rotation.norm(dim=-1)) * counted[:, None]).sum() / count


def reference_loss(predictions: Sequence[Prediction], targets: Targets, average: Average = alone) -> Loss:
    """The published criterion: 2 x mean over views and kinds + 5 x min(pose, 0.3)."""
    n = _normalise(predictions, targets)
    sky = targets.sky & ~targets.valid
    seen_camera = seen_world = (targets.valid | sky).float()
    if any(targets.flags):
        seen_world = seen_camera * ~camera_only(targets.flags, sky)[:, None, None, None]
    # One average with or without flags: processes must meet equally often, whatever their samples are.
    counts = average(torch.stack([seen.sum((0, 2, 3)) for seen in (seen_camera, seen_world)])).clamp(min=1)
    terms: dict[str, Tensor] = {}
    losses = []
    for kind, points, truth, c, seen, count in (
        ("camera", n.camera, n.true_camera, n.confidence[0], seen_camera, counts[0]),
        ("world", n.world, n.true_world, n.confidence[1], seen_world, counts[1]),
    ):
        difference = points / n.factor[:, None, None, None, None] - truth / n.true_factor[:, None, None, None, None]
        error = difference.norm(dim=-1)
        if any(targets.flags):
            error = flagged_errors(targets.flags, error, points, truth, targets.valid, targets.metric)
        error = torch.where(sky, SKY_ERROR, error)
        weighted = (error * c - CONFIDENCE_WEIGHT * c.log()) * seen
        losses.append(weighted.sum((0, 2, 3)) / count)
        terms[kind] = (error * seen).sum().detach() / count.sum()
    pose = _pose_term(predictions, targets, n, average)
    terms["pose"] = pose.detach()
    # The cap acts by clipping: above it the term is a constant. Whether it holds is decided for all processes alike.
    capped = torch.where(average(pose.detach()) < POSE_CAP, pose, torch.full_like(pose, POSE_CAP))
    return Loss(2 * torch.cat(losses).mean() + 5 * capped, terms)


def pose_only_loss(predictions: Sequence[Prediction], targets: Targets, average: Average = alone) -> Loss:
    """The pose term alone and without its cap, for checks."""
    pose = _pose_term(predictions, targets, _normalise(predictions, targets), average)
    return Loss(pose, {"pose": pose.detach()})


def _first_frame_scale(targets: Targets, camera: Tensor) -> Tensor:
    """`[B]`: what brings the mean distance of the first frame's points to `FIRST_DISTANCE`."""
    distance = (torch.where(targets.valid[:, 0, ..., None], camera[:, 0], 0).norm(dim=-1)).flatten(1).sum(1)
    mean = distance / targets.valid[:, 0].float().flatten(1).sum(1).clamp(min=1)
    return torch.where(mean > 0, FIRST_DISTANCE / mean.clamp(min=1e-6), 1.0)


def log_point_loss(
    predictions: Sequence[Prediction],
    targets: Targets,
    average: Average = alone,
    pose_weight: float = 2.0,
) -> Loss:
    """Both point maps in compressed space, each sample scaled so that its first frame lies `FIRST_DISTANCE` away.

    The pose terms of frame 0, whose pose is the identity, count apart from those of all others. Flags are not known
    here: a run that has them is refused when it starts (`train.check_flags`).
    """
    camera, world = targets.camera_points(), targets.world_points()
    valid = targets.valid.float()
    scale = _first_frame_scale(targets, camera)
    count = average(valid.sum()).clamp(min=1)
    terms: dict[str, Tensor] = {}
    total = torch.zeros((), device=valid.device)
    dense = predictions[0].raw_camera.numel() > 0
    for kind, raw, truth in (("camera", "raw_camera", camera), ("world", "raw_world", world)) if dense else ():
        values = _stack(predictions, raw).movedim(2, -1)
        truth = torch.where(targets.valid[..., None], truth * scale[:, None, None, None, None], 0)
        error = (values[..., :3] - compress(truth)).norm(dim=-1)
        log_odds = values[..., 3].clamp(-6, 5)
        confidence = 1 + log_odds.exp()
        weighted = error * confidence - CONFIDENCE_WEIGHT * confidence.log()
        total = total + (weighted * valid).sum() / count
        terms[kind] = (error * valid).sum().detach() / count
    raw_pose, true = _stack(predictions, "raw_pose"), targets.relative_poses()
    moved = compress(true[..., :3, 3] * scale[:, None, None])
    turned = quaternion_of(true[..., :3, :3])
    quaternion = F.normalize(raw_pose[..., 3:], dim=-1)
    quaternion = torch.where((quaternion * turned).sum(-1, keepdim=True) < 0, -quaternion, quaternion)
    # The first frame's pose is always the identity: among the others it would reward predicting no motion.
    for frames, weight in ((slice(0, 1), FIRST_POSE_WEIGHT), (slice(1, None), pose_weight)):
        if raw_pose[:, frames].shape[1] == 0:
            continue
        translation = 3 * F.smooth_l1_loss(raw_pose[:, frames, :3], moved[:, frames], beta=0.2)
        rotation = 2 * F.smooth_l1_loss(5 * quaternion[:, frames], 5 * turned[:, frames], beta=0.5)
        total = total + weight * (translation + rotation)
    if len(predictions) > 1:
        off = (raw_pose[:, 1:, :3] - moved[:, 1:]).norm(dim=-1) + (quaternion - turned)[:, 1:].norm(dim=-1)
        terms["pose"] = off.mean().detach()
    return Loss(total, terms)


def relative_depth_loss(predictions: Sequence[Prediction], targets: Targets, average: Average = alone) -> Tensor:
    """Mean difference of log depth in the camera's maps, after the best common factor of each image.

    Compressed points grow with 1 + distance, so there a near thing that comes out twice as far costs little; and
    confidence takes weight from what is hard. Here every pixel counts alike, by the ratio alone.
    """
    camera = targets.camera_points()
    scale = _first_frame_scale(targets, camera)
    true = torch.where(targets.valid, camera[..., 2] * scale[:, None, None, None], 1.0)
    depth = expand(_stack(predictions, "raw_camera").movedim(2, -1)[..., :3].float())[..., 2]
    ratio = torch.where(targets.valid, (depth.clamp(min=0) + NEAR).log() - (true + NEAR).log(), torch.nan)
    factor = ratio.detach().flatten(2).nanmedian(-1).values[..., None, None]
    error = torch.where(targets.valid, ratio - factor, 0).abs()
    return error.sum() / average(targets.valid.float().sum()).clamp(min=1)


CRITERIA: dict[str, Callable[..., Loss]] = {"reference": reference_loss, "log_points": log_point_loss}
