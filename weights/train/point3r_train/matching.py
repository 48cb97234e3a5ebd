"""An auxiliary loss for small networks: attention from the second frame to the first should find what it shows.

The pointers that the second frame attends to are the patches of the first one, in order. For every patch centre of
the second frame whose surface the first frame sees, the attention of some decoder blocks, averaged over heads, is
compared with the true place, spread over its four nearest patches.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .losses import Average, Targets, alone

# Decoder blocks whose attention is compared.
BLOCKS = (1, 2)
# Two depths nearer than this share of each other are the same surface.
SAME_DEPTH = 0.08
# Nearest depth that is projected, in units of the scene.
NEAR = 1e-3
FLOOR = 1e-4


def projection(points: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Focal lengths and principal points `[B, 2]` (x, y) of cameras, from what their pixels see `[B, H, W, 3]`."""
    height, width = points.shape[1:3]
    v, u = torch.meshgrid(
        torch.arange(height, dtype=points.dtype, device=points.device),
        torch.arange(width, dtype=points.dtype, device=points.device), indexing="ij",
    )  # fmt: skip
    weight = (valid & (points[..., 2] > NEAR)).to(points.dtype)[..., None]
    slope = points[..., :2] / points[..., 2:].clamp(min=NEAR) * weight
    pixel = torch.stack([u, v], -1)
    count = weight.sum((1, 2)).clamp(min=1)
    mean_slope, mean_pixel = slope.sum((1, 2)) / count, (pixel * weight).sum((1, 2)) / count
    apart = (slope - mean_slope[:, None, None]) * weight
    focal = (apart * (pixel - mean_pixel[:, None, None])).sum((1, 2)) / apart.square().sum((1, 2)).clamp(min=1e-9)
    return focal, mean_pixel - focal * mean_slope


def places(targets: Targets, side: int) -> tuple[Tensor, Tensor]:
    """Where patches of the second frame are in the first: shares `[B, P, P]` of its patches, and whether they are."""
    first, second = targets.world_points()[:, 0], targets.world_points()[:, 1]
    height, width = first.shape[1:3]
    centres = (slice(None), slice(side // 2, None, side), slice(side // 2, None, side))
    point, seen = second[centres].flatten(1, 2), targets.valid[:, 1][centres].flatten(1, 2)
    focal, middle = projection(first, targets.valid[:, 0])
    depth = point[..., 2]
    pixel = point[..., :2] / depth.clamp(min=NEAR)[..., None] * focal[:, None] + middle[:, None]
    nearest = pixel.round().nan_to_num(-1)
    u, v = nearest.unbind(-1)
    seen = seen & (depth > NEAR) & (u >= 0) & (u < width) & (v >= 0) & (v < height)
    index = (v.clamp(0, height - 1) * width + u.clamp(0, width - 1)).long()
    there = first[..., 2].flatten(1).gather(1, index)
    seen = seen & targets.valid[:, 0].flatten(1).gather(1, index)
    seen = seen & ((there - depth).abs() < SAME_DEPTH * depth.abs())

    def shares(position: Tensor, count: int) -> Tensor:
        at = ((position + 0.5) / side - 0.5).clamp(0, count - 1)
        return (1 - (at[..., None] - torch.arange(count, device=at.device)).abs()).clamp(min=0)

    across, down = shares(pixel[..., 0], width // side), shares(pixel[..., 1], height // side)
    return (down[..., :, None] * across[..., None, :]).flatten(2), seen


def matching_loss(attention: list[Tensor], targets: Targets, side: int, average: Average = alone) -> Tensor:
    """Cross entropy of `attention` (per block `[B, 1 + P, P]`, pose token first) with the true places."""
    with torch.no_grad():
        shares, seen = places(targets, side)
        count = average(seen.sum().float()).clamp(min=1)
    blocks = [attention[index][:, 1:].float() for index in BLOCKS if index < len(attention)]
    losses = [(-(shares * (block + FLOOR).log()).sum(-1) * seen).sum() / count for block in blocks]
    return torch.stack(losses).mean()
