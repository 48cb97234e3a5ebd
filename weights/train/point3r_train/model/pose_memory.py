"""Pose memory: slots that remember where the camera has been (spec 4.2, 4.6)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..config import Config
from .blocks import DecoderBlock


class PoseMemory(nn.Module):
    """Reads a pose token for an image, and writes the pose token that came out."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        dim, stack, eps = config.dec_embed_dim, config.pose_memory, config.layer_norm_eps

        def blocks() -> nn.ModuleList:
            width = config.pose_memory_dim
            return nn.ModuleList(DecoderBlock(width, stack.heads, stack.mlp_ratio, eps) for _ in range(stack.depth))

        self.masked_token = nn.Parameter(0.2 * torch.randn(1, 1, dim))
        self.mem = nn.Parameter(0.2 * torch.randn(1, config.pose_memory_slots, config.pose_memory_dim))
        self.proj_q = nn.Linear(config.enc_embed_dim, dim)
        self.write_blocks = blocks()
        self.read_blocks = blocks()

    def read(self, image_feature: Tensor, slots: Tensor) -> Tensor:
        """Pose token `[batch, 1, dim]` for a mean image feature `[batch, 1, encoder width]`."""
        query = self.proj_q(image_feature)
        x = torch.cat([query, self.masked_token.to(query.dtype).expand_as(query)], -1)
        for block in self.read_blocks:
            x = block(x, slots)
        return x.chunk(2, -1)[1]

    def write(self, image_feature: Tensor, pose_token: Tensor, slots: Tensor) -> Tensor:
        """The slots after a frame; they replace the old ones entirely."""
        query = self.proj_q(image_feature)
        pair = torch.cat([query, pose_token.to(query.dtype)], -1)
        for block in self.write_blocks:
            slots = block.forward_one_key(slots, pair)
        return slots
