"""Checkpoints that other programs read: reference key names, as `.pth` and `.safetensors`, with `config.json`.

`point3r convert` takes either file. Also reads such files to start a run from: released weights, or those of DUSt3R.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from . import folder
from .config import Config

# A DUSt3R checkpoint has two decoders and two heads; stage 1 starts from them (spec 6).
FROM_DUST3R = (
    ("dec_blocks2.", "dec_blocks_memory."),
    ("downstream_head1.dpt.", "downstream_head.dpt_self."),
    ("downstream_head2.dpt.", "downstream_head.dpt_cross."),
)


def model_text(config: Config) -> str:
    """The constructor text that `args.model` of a checkpoint carries."""
    c = config
    sizes = {
        "img_size": (c.image_size, c.image_size), "enc_embed_dim": c.enc_embed_dim, "enc_depth": c.enc_depth,
        "enc_num_heads": c.enc_num_heads, "dec_embed_dim": c.dec_embed_dim, "dec_depth": c.dec_depth,
        "dec_num_heads": c.dec_num_heads, "memory_dec_num_heads": c.memory_dec_num_heads, "mlp_ratio": c.mlp_ratio,
        "value_heads": c.value_encoder.heads, "pose_memory_heads": c.pose_memory.heads,
        "final_transform_heads": c.final_transform.heads,
    }  # fmt: skip
    return f"Point3R(Point3RConfig({', '.join(f'{k}={v}' for k, v in sizes.items())}))"


def write(to: Path, parameters: Mapping[str, Tensor], config: Config) -> None:
    """Writes `model.pth`, `model.safetensors` and `config.json`."""
    to.mkdir(parents=True, exist_ok=True)
    plain = torch.contiguous_format
    tensors = {name: v.detach().cpu().float().clone(memory_format=plain) for name, v in parameters.items()}
    save_file(tensors, to / "model.safetensors")
    torch.save({"args": argparse.Namespace(model=model_text(config)), "model": tensors}, to / "model.pth")
    (to / "config.json").write_text(config.to_json())


def read(file: Path) -> dict[str, Tensor]:
    """Parameters of a checkpoint file or model folder, under canonical names: no `module.` prefix, no aliases, no
    DUSt3R names."""
    if file.is_dir():
        return folder.read(file)
    if file.suffix == ".safetensors":
        found = load_file(file)
    else:
        with torch.serialization.safe_globals([argparse.Namespace]):
            content = torch.load(file, map_location="cpu", weights_only=True)
        found = content.get("model", content)
    tensors: dict[str, Tensor] = {}
    for key, value in found.items():
        name = key.removeprefix("module.")
        if ".scratch.layer_rn." in name:
            continue
        for old, new in FROM_DUST3R:
            name = new + name.removeprefix(old) if name.startswith(old) else name
        tensors[name] = value.float()
    if any(key.removeprefix("module.").startswith("dec_blocks2.") for key in found):
        for part in ("weight", "bias"):
            tensors[f"pts_patch_embed.proj.{part}"] = tensors[f"patch_embed.proj.{part}"].clone()
    return tensors


def blend(weights: Mapping[str, Tensor], file: Path, share: float) -> dict[str, Tensor]:
    """`share` of a run's weights, the rest from the checkpoint that it started from.

    Along the straight line between both a short fine-tuning often has its best point, above all on other data.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"--share {share}: expected 0 to 1")
    other = read(file)
    if file.is_dir():
        # A model folder leaves out what no output depends on.
        other = dict(weights) | other
    for name, value in weights.items():
        if name not in other or other[name].shape != value.shape:
            raise ValueError(f"{file}: {name} is missing or of another shape: it is no checkpoint of this network")
    return {name: value.float() * share + other[name] * (1 - share) for name, value in weights.items()}


def start_from(network: nn.Module, file: Path) -> tuple[list[str], list[str]]:
    """Loads what a file has for a network; names that it lacks, and names that the network does not know."""
    tensors = read(file)
    own = network.state_dict()
    for name, value in tensors.items():
        if name in own and own[name].shape != value.shape:
            raise ValueError(
                f"{file}: {name} is {list(value.shape)}, this network needs {list(own[name].shape)}: "
                "the file belongs to another model"
            )
    result = network.load_state_dict(tensors, strict=False)
    return result.missing_keys, result.unexpected_keys
