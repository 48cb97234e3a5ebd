"""Weights of the early prototype of our small network under this package's names.

The prototype computed the same network with shorter names and without the parameters that cannot matter. Those keep
their first values, so that the result is a complete file for `train --start`.
"""

from __future__ import annotations

import re
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from . import export
from .config import Config
from .initialise import initialise
from .model import Point3R
from .train import never_used

# Applied in this order, each at most once.
RENAMED = (
    (r"^pts_patch_embed\.", "pts_patch_embed.proj."),
    (r"^self_head\.", "downstream_head.dpt_self."),
    (r"^cross_head\.", "downstream_head.dpt_cross."),
    (r"^(final_transform|pose_head)\.", r"downstream_head.\1."),
    (r"\.pose_head\.", ".pose_head.mlp."),
    (r"\.layer_rn\.(\d)", lambda m: f".scratch.layer{int(m[1]) + 1}_rn"),
    (r"\.refinenet\.(\d)", lambda m: f".scratch.refinenet{int(m[1]) + 1}"),
    (r"\.h([024])\.", r".head.\1."),
)


def name_of(key: str) -> str:
    """The checkpoint name of a prototype's parameter."""
    for pattern, replacement in RENAMED:
        key = re.sub(pattern, replacement, key, count=1)
    return key


def adopt(file: Path, config: Config) -> dict[str, Tensor]:
    """All parameters of a network of `config`, with the prototype's values where it has them."""
    network = Point3R(config)
    initialise(network, 0)
    values = {name: value.detach() for name, value in network.named_parameters()}
    found = {name_of(key): value.float() for key, value in load_file(file).items()}
    for name, value in found.items():
        if name not in values or values[name].shape != value.shape:
            raise ValueError(f"{file}: {name} {list(value.shape)} is not part of this network: is it another config?")
    missing = [name for name in values if name not in found and not name.startswith(never_used(config))]
    if missing:
        raise ValueError(f"{file}: {len(missing)} parameters are missing, e.g. {missing[0]}: is it another config?")
    return values | found


def write(file: Path, config: Config, folder: Path) -> None:
    """Converts a prototype's file and writes it as a checkpoint."""
    export.write(folder, adopt(file, config), config)
