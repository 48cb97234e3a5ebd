"""The network against the reference tensors of `golden/tiny`, and batches against single sequences."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from point3r_train import export, formula
from point3r_train.config import Config
from point3r_train.model import Point3R, blocks
from point3r_train.model.heads import pose_matrix, quaternion_of
from point3r_train.model.rope import rotary_2d, rotary_3d

# max|a-b| / max|b|: f32 rounding of the reference itself is 3e-6, see golden/README.md.
MAPS, OTHER, UNIT = 5e-5, 2e-5, 2e-6
EXACT = ("merge_nn_index", "merge_is_add")


def load_tiny(golden: Path) -> Point3R:
    config = Config.read(golden / "tiny/config.json")
    network = Point3R(config)
    weights = {k: v.float() for k, v in load_file(golden / "tiny/weights.safetensors").items()}
    network.load_state_dict(weights, strict=True)
    return network


def worst(found: torch.Tensor, expected: torch.Tensor) -> float:
    return ((found.reshape(expected.shape) - expected).abs().max() / expected.abs().max()).item()


def test_rotary_tables_match(golden: Path) -> None:
    e = load_file(golden / "tiny/expected.safetensors")
    bases = Config().rope3d_bases
    for name, width in (("d64", 64), ("d48", 48), ("pose", 64)):
        x, pos = e[f"unit.rope3d.{name}.x"], e[f"unit.rope3d.{name}.pos"]
        table = rotary_3d(pos, width, bases)
        table = table.after_pose_token() if name == "pose" else table
        assert (table(x) - e[f"unit.rope3d.{name}.y"]).abs().max() < UNIT
    x = e["unit.rope2d.x"]
    rows, columns = (int(n) + 1 for n in e["unit.rope2d.pos"][0].amax(0))
    table = rotary_2d((rows, columns), x.shape[-1], 100.0, x.device)
    assert (table(x) - e["unit.rope2d.y"]).abs().max() < UNIT


@torch.no_grad()
def test_forward_matches_every_reference_tensor(golden: Path) -> None:
    network = load_tiny(golden)
    e = load_file(golden / "tiny/expected.safetensors")
    images = load_file(golden / "tiny/inputs.safetensors")["images"]
    trace: dict[str, torch.Tensor] = {}
    encoded = network.encode(images, trace)
    compared = {k for k in e if k.startswith("unit.")}
    for name, value in trace.items():
        assert worst(value, e[name]) < OTHER, name
        compared.add(name)
    state = None
    for i in range(len(images)):
        trace = {}
        prediction, state = network.step(state, encoded[i : i + 1], (3, 4), trace=trace)
        trace["out.pts3d_in_self_view"], trace["out.conf_self"] = prediction.points_camera, prediction.confidence_camera
        trace["out.pts3d_in_other_view"], trace["out.conf"] = prediction.points_world, prediction.confidence_world
        trace["out.camera_pose"], trace["out.c2w"] = prediction.camera_pose, pose_matrix(prediction.camera_pose)
        for name, value in trace.items():
            key = f"f{i}.{name}"
            if key not in e:
                continue
            compared.add(key)
            if name in EXACT:
                assert torch.equal(value.int(), e[key].int()), key
                continue
            is_map = "pts3d" in name or "conf" in name or name.startswith("dpt_")
            assert worst(value, e[key]) < (MAPS if is_map else OTHER), (key, worst(value, e[key]))
    assert set(e) - compared == set()


def test_formula_weights_are_the_reference_weights(golden: Path) -> None:
    config = Config.read(golden / "tiny/config.json")
    network = Point3R(config)
    formula.fill(network, config)
    expected = load_file(golden / "tiny/weights.safetensors")
    assert set(network.state_dict()) == set(expected)
    for key, value in network.state_dict().items():
        assert torch.equal(value, expected[key].float()), key


def test_checkpoint_file_of_the_reference_is_read(golden: Path) -> None:
    network = Point3R(Config.read(golden / "tiny/config.json"))
    missing, unknown = export.start_from(network, golden / "tiny/checkpoint.pth")
    assert (missing, unknown) == ([], [])
    for key, value in load_tiny(golden).state_dict().items():
        assert torch.equal(network.state_dict()[key], value), key


def test_released_config_has_every_key_of_the_released_checkpoint(golden: Path) -> None:
    table = golden.parent / "spec/point3r-512-tensors.csv"
    if not table.is_file():
        pytest.skip(f"{table} is not here")
    rows = [line.split(",") for line in table.read_text().splitlines()[1:]]
    expected = {row[0]: row[1] for row in rows if not row[4]}
    with torch.device("meta"):
        network = Point3R(Config.released())
    found = {k: "x".join(map(str, v.shape)) for k, v in network.state_dict().items()}
    assert found == expected
    assert sum(p.numel() for p in network.parameters()) == 828_014_991


def test_config_survives_a_round_trip() -> None:
    for config in (Config.released(), Config.small(), Config.tiny()):
        assert Config.from_dict(config.to_dict()) == config


@pytest.mark.parametrize("grad", [False, True])
def test_a_batch_with_different_pointer_counts_equals_single_runs(golden: Path, grad: bool) -> None:
    network = load_tiny(golden)
    images = load_file(golden / "tiny/inputs.safetensors")["images"]
    # The second sequence repeats one image, so its memory grows much more slowly.
    pair = torch.stack([images[:4], images[[4, 4, 4, 4]]])
    with torch.set_grad_enabled(grad):
        state, both = None, network.encode(pair.flatten(0, 1)).unflatten((2, 4))
        for i in range(4):
            together, state = network.step(state, both[:, i], (3, 4))
            assert state is not None
        assert len(set(state.pointers.counts)) == 2
        assert together.points_world.isfinite().all()
        for b in range(2):
            alone = network(pair[b : b + 1])[-1]
            for name in ("points_world", "points_camera", "confidence_world", "camera_pose"):
                # Same mathematics, other summation order.
                assert worst(getattr(together, name)[b : b + 1], getattr(alone, name)) < 1e-5, name
    if grad:
        together.points_world.sum().backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


def test_fused_attention_has_the_same_gradients(golden: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_tiny(golden)
    images = load_file(golden / "tiny/inputs.safetensors")["images"]
    pair = torch.stack([images[:3], images[[4, 4, 4]]])
    gradients = []
    for plain in (True, False):
        monkeypatch.setattr(blocks, "PLAIN_ON_CPU", plain)
        network.zero_grad()
        sum(p.raw_world.square().mean() for p in network(pair)).backward()
        gradients.append({n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None})
    for name, value in gradients[0].items():
        assert (value - gradients[1][name]).norm() <= 1e-3 * value.norm() + 1e-6, name


def test_bf16_stays_close(golden: Path) -> None:
    network = load_tiny(golden)
    images = load_file(golden / "tiny/inputs.safetensors")["images"][None, :3]
    exact = network(images)[-1]
    for heads in (False, True):
        network.autocast_heads = heads
        with torch.autocast("cpu", torch.bfloat16):
            rough = network(images)[-1]
        rough.points_world.sum().backward()
        # 8 bits of mantissa through 20 layers of an untrained network.
        assert worst(rough.points_camera, exact.points_camera) < 0.1


def test_checkpointed_heads_and_streaming_change_nothing(golden: Path) -> None:
    network = load_tiny(golden)
    images = load_file(golden / "tiny/inputs.safetensors")["images"][:3]
    plain = network(images[None])
    network.checkpoint_heads = True
    saved = network(images[None])
    assert torch.equal(plain[2].points_world, saved[2].points_world)
    with torch.no_grad():
        streamed = [p for p, _ in network.stream(iter(images[:, None]))]
    assert worst(streamed[2].points_world, plain[2].points_world) < 1e-5


def test_concatenation_keeps_every_patch(golden: Path) -> None:
    network = load_tiny(golden)
    images = load_file(golden / "tiny/inputs.safetensors")["images"][:3]
    with torch.no_grad():
        counts = [s.pointers.counts for _, s in network.stream(iter(images[:, None]), how="concatenate")]
    assert counts == [(12,), (24,), (36,)]


def test_quaternions_of_matrices_round_trip() -> None:
    generator = torch.Generator().manual_seed(3)
    q = torch.nn.functional.normalize(torch.randn(200, 4, generator=generator), dim=-1)
    q[0] = torch.tensor([0.0, 1, 0, 0])
    q = torch.where(q[:, :1] < 0, -q, q)
    matrix = pose_matrix(torch.cat([torch.zeros(200, 3), q], -1))
    assert (quaternion_of(matrix[:, :3, :3]) - q).abs().max() < 1e-5
