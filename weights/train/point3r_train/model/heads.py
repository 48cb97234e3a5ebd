"""World branch, pose head, and the activations that turn raw values into points and poses (spec 5.1, 5.3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from .blocks import ConditionedBlock, Mlp
from .dpt import DenseHead


class PoseMlp(nn.Module):
    """Seven raw values from the pose token."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        dim = config.dec_embed_dim
        self.mlp = Mlp(dim, config.pose_head.mlp_ratio * dim, config.pose_head.out)

    def forward(self, pose_token: Tensor) -> Tensor:
        return self.mlp(pose_token)


class Heads(nn.Module):
    """Everything after the decoder."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        stack, dim, eps = config.final_transform, config.dec_embed_dim, config.layer_norm_eps
        self.dpt_self = DenseHead(config)
        self.dpt_cross = DenseHead(config)
        self.final_transform = nn.ModuleList(
            ConditionedBlock(dim, stack.heads, stack.mlp_ratio, eps) for _ in range(stack.depth)
        )
        self.pose_head = PoseMlp(config)


def expand(raw: Tensor, dim: int = -1) -> Tensor:
    """Raw vector to point: same direction, length `exp(d) - 1`."""
    length = raw.norm(dim=dim, keepdim=True)
    return raw / length.clamp(min=1e-8) * torch.expm1(length)


def compress(point: Tensor, dim: int = -1) -> Tensor:
    """Inverse of `expand`."""
    length = point.norm(dim=dim, keepdim=True)
    return point / length.clamp(min=1e-8) * torch.log1p(length)


def points_and_confidence(raw: Tensor) -> tuple[Tensor, Tensor]:
    """`[batch, 4, H, W]` to points `[batch, H, W, 3]` and confidence `[batch, H, W]`, at least 1."""
    values = raw.movedim(1, -1)
    return expand(values[..., :3]), 1 + values[..., 3].exp()


def camera_pose(raw: Tensor) -> Tensor:
    """`[batch, 7]` raw to translation and unit quaternion (w first, w >= 0), camera to world."""
    quaternion = F.normalize(raw[..., 3:], dim=-1, eps=1e-12)
    quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    return torch.cat([expand(raw[..., :3]), quaternion], -1)


def pose_matrix(pose: Tensor) -> Tensor:
    """`[..., 7]` to `[..., 4, 4]`."""
    w, x, y, z = pose[..., 3:].unbind(-1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), pose[..., 0]],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), pose[..., 1]],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), pose[..., 2]],
        [torch.zeros_like(w), torch.zeros_like(w), torch.zeros_like(w), torch.ones_like(w)],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def quaternion_of(matrix: Tensor) -> Tensor:
    """Unit quaternion (w first, w >= 0) of rotation matrices `[..., 3, 3]`, from the best conditioned of four forms."""
    m = [[matrix[..., i, j] for j in range(3)] for i in range(3)]
    t = [m[0][0], m[1][1], m[2][2]]
    squares = torch.stack(
        [1 + t[0] + t[1] + t[2], 1 + t[0] - t[1] - t[2], 1 - t[0] + t[1] - t[2], 1 - t[0] - t[1] + t[2]], -1
    )
    wx, wy, wz = m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]
    xy, xz, yz = m[1][0] + m[0][1], m[0][2] + m[2][0], m[2][1] + m[1][2]
    forms = torch.stack([
        torch.stack([squares[..., 0], wx, wy, wz], -1),
        torch.stack([wx, squares[..., 1], xy, xz], -1),
        torch.stack([wy, xy, squares[..., 2], yz], -1),
        torch.stack([wz, xz, yz, squares[..., 3]], -1),
    ], -2)  # fmt: skip
    best = squares.argmax(-1)[..., None, None].expand(*squares.shape[:-1], 1, 4)
    quaternion = F.normalize(forms.gather(-2, best).squeeze(-2), dim=-1)
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
