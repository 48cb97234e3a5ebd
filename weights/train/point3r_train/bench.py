"""Time per frame with formula weights: the same network, images and sequence as `point3r bench`.

`python -m point3r_train bench --preset full224 --threads 2` beside `point3r bench --preset full224`.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import torch

from . import formula
from .config import Config, WeightGenerator
from .model import Point3R

PRESETS: dict[str, tuple[str, int, int]] = {
    "tiny": ("tiny", 48, 64),
    "small": ("small", 96, 128),
    "full224": ("released", 224, 224),
    "full512": ("released", 384, 512),
}


def noise(width: int, height: int, seed: int) -> np.ndarray:
    """`[height, width, 3]` bytes of a 32-bit xorshift: formula weights spread its patches, so the memory grows."""
    x = (seed * 0x9E3779B9 & 0xFFFFFFFF) | 1
    values = bytearray(width * height * 3)
    for index in range(len(values)):
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        values[index] = x & 0xFF
    return np.frombuffer(values, np.uint8).reshape(height, width, 3)


def normalise(rgb: np.ndarray) -> torch.Tensor:
    """`[..., H, W, 3]` bytes to `[..., 3, H, W]` in [-1, 1]."""
    return (torch.from_numpy(rgb.astype(np.float32)) / 255 - 0.5).div_(0.5).movedim(-1, -3).contiguous()


@torch.inference_mode()
def run(preset: str, frames: int, threads: int, device: str = "cpu", as_json: bool = False) -> None:
    """Prints milliseconds per frame after one frame that warms up."""
    torch.set_num_threads(threads)
    name, height, width = PRESETS[preset]
    config = Config.named(name)
    if config.weight_generator is None:
        config = replace(config, weight_generator=WeightGenerator())
    start = time.perf_counter()
    with torch.device("meta"):
        network = Point3R(config)
    network = network.to_empty(device="cpu")
    formula.fill(network, config)
    network = network.to(device).eval()
    loaded = (time.perf_counter() - start) * 1e3

    rows, state = [], None
    for index in range(frames + 1):
        image = normalise(noise(width, height, index))[None]
        before = 0 if state is None else state.pointers.counts[0]
        clock = time.perf_counter()
        image = image.to(device)
        encoded = network.encode(image)
        prediction, state = network.step(state, encoded, network.grid(image))
        prediction.points_world.cpu(), prediction.points_camera.cpu()
        rows.append({"pointers_before": before, "ms": (time.perf_counter() - clock) * 1e3})
    parameters = sum(p.numel() for p in network.parameters())
    if as_json:
        report = {"preset": preset, "device": device, "threads": threads, "parameters": parameters, "load_ms": loaded}
        print(json.dumps(report | {"frames": rows}, indent=2))
        return
    print(f"{preset} on {device}, {threads} threads: {parameters} parameters, loaded in {loaded:.0f} ms")
    print(f"{'frame':>5} {'pointers':>9} {'ms':>10}")
    for index, row in enumerate(rows):
        note = "  (warms up)" if index == 0 else ""
        print(f"{index:>5} {row['pointers_before']:>9} {row['ms']:>10.1f}{note}")
