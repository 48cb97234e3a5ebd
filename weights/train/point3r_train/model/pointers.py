"""Explicit spatial pointer memory (spec 4.7, 4.8) for a batch of sequences.

A pointer is a world position and a feature. Lists of different lengths are padded; `exists` marks the real rows.
Positions carry no gradient; new features do, and a replaced pointer loses the gradient of its old value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .encoder import Trace

Update = Literal["merge", "concatenate"]


@dataclass(frozen=True)
class Pointers:
    """`positions [batch, M, 3]`, `features [batch, M, C]`, `counts` per sequence; rows past a count are padding."""

    positions: Tensor
    features: Tensor
    counts: tuple[int, ...]

    @property
    def exists(self) -> Tensor | None:
        """`[batch, M]`, or nothing when no row is padding."""
        longest = self.positions.shape[1]
        if all(count == longest for count in self.counts):
            return None
        counts = torch.tensor(self.counts, device=self.positions.device)
        return torch.arange(longest, device=counts.device) < counts[:, None]


def patch_means(points: Tensor, side: int) -> Tensor:
    """Mean point of each patch, `[batch, patches, 3]`, from `[batch, H, W, 3]`."""
    return F.avg_pool2d(points.movedim(-1, 1), side).flatten(2).transpose(1, 2)


def merge(
    positions: Tensor, features: Tensor, new_positions: Tensor, new_features: Tensor, unit: int,
    trace: Trace | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One sequence: patches near a pointer replace it by their mean, the others are appended in patch order."""
    everything = torch.cat([positions, new_positions])
    threshold = ((everything.amax(0) - everything.amin(0)) / unit).norm()
    distances = torch.cdist(new_positions, positions, compute_mode="donot_use_mm_for_euclid_dist")
    distance, nearest = distances.min(1)
    is_new = distance >= threshold
    near = nearest[~is_new]

    hits = torch.zeros(len(positions), device=positions.device).index_add(
        0, near, torch.ones(len(near), device=near.device)
    )
    replaced = (hits > 0)[:, None]
    divisor = hits.clamp(min=1)[:, None]

    def replace(old: Tensor, new: Tensor) -> Tensor:
        total = torch.zeros_like(old).index_add(0, near, new[~is_new].to(old.dtype))
        return torch.cat([torch.where(replaced, total / divisor, old), new[is_new].to(old.dtype)])

    if trace is not None:
        trace.update(
            merge_threshold=threshold[None], merge_nn_dist=distance, merge_nn_index=nearest, merge_is_add=is_new
        )
    return replace(positions, new_positions), replace(features, new_features)


def update(
    old: Pointers | None, new_positions: Tensor, new_features: Tensor, how: Update, unit: int,
    trace: Trace | None = None,
) -> Pointers:  # fmt: skip
    """The memory after a frame with candidates `[batch, patches, ..]`."""
    batch, patches = new_positions.shape[:2]
    if old is None:
        return Pointers(new_positions, new_features, (patches,) * batch)
    positions, features = [], []
    for index, count in enumerate(old.counts):
        mine = (old.positions[index, :count], old.features[index, :count])
        new = (new_positions[index], new_features[index])
        if how == "concatenate":
            p, f = torch.cat([mine[0], new[0]]), torch.cat([mine[1], new[1]])
        else:
            p, f = merge(*mine, *new, unit, trace)
        positions.append(p)
        features.append(f)
    counts = tuple(len(p) for p in positions)
    return Pointers(pad_sequence(positions, batch_first=True), pad_sequence(features, batch_first=True), counts)
