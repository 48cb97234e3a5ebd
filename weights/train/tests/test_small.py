"""What only small networks have: stem, position, skip, the matching loss, and the prototype's names."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from worlds import box_scene

from point3r_train import adopt, export
from point3r_train.config import Config, ConfigError
from point3r_train.data.batches import Batch, ground_truth
from point3r_train.losses import Targets, log_point_loss
from point3r_train.matching import matching_loss, places, projection
from point3r_train.model import Point3R, Prediction
from point3r_train.model.heads import camera_pose, points_and_confidence
from point3r_train.processes import Processes
from point3r_train.recipe import Phase, Recipe
from point3r_train.train import Trainer

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


def test_a_phase_without_dense_heads_teaches_the_pose() -> None:
    trainer = Trainer(
        Recipe(
            config="small", criterion="log_points", phases=(Phase(1.0, 2, 1, true_pointers=True, dense=False),),
            steps=10, warmup_steps=1, matching=0.1, checkpoint_heads=False,
        ),
        Config.small(), Processes(0, 1, torch.device("cpu")),
    )  # fmt: skip
    t = targets()
    two = Targets(*(x[:, :2] if x.ndim > 1 else x for x in (t.points, t.valid, t.sky, t.poses, t.metric)))
    batch = Batch(torch.rand(1, 2, 3, *two.valid.shape[2:]) * 2 - 1, two)
    loss = trainer.forward(batch)
    loss.total.backward()
    assert set(loss.terms) == {"pose", "matching"}
    learned = {name for name, p in trainer.trained.items() if p.grad is not None and p.grad.abs().max() > 0}
    assert not any(".dpt_" in name for name in learned)
    assert {"pose_token", "downstream_head.pose_head.mlp.fc1.weight", "enc_blocks.0.attn.qkv.weight"} <= learned
    with pytest.raises(ValueError, match="true_pointers"):
        Phase(1.0, 2, 1, dense=False)


def test_the_first_pose_counts_apart() -> None:
    t = targets()
    shape = t.valid.shape[2:]
    maps = torch.zeros(1, 4, *shape)
    points, confidence = points_and_confidence(maps)

    def loss(turns: list[float]) -> float:
        # Quaternion (w, x) = (1, turn): half the tangent of half the angle, about.
        predictions = []
        for index in range(2):
            raw = torch.tensor([[0.0, 0, 0, 1, turns[index], 0, 0]])
            predictions.append(
                Prediction(points, confidence, points, confidence, camera_pose(raw), maps, maps, raw)
            )  # fmt: skip
        still = Targets(t.points[:, [0, 0]], t.valid[:, [0, 0]], t.sky[:, [0, 0]], t.poses[:, [0, 0]], t.metric)
        return log_point_loss(predictions, still).total.item()

    right, first_off, second_off = loss([0, 0]), loss([0.1, 0]), loss([0, 0.1])
    assert first_off > right + 1e-3
    assert abs((second_off - right) / (first_off - right) - 2) < 1e-3


def test_model_folders_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    values = {"int8": rng.integers(-127, 128, (3, 64)), "int4": rng.integers(-8, 8, (3, 64))}
    shard, tensors, expected = b"", [], {}

    def piece(data: bytes) -> list[dict[str, object]]:
        nonlocal shard
        shard += data
        return [{"shard": 0, "range": [len(shard) - len(data), len(shard)]}]

    for storage, v in values.items():
        scale = rng.random((3, 2)).astype("<f2")
        bits = 8 if storage == "int8" else 4
        stored = (v + (8 if bits == 4 else 0)).astype(np.int64) & (2**bits - 1)
        words = (stored.reshape(3, -1, 32 // bits) << np.arange(0, 32, bits)).sum(-1).astype("<u4")
        # The last block of a row is filled up.
        name, width = storage, 50
        tensors.append({
            "name": name, "shape": [3, width], "storage": storage, "block": 32,
            "pieces": piece(words[:2].tobytes()) + piece(words[2:].tobytes()), "scale": piece(scale.tobytes()),
        })  # fmt: skip
        expected[name] = (v * scale.astype(np.float32).repeat(32, 1))[:, :width]
    for storage, dtype in (("f32", "<f4"), ("f16", "<f2")):
        v = rng.random((2, 3, 2)).astype(dtype)
        tensors.append({"name": storage, "shape": [2, 3, 2], "storage": storage, "pieces": piece(v.tobytes())})
        expected[storage] = v.astype(np.float32)
    (tmp_path / "s.safetensors").write_bytes(shard)
    (tmp_path / "manifest.json").write_text(json.dumps({"tensors": tensors, "shards": [{"file": "s.safetensors"}]}))
    found = export.read(tmp_path)
    assert found.keys() == expected.keys()
    for name, v in expected.items():
        assert np.allclose(found[name].numpy(), v, atol=1e-7), name


def test_a_run_is_blended_with_a_model_folder(tmp_path: Path) -> None:
    own = {"used": torch.tensor([1.0, 3.0]), "never_used": torch.tensor([5.0])}
    (tmp_path / "s.safetensors").write_bytes(np.array([3, 5], "<f4").tobytes())
    tensor = {"name": "used", "shape": [2], "storage": "f32", "pieces": [{"shard": 0, "range": [0, 8]}]}
    (tmp_path / "manifest.json").write_text(json.dumps({"tensors": [tensor], "shards": [{"file": "s.safetensors"}]}))
    found = export.blend(own, tmp_path, 0.75)
    assert found["used"].tolist() == [1.5, 3.5]
    assert found["never_used"].tolist() == [5.0]
