"""Readers, bad input, augmentation and the order of data."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from worlds import box_scene, on_the_walls, write_posed_rgbd

from point3r_train.data.augment import Augmentation, crop, jitter, mirror
from point3r_train.data.batches import Batches, Shape, pick_frames
from point3r_train.data.frames import BadInput, DataError, Frames
from point3r_train.data.packed import PackedCommand, PackedFiles, read_records, write_record
from point3r_train.data.posed_rgbd import PosedRgbd

SHAPE = Shape(samples=3, views=3, resolutions=((48, 32), (32, 48)))


def test_posed_rgbd_gives_the_frames_that_were_written(tmp_path: Path) -> None:
    scene = box_scene(1)
    write_posed_rgbd(tmp_path / "a", scene)
    write_posed_rgbd(tmp_path / "b", box_scene(2))
    source = PosedRgbd(tmp_path)
    assert (source.scene_count(), source.frame_count(0)) == (2, 6)
    found = source.load(0, [4, 1])
    assert np.array_equal(found.rgb, scene.rgb[[4, 1]])
    assert np.abs(found.depth - scene.depth[[4, 1]]).max() <= 0.0005001  # millimetres
    assert np.allclose(found.poses, scene.poses[[4, 1]])
    assert on_the_walls(found) == 1


def break_missing_depth(folder: Path) -> None:
    (folder / "depth/000002.png").unlink()


def break_missing_pose(folder: Path) -> None:
    (folder / "pose/000002.txt").unlink()


def break_pose_size(folder: Path) -> None:
    (folder / "pose/000002.txt").write_text("1 0 0 0\n0 1 0 0\n0 0 1 0\n")


def break_pose_nan(folder: Path) -> None:
    (folder / "pose/000002.txt").write_text("1 0 0 nan\n0 1 0 0\n0 0 1 0\n0 0 0 1\n")


def break_pose_text(folder: Path) -> None:
    (folder / "pose/000002.txt").write_text("not a pose")


def break_pose_scale(folder: Path) -> None:
    np.savetxt(folder / "pose/000002.txt", np.diag([2.0, 2, 2, 1]))


def break_size(folder: Path) -> None:
    Image.new("RGB", (32, 48)).save(folder / "color/000002.png")


def break_depth_size(folder: Path) -> None:
    Image.fromarray(np.zeros((24, 32), np.uint16)).save(folder / "depth/000002.png")


def break_image(folder: Path) -> None:
    (folder / "color/000002.png").write_bytes(b"not an image")


@pytest.mark.parametrize(
    ("damage", "problem", "file"),
    [
        (break_missing_depth, "missing-file", "depth/000002.png"),
        (break_missing_pose, "missing-file", "pose/000002.txt"),
        (break_pose_size, "pose-size", "pose/000002.txt"),
        (break_pose_text, "pose-size", "pose/000002.txt"),
        (break_pose_nan, "pose-not-finite", "pose/000002.txt"),
        (break_pose_scale, "pose-not-rigid", "pose/000002.txt"),
        (break_size, "mixed-resolution", "color/000002.png"),
        (break_depth_size, "mixed-resolution", "depth/000002.png"),
        (break_image, "unreadable", "color/000002.png"),
    ],
)
def test_bad_input_is_named_or_skipped_and_counted(tmp_path: Path, damage, problem: str, file: str) -> None:
    write_posed_rgbd(tmp_path / "a", box_scene(1))
    damage(tmp_path / "a")
    with pytest.raises(DataError) as error:
        PosedRgbd(tmp_path).frame_count(0)
    assert error.value.problem == problem
    assert error.value.file == tmp_path / "a" / file

    bad = BadInput(skip=True)
    source = PosedRgbd(tmp_path, bad)
    assert source.frame_count(0) == 5
    assert dict(bad.counts) == {problem: 1}
    assert file in bad.summary()


def test_intrinsics_that_are_none_are_refused(tmp_path: Path) -> None:
    write_posed_rgbd(tmp_path, box_scene(1))
    (tmp_path / "intrinsics.txt").write_text("0 0 32 0 0 24 0 0 1")
    with pytest.raises(DataError, match="focal lengths"):
        PosedRgbd(tmp_path).frame_count(0)


def test_a_scene_that_is_all_bad_is_replaced_by_others(tmp_path: Path) -> None:
    write_posed_rgbd(tmp_path / "a", box_scene(1))
    write_posed_rgbd(tmp_path / "b", box_scene(2))
    for file in (tmp_path / "a/depth").iterdir():
        file.unlink()
    bad = BadInput(skip=True)
    batches = Batches([(PosedRgbd(tmp_path, bad), 1.0)], lambda _: SHAPE, 0, bad=bad)
    for _, batch in batches.iterate(0, 4):
        assert batch.targets.valid.all()
    assert bad.counts["too-few-frames"] > 0


def packed(seeds: list[int]) -> bytes:
    stream = io.BytesIO()
    for seed in seeds:
        scene = box_scene(seed)
        scene.depth[0, 0, 0], scene.depth[0, 0, 1] = -1, 0
        moving = np.zeros(scene.depth.shape, bool)
        moving[1, 2, 3] = True
        write_record(stream, Frames(scene.rgb, scene.depth, scene.poses, scene.intrinsics, True, moving), seed)
    return stream.getvalue()


def test_packed_records_give_back_what_was_written(tmp_path: Path) -> None:
    data = packed([7, 8])
    records = list(read_records(io.BytesIO(data)))
    assert [h.seed for h, _ in records] == [7, 8]
    scene = box_scene(8)
    found = records[1][1]
    assert np.array_equal(found.rgb, scene.rgb)
    assert np.abs(found.depth[1:] - scene.depth[1:]).max() <= 0.0005001
    assert found.depth[0, 0, :2].tolist() == [-1, 0]
    assert found.moving is not None
    assert np.argwhere(found.moving).tolist() == [[1, 2, 3]]
    (tmp_path / "x.p3rw").write_bytes(data)
    source = PackedFiles(tmp_path)
    assert (source.scene_count(), source.frame_count(1)) == (2, 6)
    assert np.array_equal(source.load(1, [5, 2]).rgb, scene.rgb[[5, 2]])


@pytest.mark.parametrize("cut", [3, 20, 1000])
def test_a_truncated_record_is_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "x.p3rw").write_bytes(packed([7])[:-cut])
    with pytest.raises(DataError, match="early"):
        PackedFiles(tmp_path)


def test_a_record_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.p3rw").write_bytes(b"RIFF" + packed([7])[4:])
    with pytest.raises(DataError, match="expected b'P3RW'"):
        PackedFiles(tmp_path)


def renderer(folder: Path, fail_at: int = 1 << 40) -> str:
    script, here = folder / "render.py", Path(__file__).parent
    script.write_text(
        f"import sys; sys.path[:0] = [{str(here)!r}, {str(here.parent)!r}]\n"
        "from worlds import box_scene\nfrom point3r_train.data.packed import write_record\n"
        "first, count = map(int, sys.argv[1:])\n"
        "for scene in range(first, first + count):\n"
        f"    if scene == {fail_at}: sys.exit(1)\n"
        "    write_record(sys.stdout.buffer, box_scene(scene), scene)\n"
    )
    return f"{sys.executable} {script} {{first}} {{count}}"


def test_a_renderer_can_be_entered_anywhere(tmp_path: Path) -> None:
    command = renderer(tmp_path)
    whole = Batches([(PackedCommand(command, 6), 1.0)], lambda _: SHAPE, 3)
    later = Batches([(PackedCommand(command, 6), 1.0)], lambda _: SHAPE, 3)
    expected = [b for _, b in whole.iterate(0, 3)][2]
    assert torch.equal(later.batch(2).images, expected.images)


def test_a_renderer_in_a_mixture_gives_every_scene_once(tmp_path: Path) -> None:
    write_posed_rgbd(tmp_path / "a", box_scene(1))
    render, files = PackedCommand("unused {first} {count}", 6), PosedRgbd(tmp_path / "a")
    mixture = Batches([(files, 1.0), (render, 2.0)], lambda _: SHAPE, 3)
    drawn = [mixture._draw(number, 0)[:2] for number in range(300)]
    assert [scene for source, scene in drawn if source is render] == list(range(200))
    with pytest.raises(ValueError, match="at most one renderer"):
        Batches([(render, 1.0), (render, 1.0)], lambda _: SHAPE, 3)


def test_a_renderer_that_dies_is_an_error_or_is_skipped(tmp_path: Path) -> None:
    command = renderer(tmp_path, fail_at=4)
    source = [(PackedCommand(command, 6), 1.0)]
    with pytest.raises(DataError, match="ends 28 bytes early"):
        list(Batches(source, lambda _: SHAPE, 3).iterate(0, 3))
    bad = BadInput(skip=True)
    assert len(list(Batches([(PackedCommand(command, 6), 1.0)], lambda _: SHAPE, 3, bad=bad).iterate(0, 3))) == 3
    assert bad.counts == {"record": 2}  # scenes 4 and 5 of the process that rendered 3 to 5
    with pytest.raises(DataError, match="cannot be started"):
        PackedCommand("/no/such/renderer {first} {count}", 6).load(0, [0])


def test_batches_depend_on_the_step_alone_and_split_over_processes(tmp_path: Path) -> None:
    write_posed_rgbd(tmp_path / "a", box_scene(1, 12))
    write_posed_rgbd(tmp_path / "b", box_scene(2, 12))
    source = [(PosedRgbd(tmp_path), 1.0)]
    one = Batches(source, lambda _: Shape(4, 3, SHAPE.resolutions), 5)
    half = Batches(source, lambda _: Shape(2, 3, SHAPE.resolutions), 5)
    steps = [b for _, b in one.iterate(0, 12)]
    assert torch.equal(one.batch(3).images, steps[3].images)
    assert torch.equal(one.batch(3).targets.points, steps[3].targets.points)
    parts = [next(half.iterate(3, 4, rank, 2))[1].images for rank in range(2)]
    assert torch.equal(torch.cat(parts), steps[3].images)
    assert len({b.images.shape for b in steps}) == 2


def test_crop_and_mirror_keep_points_on_the_walls() -> None:
    rng = np.random.default_rng(2)
    scene = box_scene(3, 4, width=160, height=120)
    for width, height in ((64, 48), (48, 64), (224, 160)):
        cut = crop(scene, width, height, rng)
        assert cut.rgb.shape == (4, height, width, 3)
        assert np.abs(cut.intrinsics[:, 0, 2] - (width / 2 - 0.5)).max() <= 1
        assert np.abs(cut.intrinsics[:, 1, 2] - (height / 2 - 0.5)).max() <= 1
        # Nearest-neighbour depth is up to half a pixel off its ray: all but the edges between walls agree.
        assert on_the_walls(cut) > 0.95
    assert on_the_walls(mirror(scene)) == 1
    there_and_back = mirror(mirror(scene))
    assert np.allclose(there_and_back.poses, scene.poses)
    assert np.allclose(there_and_back.intrinsics, scene.intrinsics)


def test_jitter_is_shared_by_the_views_and_keeps_the_range() -> None:
    rgb = np.repeat(np.random.default_rng(0).random((1, 8, 8, 3)), 2, 0).astype(np.float32)
    for seed in range(20):
        out = jitter(rgb, np.random.default_rng(seed))
        assert np.array_equal(out[0], out[1])
        assert 0 <= out.min() <= out.max() <= 1
        assert not np.array_equal(out, rgb)


def test_hue_of_a_full_turn_changes_nothing() -> None:
    from point3r_train.data.augment import _turn_hue

    rgb = np.random.default_rng(1).random((1, 9, 9, 3)).astype(np.float32)
    assert np.abs(_turn_hue(rgb, 1.0) - rgb).max() < 1e-5
    red = np.array([[[[1.0, 0, 0]]]], np.float32)
    assert np.abs(_turn_hue(red, 1 / 3) - [0, 1, 0]).max() < 1e-6


@pytest.mark.parametrize(("available", "views", "repeat"), [(1, 4, True), (3, 8, True), (8, 8, False), (100, 5, False)])
def test_picked_frames_exist_and_do_not_repeat_unless_allowed(available: int, views: int, repeat: bool) -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        chosen = pick_frames(rng, available, views, 8, 0.5, repeat)
        assert len(chosen) == views
        assert all(0 <= f < available for f in chosen)
        assert repeat or len(set(chosen)) == views
    if not repeat:
        with pytest.raises(ValueError, match="are needed"):
            pick_frames(rng, views - 1, views, 8, 0.5, repeat)


def test_without_augmentation_nothing_is_random(tmp_path: Path) -> None:
    write_posed_rgbd(tmp_path, box_scene(1, 1))
    plain = Batches([(PosedRgbd(tmp_path), 1.0)], lambda _: Shape(1, 1, ((48, 32),)), 0, augmentation=None)
    assert torch.equal(plain.batch(0).images, plain.batch(9).images)
    changed = Batches([(PosedRgbd(tmp_path), 1.0)], lambda _: Shape(1, 1, ((48, 32),)), 0, augmentation=Augmentation())
    assert not torch.equal(changed.batch(0).images, changed.batch(9).images)
