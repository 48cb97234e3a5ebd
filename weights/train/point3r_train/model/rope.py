"""Rotary embeddings as tables (spec 3.1, 3.2).

Both kinds are the same linear map `x cos + partner(x) sin` over consecutive chunks of a head; they differ in the
angles. A table covers all tokens of a stream; a row of (1, 0) leaves a token (the pose token) unchanged.
Always f32, also under autocast.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rotary:
    """`cos` and `sin` broadcast against `[batch, heads, tokens, width]`; `chunks` sum to the width."""

    cos: Tensor
    sin: Tensor
    chunks: tuple[int, ...]

    def __call__(self, x: Tensor) -> Tensor:
        """Rotates queries or keys."""
        wide = x.float()
        partner = []
        for chunk in wide.split(self.chunks, -1):
            half = (chunk.shape[-1] + 1) // 2
            partner += [-chunk[..., half:], chunk[..., :half]]
        return (wide * self.cos + torch.cat(partner, -1) * self.sin).to(x.dtype)

    def after_pose_token(self) -> Rotary:
        """The table of a stream whose token 0 has no position."""
        still = torch.ones_like(self.cos[..., :1, :])
        cos = torch.cat([still, self.cos], -2)
        return Rotary(cos, torch.cat([torch.zeros_like(still), self.sin], -2), self.chunks)


def _angles(position: Tensor, base: float, width: int) -> Tensor:
    """Angles of one chunk, `[..., width]`: indices 0..h-1, then 0..l-1 (an odd chunk has one more in the first)."""
    half = (width + 1) // 2
    k = torch.arange(half, dtype=torch.float64, device=position.device)
    frequency = (base ** (-2.0 * k / width)).float()
    angle = position.float()[..., None] * frequency
    return torch.cat([angle, angle[..., : width // 2]], -1)


def rotary_2d(grid: tuple[int, int], width: int, base: float, device: torch.device) -> Rotary:
    """Table of a patch grid (rows, columns): the first half of a head turns with y, the second with x."""
    rows, columns = grid
    y = torch.arange(rows, device=device).repeat_interleave(columns)
    x = torch.arange(columns, device=device).repeat(rows)
    half = width // 2
    angle = torch.cat([_angles(y, base, half), _angles(x, base, half)], -1)
    return Rotary(angle.cos(), angle.sin(), (half, half))


def rotary_3d(positions: Tensor, width: int, bases: tuple[float, ...]) -> Rotary:
    """Table of real-valued positions `[batch, tokens, 3]`: the mean over all bases, one chunk per axis."""
    third = width // 3
    chunks = (third, third, width - 2 * third)
    cos = sin = torch.zeros((), device=positions.device)
    for base in bases:
        angle = torch.cat([_angles(positions[..., axis], base, n) for axis, n in enumerate(chunks)], -1)
        cos, sin = cos + angle.cos(), sin + angle.sin()
    return Rotary((cos / len(bases))[:, None], (sin / len(bases))[:, None], chunks)
