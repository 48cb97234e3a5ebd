"""Patch embedding and a stack of plain blocks: image encoder and value encoder (spec 2, 4.1, 4.7).

Small networks may embed patches by a convolutional stem and add the position in the image to the tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .rope import Rotary

Trace = dict[str, Tensor]

# Half turns across the image's longer half, of the position added to encoder tokens.
POSITION_FREQUENCIES = (0.5, 1.0, 2.0, 4.0)
POSITION_INPUTS = 2 + 4 * len(POSITION_FREQUENCIES)


@dataclass(frozen=True)
class Encoded:
    """`tokens [..., patches, width]`, and the stem's stride-4 map `fine [..., channels, H / 4, W / 4]` if used."""

    tokens: Tensor
    fine: Tensor | None = None

    def __getitem__(self, rows: object) -> Encoded:
        """The same rows of both."""
        return Encoded(self.tokens[rows], None if self.fine is None else self.fine[rows])

    def unflatten(self, sizes: tuple[int, int]) -> Encoded:
        """The first dimension split in two."""
        return Encoded(
            self.tokens.unflatten(0, sizes), None if self.fine is None else self.fine.unflatten(0, sizes)
        )


class PatchEmbedding(nn.Module):
    """One token per 16x16 patch of a three-channel map, row by row."""

    def __init__(self, dim: int, side: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, side, side)

    def forward(self, image: Tensor) -> Tensor:
        return self.proj(image).flatten(2).transpose(1, 2)


class Stem(nn.Module):
    """Patch embedding by four 3x3 convolutions of stride 2, each with a norm over all its values and GELU."""

    def __init__(self, dim: int, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        inputs = (3, *channels[:3])
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, 3, stride=2, padding=1, bias=False) for i, o in zip(inputs, channels, strict=True)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(1, o) for o in channels)
        self.proj = nn.Conv2d(channels[3], dim, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens, and the map after the second convolution."""
        x, fine = image, image
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = F.gelu(norm(conv(x)))
            fine = x if index == 1 else fine
        return self.proj(x).flatten(2).transpose(1, 2), fine


def image_position(grid: tuple[int, int], device: torch.device) -> Tensor:
    """`[patches, 18]`: y and x of patch centres (the longer side spans -1 to 1), then sines and cosines of both."""
    rows, columns = grid
    longest = max(rows, columns)
    y = (torch.arange(rows, device=device) + 0.5 - rows / 2) * 2 / longest
    x = (torch.arange(columns, device=device) + 0.5 - columns / 2) * 2 / longest
    place = torch.stack([y.repeat_interleave(columns), x.repeat(rows)], -1)
    angles = [place * math.pi * frequency for frequency in POSITION_FREQUENCIES]
    return torch.cat([place, *(wave for angle in angles for wave in (angle.sin(), angle.cos()))], -1)


def run_stack(
    tokens: Tensor, blocks: nn.ModuleList, norm: nn.LayerNorm, rotary: Rotary, trace: Trace | None, name: str
) -> Tensor:
    """All blocks, then the final norm."""
    if trace is not None:
        trace[f"{name}.patch_embed"] = tokens
    for index, block in enumerate(blocks):
        tokens = block(tokens, rotary)
        if trace is not None:
            trace[f"{name}.block.{index}"] = tokens
    return norm(tokens)
