"""Reads a model folder of the page and the command line (docs/formats.md), so that training can go on from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

BITS = {"int8": 8, "int4": 4}


def read(folder: Path) -> dict[str, Tensor]:
    """All tensors of the folder in f32; packed integers are unpacked."""
    manifest = json.loads((folder / "manifest.json").read_text())
    shards = [np.memmap(folder / shard["file"], np.uint8, "r") for shard in manifest["shards"]]

    def values(pieces: list[dict[str, Any]], dtype: str) -> np.ndarray:
        parts = [shards[piece["shard"]][slice(*piece["range"])] for piece in pieces]
        return np.concatenate(parts).view(dtype)

    tensors = {}
    for tensor in manifest["tensors"]:
        storage, shape = tensor["storage"], tensor["shape"]
        if storage in BITS:
            words = values(tensor["pieces"], "<u4").reshape(shape[0], -1)
            scale = values(tensor["scale"], "<f2").astype(np.float32).reshape(shape[0], -1)
            found = _unpacked(words, BITS[storage]) * scale.repeat(tensor["block"], 1)
            found = found[:, : shape[1]]
        else:
            found = values(tensor["pieces"], {"f32": "<f4", "f16": "<f2"}[storage]).astype(np.float32)
        tensors[tensor["name"]] = torch.from_numpy(np.ascontiguousarray(found.reshape(shape)))
    return tensors


def _unpacked(words: np.ndarray, bits: int) -> np.ndarray:
    """Signed integers, lowest bits first; four bits are stored with 8 added."""
    shifts = np.arange(0, 32, bits, dtype=np.uint32)
    fields = (words[..., None] >> shifts) & np.uint32(2**bits - 1)
    fields = fields.reshape(len(words), -1).astype(np.int32)
    return (fields - 8 if bits == 4 else np.where(fields > 127, fields - 256, fields)).astype(np.float32)
