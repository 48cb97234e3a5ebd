"""Reference tensors of a network for `point3r verify`: the same folder as the project's tiny reference.

`config.json`, `inputs.safetensors`, `expected.safetensors`, and `weights.safetensors` when they come from a
checkpoint (formula weights are not stored). The small form keeps predictions, pointers and decisions.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from . import export, formula
from .bench import noise, normalise
from .config import Config, WeightGenerator
from .model import Point3R
from .model.heads import pose_matrix

# What a small reference keeps: results and the decisions that they depend on.
OUTPUTS = ("out.", "pose_raw", "merge_", "ptr_pos", "enc_feat")
WHOLE_NUMBERS = {"merge_nn_index": torch.int32, "merge_is_add": torch.uint8}


@torch.no_grad()
def write(folder: Path, config: Config, weights: Path | None, images: np.ndarray | None, everything: bool) -> None:
    """Runs the network on `images` u8 `[frames, H, W, 3]` (noise without) and writes the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if weights is None and config.weight_generator is None:
        config = dataclasses.replace(config, weight_generator=WeightGenerator())
    network = Point3R(config).eval()
    if weights is None:
        formula.fill(network, config)
    else:
        missing, unknown = export.start_from(network, weights)
        if missing or unknown:
            raise ValueError(f"{weights}: {len(missing)} tensors are missing, {len(unknown)} are unknown")
        half = {name: value.to(torch.float16) for name, value in network.state_dict().items()}
        network.load_state_dict({name: value.float() for name, value in half.items()})
        save_file(half, folder / "weights.safetensors")
    if images is None:
        images = np.stack([noise(64, 48, i) for i in range(4)])

    batch = normalise(images)
    expected: dict[str, Tensor] = {}
    trace: dict[str, Tensor] = {}
    encoded = network.encode(batch, trace if everything else None)
    expected.update(trace)
    state = None
    for index in range(len(batch)):
        trace = {}
        prediction, state = network.step(state, encoded[index : index + 1], network.grid(batch), trace=trace)
        trace |= {
            "out.pts3d_in_self_view": prediction.points_camera, "out.conf_self": prediction.confidence_camera,
            "out.pts3d_in_other_view": prediction.points_world, "out.conf": prediction.confidence_world,
            "out.camera_pose": prediction.camera_pose, "out.c2w": pose_matrix(prediction.camera_pose),
        }  # fmt: skip
        for name in ("ptr_pos", "ptr_feat"):
            trace[name] = trace[name][0]
        del trace[f"dec_mem.{config.dec_depth}"]  # no inference computes it
        for name, value in trace.items():
            if everything or name.startswith(OUTPUTS):
                expected[f"f{index}.{name}"] = value.to(WHOLE_NUMBERS.get(name, torch.float32))
    shape = torch.tensor([images.shape[1:3]] * len(images), dtype=torch.int32)
    inputs = {"images_u8": torch.from_numpy(images.copy()), "images": batch.clone(), "true_shape": shape}
    save_file(inputs, folder / "inputs.safetensors")
    expected = {name: value.clone(memory_format=torch.contiguous_format) for name, value in expected.items()}
    save_file(expected, folder / "expected.safetensors")
    (folder / "config.json").write_text(config.to_json())
