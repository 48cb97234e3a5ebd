"""Patch embedding and a stack of plain blocks: image encoder and value encoder (spec 2, 4.1, 4.7)."""

from __future__ import annotations

from torch import Tensor, nn

from .rope import Rotary

Trace = dict[str, Tensor]


class PatchEmbedding(nn.Module):
    """One token per 16x16 patch of a three-channel map, row by row."""

    def __init__(self, dim: int, side: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, side, side)

    def forward(self, image: Tensor) -> Tensor:
        return self.proj(image).flatten(2).transpose(1, 2)


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
