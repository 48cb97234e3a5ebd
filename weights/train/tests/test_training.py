"""Training: it learns, it resumes bit for bit, and two processes equal one."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from test_processed import write_processed
from worlds import box_scene, write_posed_rgbd

from point3r_train import checkpoint, export
from point3r_train.config import Config, Dpt, PointerHead, Stack
from point3r_train.data.batches import Batches
from point3r_train.data.layouts import LAYOUTS
from point3r_train.data.posed_rgbd import PosedRgbd
from point3r_train.data.processed import Processed
from point3r_train.processes import Processes
from point3r_train.recipe import RECIPES, Phase, Recipe
from point3r_train.train import Limits, Trainer, decays, never_used, train

ONE = Processes(0, 1, torch.device("cpu"))
# Under a second per ten steps; every part of the network is there.
NANO = Config(
    enc_embed_dim=48, enc_depth=2, enc_num_heads=3, dec_embed_dim=48, dec_depth=3, dec_num_heads=3,
    memory_dec_num_heads=4, mlp_ratio=2,
    value_encoder=Stack(depth=1, dim=48, heads=3, mlp_ratio=2),
    pose_memory=Stack(depth=1, dim=96, heads=3, mlp_ratio=1, slots=4),
    dpt=Dpt((8, 12, 16, 24), 16, 8, (0, 1, 2, 3)),
    final_transform=Stack(depth=1, heads=3, mlp_ratio=2),
    memory_attn_head=PointerHead(96, 96, 48),
    image_size=64,
)  # fmt: skip
RECIPE = Recipe(
    criterion="log_points", resolutions=((64, 48),), phases=(Phase(1.0, 3, 4),), steps=200, warmup_steps=5, lr=2e-3,
    min_lr=1e-4, bf16=False, checkpoint_heads=False, ema=0.9, jitter=False,
)  # fmt: skip


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    for seed in range(3):
        write_posed_rgbd(tmp_path / f"scenes/{seed}", box_scene(seed))
    return tmp_path / "scenes"


def batches(scenes: Path, recipe: Recipe, trainer: Trainer) -> Batches:
    shape = lambda step: recipe.shape(step, trainer.total)  # noqa: E731
    return Batches([(PosedRgbd(scenes), 1.0)], shape, recipe.seed, recipe.augmentation())


def quiet(_: str) -> None:
    pass


def test_smoke_training_halves_the_loss(scenes: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, steps=120)
    trainer = Trainer(recipe, NANO, ONE)
    train(trainer, batches(scenes, recipe, trainer), tmp_path / "run", Limits(log_steps=10), quiet)
    rows = [line.split(",") for line in (tmp_path / "run/log.csv").read_text().splitlines()]
    loss = [float(row[rows[0].index("loss")]) for row in rows[1:]]
    camera = [float(row[rows[0].index("camera")]) for row in rows[1:]]
    print(f"loss {loss[0]:.3f} -> {loss[-1]:.3f}, camera {camera[0]:.3f} -> {camera[-1]:.3f}")
    assert loss[-1] < 0.5 * loss[0]
    assert (tmp_path / "run/log.svg").read_text().count("<polyline") == 4
    assert (tmp_path / "run/export/model.safetensors").is_file()


@pytest.mark.parametrize("criterion", ["log_points", "reference"])
def test_a_resumed_run_is_bit_identical(scenes: Path, tmp_path: Path, criterion: str) -> None:
    recipe = dataclasses.replace(RECIPE, criterion=criterion, steps=8, jitter=True)
    whole = Trainer(recipe, NANO, ONE)
    train(whole, batches(scenes, recipe, whole), tmp_path / "whole", Limits(log_steps=1), quiet)
    for stop in (3, 5, 0):
        part = Trainer(recipe, NANO, ONE)
        train(part, batches(scenes, recipe, part), tmp_path / "part", Limits(log_steps=1, stop_at=stop), quiet)
    for (name, a), b in zip(whole.network.named_parameters(), part.network.parameters(), strict=True):
        assert torch.equal(a, b), name
    for name, a in whole.average.items():
        assert torch.equal(a, part.average[name]), name

    def numbers(run: str) -> list[list[str]]:
        rows = [line.split(",") for line in (tmp_path / run / "log.csv").read_text().splitlines()]
        return [[v for i, v in enumerate(row) if rows[0][i] != "seconds"] for row in rows]

    assert numbers("whole") == numbers("part")


def test_a_kill_while_saving_leaves_the_checkpoint_before(scenes: Path, tmp_path: Path) -> None:
    trainer = Trainer(RECIPE, NANO, ONE)
    run = tmp_path / "run"
    train(trainer, batches(scenes, RECIPE, trainer), run, Limits(stop_at=2), quiet)
    half = run / "step-000000009.partial"
    half.mkdir()
    (half / "part-000.safetensors").write_bytes(b"half")
    unfinished = run / "step-000000008"
    unfinished.mkdir()
    assert checkpoint.latest(run) == run / "step-000000002"
    log = run / "log.csv"
    # A row cut off, in the log of an earlier version that had a column less.
    log.write_text(log.read_text().replace(",depth,", ",").replace(",nan", "", 1) + "3,9")
    train(trainer, batches(scenes, RECIPE, trainer), run, Limits(stop_at=3), quiet)
    assert trainer.step_number == 3
    assert [line.split(",")[0] for line in log.read_text().splitlines()] == ["step", "2.0", "3.0"]


def test_a_run_killed_at_any_moment_continues(scenes: Path, tmp_path: Path) -> None:
    """A real kill: the process ends without a chance to save, at whatever it was doing."""
    config = tmp_path / "nano.json"
    config.write_text(NANO.to_json())
    words = [
        sys.executable, "-m", "point3r_train", "train", "--recipe", "default", "--network", str(config), "--device",
        "cpu", "--threads", "1", "--data", f"posed-rgbd:{scenes}", "--save-minutes", "0", "--log-steps", "1",
        "--set", 'phases=[{"share":1,"views":2,"batch":2}]', "--set", "resolutions=[[64,48]]", "--set", "steps=1000",
        "-o", str(tmp_path / "run"),
    ]  # fmt: skip
    root = Path(__file__).parents[1]
    process = subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 4"):
            break
    process.kill()
    process.wait()
    found = checkpoint.latest(tmp_path / "run")
    assert found is not None
    at = checkpoint.read(found).step
    done = subprocess.run([*words, "--stop-at", str(at + 1)], cwd=root, capture_output=True, text=True, check=True)
    assert f"continues from {found.name}" in done.stdout
    assert checkpoint.read(checkpoint.latest(tmp_path / "run") or found).step == at + 1


def test_damaged_checkpoint_is_refused(scenes: Path, tmp_path: Path) -> None:
    trainer = Trainer(RECIPE, NANO, ONE)
    checkpoint.write(tmp_path / "c", trainer.state())
    file = tmp_path / "c/part-000.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(checkpoint.CheckpointError, match="damaged"):
        checkpoint.read(tmp_path / "c")


def test_parts_stay_below_their_limit_and_large_tensors_are_cut(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    parameters = {
        "small": torch.randn(1000, generator=generator),
        "large": torch.randn(3000, 2500, generator=generator),  # 30 MB
        "medium": torch.randn(1500, 2000, generator=generator),  # 12 MB
        "scalar": torch.randn(1, generator=generator),
    }
    state = checkpoint.TrainingState(5, {}, {}, parameters, dict(parameters))
    checkpoint.write(tmp_path / "c", state)
    sizes = [p.stat().st_size for p in (tmp_path / "c").iterdir()]
    assert max(sizes) <= checkpoint.PART_BYTES
    found = checkpoint.read(tmp_path / "c")
    for name, value in parameters.items():
        assert torch.equal(found.parameters[name], value)
        assert torch.equal(found.average[name], value)


def test_compact_checkpoint_of_the_default_network_fits_and_training_goes_on(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPES["default"], bf16=False, bf16_heads=False)
    trainer = Trainer(recipe, Config.named(recipe.config), ONE)
    for name, parameter in trainer.trained.items():
        torch.manual_seed(len(name))
        held = {"step": torch.tensor(7.0), "exp_avg": torch.zeros_like(parameter)}
        trainer.optimizer.state[parameter] = held | {"exp_avg_sq": torch.rand_like(parameter) * 1e-4}
    size = checkpoint.write(tmp_path / "c", trainer.state(), compact=True)
    print(f"{size / 1e6:.1f} MB")
    assert size <= checkpoint.COMPACT_LIMIT
    assert max(p.stat().st_size for p in (tmp_path / "c").iterdir()) <= checkpoint.PART_BYTES
    again = Trainer(recipe, Config.named(recipe.config), ONE)
    again.resume(checkpoint.read(tmp_path / "c"))
    for (name, a), b in zip(trainer.network.named_parameters(), again.network.parameters(), strict=True):
        assert (a - b).abs().max() <= 1e-3 * a.abs().max(), name
    matrix = trainer.network.decoder_embed.weight
    a = trainer.optimizer.state[matrix]["exp_avg_sq"]
    b = again.optimizer.state[again.network.decoder_embed.weight]["exp_avg_sq"]
    assert abs((a.mean() / b.mean()).item() - 1) < 1e-5

    small = checkpoint.without_duplicates(trainer.state(), never_used(trainer.config))
    assert checkpoint.write(tmp_path / "s", small, compact=True) < 0.55 * size
    again = Trainer(recipe, Config.named(recipe.config), ONE)
    again.resume(checkpoint.read(tmp_path / "s"))
    for name in trainer.trained:
        assert (again.average[name] - trainer.average[name]).abs().max() <= 1e-3 * trainer.average[name].abs().max()
        assert torch.equal(again.average[name], again.trained[name])
    lacking = dataclasses.replace(small, parameters={k: v for k, v in small.parameters.items() if k != "pose_token"})
    with pytest.raises(ValueError, match="pose_token"):
        again.resume(lacking)


def test_export_is_read_back_under_reference_names(tmp_path: Path) -> None:
    trainer = Trainer(RECIPE, NANO, ONE)
    export.write(tmp_path, trainer.weights(), NANO)
    for file in ("model.pth", "model.safetensors"):
        found = export.read(tmp_path / file)
        assert {k: v.shape for k, v in found.items()} == {k: v.shape for k, v in trainer.network.state_dict().items()}
    assert Config.read(tmp_path / "config.json") == NANO


def test_dust3r_names_become_ours() -> None:
    import tempfile

    trainer = Trainer(RECIPE, NANO, ONE)
    renamed = {}
    for name, value in trainer.network.state_dict().items():
        for new, old in (("dec_blocks_memory.", "dec_blocks2."), ("downstream_head.dpt_self.", "downstream_head1.dpt."),
                         ("downstream_head.dpt_cross.", "downstream_head2.dpt.")):  # fmt: skip
            name = old + name.removeprefix(new) if name.startswith(new) else name
        if name.startswith(("enc_", "patch_embed", "dec_blocks", "downstream_head1", "downstream_head2")):
            renamed[f"module.{name}"] = value + 1
    with tempfile.TemporaryDirectory() as folder:
        torch.save({"model": renamed}, Path(folder) / "d.pth")
        other = Trainer(RECIPE, NANO, ONE)
        other.start_from(Path(folder) / "d.pth", quiet)
    before, after = trainer.network.state_dict(), other.network.state_dict()
    for name in ("dec_blocks_memory.1.mlp.fc1.weight", "downstream_head.dpt_cross.head.4.bias", "enc_norm.weight"):
        assert torch.equal(after[name], before[name] + 1), name
    assert torch.equal(after["pts_patch_embed.proj.weight"], before["patch_embed.proj.weight"] + 1)


WORKER = """
import sys
sys.path[:0] = [{tests!r}, {root!r}]
import torch
torch.set_num_threads(1)
import dataclasses
from pathlib import Path
from point3r_train.flags import Flag
from point3r_train.processes import Processes
from point3r_train.recipe import Phase
from point3r_train.train import Trainer
import test_training as t

processes = Processes.join("cpu")
recipe = dataclasses.replace(
    t.RECIPE, criterion=sys.argv[3], average_every=int(sys.argv[4]), phases=(Phase(1.0, 3, 4 // processes.count),)
)
trainer = Trainer(recipe, t.NANO, processes)
data = t.batches(Path(sys.argv[1]), recipe, trainer)
for _, batch in data.iterate(0, 3, processes.rank, processes.count):
    # Different numbers of valid pixels per sample: a plain mean of means would be wrong.
    batch.targets.valid[:, :, : 8 + 16 * (processes.rank == 0), :20] = False
    if processes.count == 1:
        batch.targets.valid[:] = True
        batch.targets.valid[:2, :, :24, :20] = False
        batch.targets.valid[2:, :, :8, :20] = False
    if len(sys.argv) > 5:
        flags = (Flag.NONE, Flag.NONE, Flag.DEPTH_ONLY, Flag.CAMERA_ONLY)
        mine = flags if processes.count == 1 else ((), flags[2:])[processes.rank]
        batch = dataclasses.replace(batch, targets=dataclasses.replace(batch.targets, flags=mine))
    trainer.step(batch)
torch.save(trainer.network.state_dict(), sys.argv[2] + str(processes.rank))
processes.leave()
"""


def run_worker(scenes: Path, folder: Path, count: int, criterion: str, every: int) -> list[dict[str, torch.Tensor]]:
    """Three steps in `count` processes; the weights of each."""
    script, out, here = folder / "worker.py", folder / f"{count}.pt", Path(__file__).parent
    script.write_text(WORKER.format(tests=str(here), root=str(here.parent)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torchrun = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={count}", f"--master-port={port}"]
    criterion, *flagged = criterion.split("+")
    settings = [criterion, str(every), *flagged]
    words = [*(torchrun if count > 1 else [sys.executable]), str(script), str(scenes), str(out), *settings]
    subprocess.run(words, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    return [torch.load(f"{out}{rank}", weights_only=True) for rank in range(count)]


def test_processes_that_meet_every_third_step_hold_the_same_weights(scenes: Path, tmp_path: Path) -> None:
    one, two = run_worker(scenes, tmp_path, 2, "log_points", 3)
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("criterion", ["log_points", "reference", "reference+flags"])
def test_two_processes_equal_one_with_twice_the_batch(scenes: Path, tmp_path: Path, criterion: str) -> None:
    found = [run_worker(scenes, tmp_path, count, criterion, 1)[0] for count in (2, 1)]
    start = Trainer(RECIPE, NANO, ONE).network.state_dict()
    moved = sum((found[1][k] - start[k]).square().sum().item() for k in start) ** 0.5
    apart = sum((found[0][k] - found[1][k]).square().sum().item() for k in start) ** 0.5
    # Summation order differs, and Adam divides small gradients by their own size.
    assert moved > 0.1
    assert apart < 0.01 * moved, (apart, moved)


def flagged(folder: Path, flag: str) -> Processed:
    """A data set with a flag."""
    layout = dataclasses.replace(LAYOUTS["hypersim"], flag=flag, metric=flag == "camera-only")
    write_processed(folder / "a", layout, box_scene(7))
    return Processed(folder, layout, name=flag)


def test_a_mixture_of_whole_and_partial_truth_is_learned_from(scenes: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, criterion="reference", steps=24)
    trainer = Trainer(recipe, NANO, ONE)
    sources = [PosedRgbd(scenes), *(flagged(tmp_path / f, f) for f in ("depth-only", "single-view", "camera-only"))]
    data = Batches([(s, 1.0) for s in sources], lambda step: recipe.shape(step, 24), 0, recipe.augmentation())
    train(trainer, data, tmp_path / "run", Limits(log_steps=8), quiet)
    rows = [line.split(",") for line in (tmp_path / "run/log.csv").read_text().splitlines()]
    loss = [float(row[rows[0].index("loss")]) for row in rows[1:]]
    assert loss[-1] < loss[0]
    assert sum(float(row[rows[0].index("skipped")]) for row in rows[1:]) == 0


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"criterion": "log_points"}, "criterion log_points"),
        ({"matching": 0.1}, "matching"),
        ({"phases": (Phase(1.0, 2, 1, true_pointers=True),)}, "true_pointers"),
    ],
)
def test_partial_truth_is_refused_where_the_whole_is_needed(
    scenes: Path, tmp_path: Path, changes: dict[str, Any], setting: str
) -> None:
    recipe = dataclasses.replace(RECIPE, **{"criterion": "reference", **changes})
    trainer = Trainer(recipe, NANO, ONE)
    source = flagged(tmp_path / "f", "camera-only")
    data = Batches([(PosedRgbd(scenes), 1.0), (source, 1.0)], lambda step: recipe.shape(step, 9), 0)
    with pytest.raises(ValueError, match=rf"camera-only \(camera-only\): {setting} needs the whole"):
        train(trainer, data, tmp_path / "run", Limits(), quiet)
    assert not (tmp_path / "run").exists()


def test_mixed_phases_take_their_shares_and_are_the_same_everywhere() -> None:
    phases = (Phase(0.25, 1, 8), Phase(0.75, 4, 3))
    recipe = dataclasses.replace(RECIPE, phases=phases, mixed=True, steps=4000)
    views = [recipe.phase(step, 4000).views for step in range(4000)]
    assert 0.7 < views.count(4) / len(views) < 0.8
    assert views[:50].count(1) > 0
    assert views == [recipe.phase(step, 9000).views for step in range(4000)]
    frames = sum(2 * (8 if v == 1 else 12) for v in views[:1500])
    assert recipe.frames_before(1500, 4000, 2) == frames


def test_decay_may_begin_late() -> None:
    recipe = dataclasses.replace(RECIPE, steps=1000, warmup_steps=100, lr=1.0, min_lr=0.0, decay_from=0.5)
    assert recipe.learning_rate(100, 1000) == recipe.learning_rate(550, 1000) == 1.0
    assert abs(recipe.learning_rate(775, 1000) - 0.5) < 1e-9
    assert recipe.learning_rate(1000, 1000) == 0.0


def test_recipes_are_the_published_ones() -> None:
    one, three = RECIPES["stage1"], RECIPES["stage3"]
    assert one.total_steps(8) == 100_000 * 100 // (16 * 8)
    assert (one.update, three.update) == ("concatenate", "merge")
    total = one.total_steps(8)
    warm = total * 5 // 100
    assert one.learning_rate(0, total) == 0
    assert abs(one.learning_rate(warm, total) - 5e-5) < 1e-8  # warm-up ends within a step
    assert abs(one.learning_rate(total, total) - 1e-6) < 1e-12
    for name, recipe in RECIPES.items():
        assert Recipe.from_dict(recipe.to_dict()) == recipe, name
    changed = RECIPES["default"].with_settings(["lr=0.5", 'resolutions=[[64,64]]', "criterion=reference"])
    assert (changed.lr, changed.resolutions, changed.criterion) == (0.5, ((64, 64),), "reference")
    with pytest.raises(ValueError, match="no setting"):
        changed.with_settings(["rate=1"])


def test_freezing_and_weight_decay_follow_the_rules() -> None:
    trainer = Trainer(dataclasses.replace(RECIPE, frozen=RECIPES["stage3"].frozen), NANO, ONE)
    assert not any(n.startswith(("patch_embed.", "enc_blocks.", "enc_norm.")) for n in trainer.trained)
    assert "pts_patch_embed.proj.weight" in trainer.trained
    assert "dec_blocks_memory.2.norm1.weight" not in trainer.trained
    p = dict(trainer.network.named_parameters())
    for name, expected in (("pose_token", True), ("pose_retriever.mem", True), ("enc_norm.weight", False),
                           ("decoder_embed.weight", True), ("decoder_embed.bias", False)):  # fmt: skip
        assert decays(name, p[name]) is expected, name
