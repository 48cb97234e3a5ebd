"""Transformer blocks (spec 3.3 to 3.6). Attribute names are the checkpoint's keys."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .rope import Rotary

# Keys that are padding get this score: their weight is exactly 0, and a row of nothing but padding stays finite.
MASKED = -1e9
# On the CPU the plain form has the faster backward pass.
PLAIN_ON_CPU = True


def attend(q: Tensor, k: Tensor, v: Tensor, keys: Tensor | None, keep: list[Tensor] | None = None) -> Tensor:
    """Softmax attention over `[batch, heads, tokens, width]`; `keys` is true where a key exists, `[batch, tokens]`.

    `keep` receives the weights, averaged over heads.
    """
    mask = None
    if keys is not None:
        mask = torch.zeros(keys.shape, dtype=q.dtype, device=q.device).masked_fill_(~keys, MASKED)[:, None, None]
    if keep is None and not (PLAIN_ON_CPU and q.device.type == "cpu" and torch.is_grad_enabled()):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask
    weights = scores.softmax(-1)
    if keep is not None:
        keep.append(weights.mean(1))
    return weights.to(v.dtype) @ v


def _split_heads(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _join_heads(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)


class Mlp(nn.Module):
    """Two linear layers with the exact GELU between."""

    def __init__(self, dim: int, hidden: int, out: int | None = None) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, out or dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class SelfAttention(nn.Module):
    """Attention of a token list to itself."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, rotary: Rotary | None = None, keys: Tensor | None = None) -> Tensor:
        q, k, v = (_split_heads(part, self.heads) for part in self.qkv(x).chunk(3, -1))
        if rotary is not None:
            q, k = rotary(q), rotary(k)
        return self.proj(_join_heads(attend(q, k, v, keys)))


class CrossAttention(nn.Module):
    """Attention of one token list to another."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.projq = nn.Linear(dim, dim)
        self.projk = nn.Linear(dim, dim)
        self.projv = nn.Linear(dim, dim)
        self.proj = nn.Linear(dim, dim)

    def forward(
        self, x: Tensor, y: Tensor, rotary: tuple[Rotary, Rotary] | None = None, keys: Tensor | None = None,
        keep: list[Tensor] | None = None,
    ) -> Tensor:  # fmt: skip
        q = _split_heads(self.projq(x), self.heads)
        k = _split_heads(self.projk(y), self.heads)
        v = _split_heads(self.projv(y), self.heads)
        if rotary is not None:
            q, k = rotary[0](q), rotary[1](k)
        return self.proj(_join_heads(attend(q, k, v, keys, keep)))

    def one_key(self, y: Tensor) -> Tensor:
        """The result when `y` is a single token: every query gets its value."""
        return self.proj(self.projv(y))


class Block(nn.Module):
    """Plain block: encoder and value encoder."""

    def __init__(self, dim: int, heads: int, ratio: int, eps: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = SelfAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = Mlp(dim, ratio * dim)

    def forward(self, x: Tensor, rotary: Rotary) -> Tensor:
        x = x + self.attn(self.norm1(x), rotary)
        return x + self.mlp(self.norm2(x))


class DecoderBlock(nn.Module):
    """Self-attention, attention to another stream, MLP: image, memory and pose-memory streams."""

    def __init__(self, dim: int, heads: int, ratio: int, eps: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = SelfAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.cross_attn = CrossAttention(dim, heads)
        self.norm3 = nn.LayerNorm(dim, eps=eps)
        self.mlp = Mlp(dim, ratio * dim)
        self.norm_y = nn.LayerNorm(dim, eps=eps)

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        rotary: tuple[Rotary, Rotary] | None = None,
        x_keys: Tensor | None = None,
        y_keys: Tensor | None = None,
        keep: list[Tensor] | None = None,
    ) -> Tensor:
        x = x + self.attn(self.norm1(x), rotary[0] if rotary else None, x_keys)
        x = x + self.cross_attn(self.norm2(x), self.norm_y(y), rotary, y_keys, keep)
        return x + self.mlp(self.norm3(x))

    def forward_one_key(self, x: Tensor, y: Tensor) -> Tensor:
        """`forward` for a single token `y`, without the parts that cannot matter (spec 4.6)."""
        x = x + self.attn(self.norm1(x))
        x = x + self.cross_attn.one_key(self.norm_y(y))
        return x + self.mlp(self.norm3(x))


class ModulatedNorm(nn.Module):
    """Layer norm whose shift and scale come from a condition (spec 3.6: shift first)."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim, eps=eps)
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(dim, 2 * dim))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        shift, scale = self.mlp(condition).chunk(2, -1)
        return self.norm(x) * (1 + scale) + shift


class ConditionedBlock(nn.Module):
    """Plain block conditioned on one token: the world branch."""

    def __init__(self, dim: int, heads: int, ratio: int, eps: float) -> None:
        super().__init__()
        self.norm1 = ModulatedNorm(dim, eps)
        self.attn = SelfAttention(dim, heads)
        self.norm2 = ModulatedNorm(dim, eps)
        self.mlp = Mlp(dim, ratio * dim)

    def forward(self, x: Tensor, condition: Tensor, rotary: Rotary) -> Tensor:
        x = x + self.attn(self.norm1(x, condition), rotary)
        return x + self.mlp(self.norm2(x, condition))
