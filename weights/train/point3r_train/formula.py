"""Deterministic weights from a formula: a network of any size without a download, for tests and benches.

32-bit integer arithmetic only; bit-equal to the Rust side's `weights::formula`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from .config import Config, WeightGenerator

CHUNK = 1 << 20


def seed(key: str) -> int:
    """FNV-1a over the key."""
    value = 0x811C9DC5
    for byte in key.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def uniform(key_seed: int, first: int, count: int) -> np.ndarray:
    """Values in [-1, 1) of elements `first` to `first + count`; exact in f32."""
    x = np.arange(first, first + count, dtype=np.uint32)
    x *= np.uint32(0x9E3779B9)
    x += np.uint32(key_seed)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    x >>= np.uint32(8)
    return x.astype(np.float32) * np.float32(2.0**-23) - np.float32(1)


def scale(key: str, shape: tuple[int, ...], head4_gain: float) -> tuple[np.float32, bool]:
    """The factor of a tensor, and whether it is a norm weight (`1 + u / 8` instead of `u * factor`)."""
    transposed = key.endswith((".act_postprocess.0.1.weight", ".act_postprocess.1.1.weight"))
    if len(shape) == 1:
        return (np.float32(0.125), True) if key.endswith(".weight") else (np.float32(0.0625), False)
    if len(shape) == 2:
        return np.float32(math.sqrt(3 / shape[1])), False
    if len(shape) == 4 and transposed:
        return np.float32(math.sqrt(3 / shape[0])), False
    if len(shape) == 4:
        gain = 0.5 if ".resConfUnit" in key else 1.0
        if key.startswith("downstream_head.dpt_") and key.endswith(".head.4.weight"):
            gain = head4_gain
        return np.float32(gain * math.sqrt(3 / (shape[1] * shape[2] * shape[3]))), False
    return np.float32(0.5), False


@torch.no_grad()
def fill(network: nn.Module, config: Config) -> None:
    """Sets every parameter of a network to its formula value."""
    generator = config.weight_generator or WeightGenerator()
    for key, parameter in network.named_parameters():
        factor, is_norm = scale(key, tuple(parameter.shape), generator.head4_gain)
        flat = parameter.data.view(-1)
        for first in range(0, flat.numel(), CHUNK):
            values = uniform(seed(key), first, min(CHUNK, flat.numel() - first)) * factor
            if is_norm:
                values += np.float32(1)
            if generator.rounded_to == "f16":
                values = values.astype(np.float16).astype(np.float32)
            flat[first : first + len(values)] = torch.from_numpy(values)
