"""Losses and gradients against `golden/tiny_train`, and what the masks mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from test_network import load_tiny

from point3r_train.losses import (
    FIRST_DISTANCE,
    NEAR,
    Targets,
    log_point_loss,
    pose_only_loss,
    reference_loss,
    relative_depth_loss,
)
from point3r_train.model import Prediction
from point3r_train.model.heads import compress

# Relative; the reference's own f32 noise is 2e-6 and 3e-5.
LOSS, GRADIENT = 1e-5, 2e-4


def load_targets(golden: Path, metric: bool) -> Targets:
    t = load_file(golden / "tiny_train/train.safetensors")

    def stack(name: str) -> torch.Tensor:
        return torch.stack([t[f"gt.{v}.{name}"] for v in range(5)], 1)

    return Targets(
        stack("pts3d"), stack("valid_mask") > 0, stack("sky_mask") > 0, stack("camera_pose"), torch.tensor([metric])
    )


@pytest.mark.parametrize("case", ["nonmetric", "metric", "pose_only"])
def test_loss_and_every_gradient_norm_match(golden: Path, case: str) -> None:
    expected = json.loads((golden / "tiny_train/losses.json").read_text())[case]
    stored = load_file(golden / "tiny_train/train.safetensors")
    network = load_tiny(golden)
    images = load_file(golden / "tiny/inputs.safetensors")["images"]
    criterion = pose_only_loss if case == "pose_only" else reference_loss
    loss = criterion(network(images[None]), load_targets(golden, case == "metric"))
    assert abs(loss.total.item() / expected["loss_f64"] - 1) < LOSS
    loss.total.backward()

    norms = next(v for k, v in expected.items() if isinstance(v, dict) and "enc_norm.weight" in v)
    squares = 0.0
    for name, parameter in network.named_parameters():
        norm = 0.0 if parameter.grad is None else parameter.grad.norm().item()
        squares += norm**2
        # Below 1e-7 the reference stores zero, or nothing for a parameter that takes no part.
        want = norms[name] or 0.0
        # A near-zero gradient is the difference of large ones: measured against the largest norm there.
        assert abs(norm - want) <= GRADIENT * want + 1e-6, (name, norm, want)
    total = next(v for k, v in expected.items() if isinstance(v, float) and "grad" in k)
    assert abs(squares**0.5 / total - 1) < GRADIENT
    parameters = dict(network.named_parameters())
    checked = 0
    for key, want in stored.items():
        if key.startswith(f"{case}.grad."):
            found = parameters[key.removeprefix(f"{case}.grad.")].grad
            found = torch.zeros_like(want) if found is None else found
            assert (found - want).norm() <= GRADIENT * want.norm() + 1e-6, key
            checked += 1
    assert checked > 0


def test_pixels_without_truth_do_not_matter(golden: Path) -> None:
    network = load_tiny(golden)
    images = load_file(golden / "tiny/inputs.safetensors")["images"][None, :2]
    targets = load_targets(golden, metric=False)
    two = Targets(targets.points[:, :2], targets.valid[:, :2], targets.sky[:, :2], targets.poses[:, :2], targets.metric)
    broken = torch.where(two.valid[..., None], two.points, torch.nan)
    predictions = network(images)
    with_holes = Targets(broken, two.valid, two.sky, two.poses, two.metric)
    for criterion in (
        lambda truth: reference_loss(predictions, truth).total,
        lambda truth: log_point_loss(predictions, truth).total,
        lambda truth: relative_depth_loss(predictions, truth),
    ):
        clean, holes = criterion(two), criterion(with_holes)
        assert torch.equal(clean, holes)
        network.zero_grad()
        holes.backward(retain_graph=True)
        assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


def test_log_point_loss_does_not_depend_on_the_world(golden: Path) -> None:
    network = load_tiny(golden)
    images = load_file(golden / "tiny/inputs.safetensors")["images"][None, :3]
    t = load_targets(golden, metric=False)
    targets = Targets(t.points[:, :3], t.valid[:, :3], t.sky[:, :3], t.poses[:, :3], t.metric)
    world = t.poses[:, 4:5]
    points = targets.points @ world[:, :, None, :3, :3].transpose(-1, -2) + world[:, :, None, None, :3, 3]
    moved = Targets(points, targets.valid, targets.sky, world @ targets.poses, targets.metric)
    with torch.no_grad():
        predictions = network(images)
        for criterion in (reference_loss, log_point_loss):
            a, b = criterion(predictions, targets).total, criterion(predictions, moved).total
            assert abs(a / b - 1) < 1e-4  # f32 poses are composed and inverted on the way


def test_relative_depth_is_a_mean_ratio_without_the_common_factor() -> None:
    # One row of an image: true depth 1, 1, 1, 2 m and a hole; 2 m comes out as 4, and everything 3 times as far.
    depth = torch.tensor([1.0, 1, 1, 2, 7])
    valid = torch.tensor([True, True, True, True, False])
    points = torch.stack([torch.zeros(5), torch.zeros(5), depth], -1)
    targets = Targets(
        points[None, None, None], valid[None, None, None], ~valid[None, None, None], torch.eye(4)[None, None],
        torch.tensor([False]),
    )  # fmt: skip
    scale = FIRST_DISTANCE / (5 / 4)
    # Above `NEAR` a ratio; chosen so that depth + NEAR has exactly these ratios.
    predicted = 3 * (torch.tensor([1.0, 1, 1, 4, 7]) * scale + NEAR) - NEAR
    raw = compress(torch.stack([torch.zeros(5), torch.zeros(5), predicted], -1)).T[None, :, None]
    raw = torch.cat([raw, torch.zeros_like(raw[:, :1])], 1).requires_grad_()
    nothing = torch.zeros(0)
    prediction = Prediction(nothing, nothing, nothing, nothing, nothing, raw, raw, nothing)
    loss = relative_depth_loss([prediction], targets)
    expected = torch.log(torch.tensor((4 * scale + NEAR) / (2 * scale + NEAR))) / 4
    assert abs(loss - expected) < 1e-5
    loss.backward()
    assert raw.grad[0, 2, 0, 3] > 0
    assert raw.grad[0, :, 0, 4].abs().max() == 0
