"""First values of a network that starts from nothing."""

from __future__ import annotations

import torch
from torch import nn

from .model import Point3R

# Raw z of a point two units ahead: expm1(1.1) = 2.
AHEAD = 1.1
# Output layers start small so that the first predictions are one plane and no motion.
SMALL = 0.1


@torch.no_grad()
def initialise(network: Point3R, seed: int) -> None:
    """Xavier for linear layers and patch embeddings; outputs start at a plane ahead and at the identity pose."""
    torch.manual_seed(seed)
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm | nn.GroupNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d) and name.endswith("patch_embed.proj") and module.kernel_size != (1, 1):
            nn.init.xavier_uniform_(module.weight.view(len(module.weight), -1))
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.reset_parameters()
    nn.init.normal_(network.pose_token, std=0.02)
    nn.init.normal_(network.pose_retriever.mem, std=0.2)
    nn.init.normal_(network.pose_retriever.masked_token, std=0.2)
    heads = network.downstream_head
    for head in (heads.dpt_self, heads.dpt_cross):
        last = head.head[4]
        nn.init.normal_(last.weight, std=0.02)
        last.bias.copy_(torch.tensor([0, 0, AHEAD, 0]))
    heads.pose_head.mlp.fc2.weight.mul_(SMALL)
    heads.pose_head.mlp.fc2.bias.copy_(torch.tensor([0, 0, 0, 1.0, 0, 0, 0]))
    for block in heads.final_transform:
        for norm in (block.norm1, block.norm2):
            norm.mlp[1].weight.mul_(SMALL)
