"""What only small networks have: stem, position, skip, the matching loss, and the prototype's names."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from worlds import box_scene

from point3r_train import adopt, export
from point3r_train.config import Config, ConfigError
from point3r_train.data.batches import ground_truth
from point3r_train.losses import Targets
from point3r_train.matching import matching_loss, places, projection
from point3r_train.model import Point3R

GRID = 16


def targets(seed: int = 1) -> Targets:
    points, valid, sky, poses = (torch.from_numpy(np.asarray(part))[None] for part in ground_truth(box_scene(seed)))
    return Targets(points, valid, sky, poses, torch.tensor([True]))


def test_projection_is_found_from_points() -> None:
    frames = box_scene(1)
    t = targets()
    focal, middle = projection(t.world_points()[:, 0], t.valid[:, 0])
    k = frames.intrinsics[0]
    assert np.allclose(focal[0], [k[0, 0], k[1, 1]], rtol=1e-3)
    assert np.allclose(middle[0], k[:2, 2], atol=0.05)


def test_places_of_the_same_frame_are_its_own_patches() -> None:
    t = targets()
    same = Targets(*(x[:, [0, 0]] if x.ndim > 1 else x for x in (t.points, t.valid, t.sky, t.poses, t.metric)))
    shares, seen = places(same, GRID)
    # Pixel 8 of 16 lies half a pixel after the patch's middle.
    assert seen.all()
    assert (shares.sum(-1) - 1).abs().max() < 1e-4
    assert shares.diagonal(dim1=1, dim2=2).min() > 0.9


def test_matching_loss_falls_with_attention_to_the_true_place() -> None:
    t = targets()
    shares, _ = places(t, GRID)
    patches = shares.shape[-1]
    pad = torch.full((1, 1, patches), 1 / patches)
    right = torch.cat([pad, shares], 1)
    even = torch.full_like(right, 1 / patches)
    losses = [float(matching_loss([even, a, a], t, GRID)) for a in (right, even)]
    assert losses[0] < 1.2 < 2.0 < losses[1]


def test_switches_change_the_parameters_and_only_they() -> None:
    small = Config.small()
    plain = dataclasses.replace(small, stem=None, encoder_position=False, dense_skip=False)
    names = [set(Point3R(c).state_dict()) for c in (small, plain)]
    assert all(n.startswith(("patch_embed.", "enc_pos.")) or ".skip." in n for n in names[0] ^ names[1])
    with pytest.raises(ConfigError, match="needs a stem"):
        dataclasses.replace(plain, dense_skip=True).validate()


def test_prototype_names_are_translated(tmp_path: Path) -> None:
    for old, new in (
        ("self_head.layer_rn.0.weight", "downstream_head.dpt_self.scratch.layer1_rn.weight"),
        ("cross_head.refinenet.3.out_conv.bias", "downstream_head.dpt_cross.scratch.refinenet4.out_conv.bias"),
        ("self_head.h2.weight", "downstream_head.dpt_self.head.2.weight"),
        ("pose_head.fc1.bias", "downstream_head.pose_head.mlp.fc1.bias"),
        ("final_transform.1.norm1.mlp.1.weight", "downstream_head.final_transform.1.norm1.mlp.1.weight"),
        ("pts_patch_embed.weight", "pts_patch_embed.proj.weight"),
        ("patch_embed.proj.weight", "patch_embed.proj.weight"),
        ("memory_attn_head.2.weight", "memory_attn_head.2.weight"),
    ):
        assert adopt.name_of(old) == new
    save_file({"enc_norm.weight": torch.ones(3)}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="another config"):
        adopt.adopt(tmp_path / "w.safetensors", Config.small())


def test_blend_lies_between_both_and_refuses_other_networks(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2), "b": torch.ones(1)}, tmp_path / "w.safetensors")
    mixed = export.blend({"a": torch.full((2,), 4.0)}, tmp_path / "w.safetensors", 0.75)
    assert torch.equal(mixed["a"], torch.full((2,), 3.0))
    with pytest.raises(ValueError, match="another shape"):
        export.blend({"b": torch.ones(2)}, tmp_path / "w.safetensors", 0.5)


def test_prototype_weights_are_complete(golden: Path) -> None:
    file = golden.parent / "prototype/weights.safetensors"
    if not file.is_file():
        pytest.skip(f"{file} is not here")
    found = adopt.adopt(file, Config.small())
    assert torch.equal(found["enc_pos.weight"], load_file(file)["enc_pos.weight"].float())
    Point3R(Config.small()).load_state_dict(found)
