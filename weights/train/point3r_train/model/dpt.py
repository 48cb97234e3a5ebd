"""Dense prediction head: tokens of four depths to a full-size map (spec 5.2)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Config
from .encoder import Trace


def upsample2(x: Tensor) -> Tensor:
    """Twice the size, bilinear, corners aligned."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


class ResidualUnit(nn.Module):
    """`x + conv2(relu(conv1(relu(x))))`."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(dim, dim, 3, padding=1)
        self.conv2 = nn.Conv2d(dim, dim, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class Fusion(nn.Module):
    """One step of the coarse-to-fine path. At the coarsest level `resConfUnit1` has nothing to add and never runs."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(dim, dim, 1)
        self.resConfUnit1 = ResidualUnit(dim)
        self.resConfUnit2 = ResidualUnit(dim)

    def forward(self, path: Tensor, level: Tensor | None = None) -> Tensor:
        if level is not None:
            path = path + self.resConfUnit1(level)
        # The pointwise convolution commutes with upsampling and costs a quarter before it.
        return upsample2(self.out_conv(self.resConfUnit2(path)))


class Scratch(nn.Module):
    """Projections to the common width and the fusion path, fine to coarse."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        dims, width = config.dpt.layer_dims, config.dpt.feature_dim
        for level, dim in enumerate(dims, 1):
            self.add_module(f"layer{level}_rn", nn.Conv2d(dim, width, 3, padding=1, bias=False))
        for level in range(1, 5):
            self.add_module(f"refinenet{level}", Fusion(width))


class DenseHead(nn.Module):
    """Four token lists to `[batch, 4, height, width]`: x, y, z and confidence before activation."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        dpt = config.dpt
        d0, d1, d2, d3 = dpt.layer_dims
        encoder, decoder, width = config.enc_embed_dim, config.dec_embed_dim, dpt.feature_dim
        self.scratch = Scratch(config)
        self.head = nn.Sequential(
            nn.Conv2d(width, width // 2, 3, padding=1),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
            nn.Conv2d(width // 2, dpt.last_dim, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(dpt.last_dim, 4, 1),
        )
        self.act_postprocess = nn.ModuleList([
            nn.Sequential(nn.Conv2d(encoder, d0, 1), nn.ConvTranspose2d(d0, d0, 4, 4)),
            nn.Sequential(nn.Conv2d(decoder, d1, 1), nn.ConvTranspose2d(d1, d1, 2, 2)),
            nn.Sequential(nn.Conv2d(decoder, d2, 1)),
            nn.Sequential(nn.Conv2d(decoder, d3, 1), nn.Conv2d(d3, d3, 3, stride=2, padding=1)),
        ])
        self.skip = None
        if config.dense_skip and config.stem is not None:
            self.skip = nn.Conv2d(config.stem[1], width, 3, padding=1)

    def forward(
        self, tokens: list[Tensor], fine: Tensor | None, grid: tuple[int, int], trace: Trace | None = None,
        name: str = "dpt",
    ) -> Tensor:  # fmt: skip
        """`fine`: the stem's stride-4 map, where the network has the skip."""
        scratch = self.scratch
        levels = []
        for index, (reassemble, t) in enumerate(zip(self.act_postprocess, tokens, strict=True)):
            level = reassemble(t.transpose(1, 2).unflatten(2, grid))
            levels.append(getattr(scratch, f"layer{index + 1}_rn")(level))
        if self.skip is not None and fine is not None:
            levels[0] = levels[0] + self.skip(fine)
        path = scratch.refinenet4(levels[3])
        steps = [path]
        path = path[..., : grid[0], : grid[1]]  # odd grids: the coarsest level was rounded up
        for fusion, level in (
            (scratch.refinenet3, levels[2]),
            (scratch.refinenet2, levels[1]),
            (scratch.refinenet1, levels[0]),
        ):
            path = fusion(path, level)
            steps.append(path)
        raw = self.head(path)
        if trace is not None:
            trace.update({f"{name}.layer_rn.{i}": level for i, level in enumerate(levels)})
            trace.update({f"{name}.refinenet{4 - i}": step for i, step in enumerate(steps)})
            trace[f"{name}.raw"] = raw
        return raw
