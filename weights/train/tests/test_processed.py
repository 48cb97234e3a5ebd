"""Every layout of the published mixture, on folders made up in its manner; OpenEXR depth."""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from worlds import box_scene, on_the_walls

from point3r_train.__main__ import open_source
from point3r_train.data import exr
from point3r_train.data.batches import Batches, Shape
from point3r_train.data.frames import BadInput, DataError, Frames
from point3r_train.data.layouts import LAYOUTS, Layout
from point3r_train.data.processed import Processed
from point3r_train.flags import Flag
from point3r_train.recipe import MIXTURES


def zipped(data: bytes) -> bytes:
    """A block as ZIP compression stores it."""
    raw = np.frombuffer(data, np.uint8)
    parted = np.concatenate([raw[0::2], raw[1::2]]).astype(np.int64)
    steps = parted.copy()
    steps[1:] = np.diff(parted) + 128
    packed = zlib.compress((steps & 255).astype(np.uint8).tobytes())
    return packed if len(packed) < len(data) else data


def exr_file(channels: dict[str, np.ndarray], compression: int = 3, origin: tuple[int, int] = (0, 0)) -> bytes:
    """An OpenEXR file; channels are f32 or f16."""
    height, width = next(iter(channels.values())).shape
    types = {np.dtype("<f2"): 1, np.dtype("<f4"): 2}
    listed = b"".join(
        n.encode() + b"\0" + struct.pack("<iIii", types[channels[n].dtype], 0, 1, 1) for n in sorted(channels)
    )
    box = struct.pack("<4i", origin[0], origin[1], origin[0] + width - 1, origin[1] + height - 1)
    header = struct.pack("<II", exr.MAGIC, 2)
    for name, kind, value in (
        ("channels", "chlist", listed + b"\0"), ("compression", "compression", bytes([compression])),
        ("dataWindow", "box2i", box), ("displayWindow", "box2i", box), ("lineOrder", "lineOrder", b"\0"),
    ):  # fmt: skip
        header += name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<I", len(value)) + value
    header += b"\0"
    lines = exr.LINES.get(compression, 1)
    blocks = []
    for first in range(0, height, lines):
        rows = range(first, min(first + lines, height))
        data = b"".join(channels[n][y].tobytes() for y in rows for n in sorted(channels))
        data = zipped(data) if compression else data
        blocks.append(struct.pack("<iI", origin[1] + first, len(data)) + data)
    at, offsets = len(header) + 8 * len(blocks), b""
    for block in blocks:
        offsets += struct.pack("<Q", at)
        at += len(block)
    return header + offsets + b"".join(blocks)


@pytest.mark.parametrize("compression", [0, 2, 3])
@pytest.mark.parametrize("size", [(1, 1), (17, 5), (40, 33)])
def test_exr_depth_is_read_exactly(compression: int, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    depth = (np.arange(size[0] * size[1]).reshape(size) * 0.01 + rng.integers(0, 3, size)).astype("<f4")
    assert np.array_equal(exr.decode(exr_file({"Y": depth}, compression, (3, -2))), depth)
    half = depth.astype("<f2")
    found = exr.decode(exr_file({"A": np.ones(size, "<f4"), "B": depth * 0, "Z": half}, compression))
    assert np.array_equal(found, half.astype(np.float32))


def test_bad_exr_is_refused_with_a_reason() -> None:
    good = exr_file({"Y": np.ones((20, 8), "<f4")}, 3)
    for bad, reason in (
        (b"PNG" + good[3:], "not an OpenEXR"),
        (good[:40], "damaged"),
        (good[:-5], "damaged|outside"),
        (exr_file({"Y": np.ones((4, 4), "<f4")}, 4), "compression 4"),
        (exr_file({"A": np.ones((4, 4), "<f4"), "B": np.ones((4, 4), "<f4")}, 0), "no depth among"),
        (struct.pack("<II", exr.MAGIC, 2 | 0x200) + good[8:], "tiles"),
        (good[: good.index(b"dataWindow") + 21] + struct.pack("<4i", 0, 0, 1 << 30, 9) + good[200:], "cannot be"),
    ):
        with pytest.raises(ValueError, match=reason):
            exr.decode(bad)


def write_processed(folder: Path, layout: Layout, frames: Frames) -> None:
    """A scene as a layout has it."""
    cameras: list[dict[str, Any]] = []
    for i in range(len(frames.rgb)):
        image, depth, camera = (folder / p.format(f"{i:05}") for p in (layout.image, layout.depth, layout.camera))
        for file in (image, depth, camera):
            file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frames.rgb[i]).save(image, **({"quality": 100} if image.suffix == ".jpg" else {}))
        values: dict[str, Any] = {layout.intrinsics_key: frames.intrinsics[i]}
        if layout.pose_key:
            values[layout.pose_key] = frames.poses[i]
        else:
            values[layout.rotation_key] = frames.poses[i][:3, :3]
            values[layout.translation_key] = frames.poses[i][:3, 3]
        scale = float(frames.depth[i].max()) if layout.depth_scale_key else 1.0
        if layout.depth_scale_key:
            values[layout.depth_scale_key] = np.float32(scale)
        stored = frames.depth[i] / (layout.unit * scale)
        if depth.suffix == ".npy":
            np.save(depth, stored.astype(np.float32))
        elif depth.suffix == ".exr":
            depth.write_bytes(exr_file({"Y": stored.astype("<f4")}))
        else:
            Image.fromarray(np.rint(np.where(stored < 0, 65535, stored)).astype(np.uint16)).save(depth)
        if not layout.camera_per_scene:
            np.savez(camera, **values)
        cameras.append(values | {layout.names_key: f"{i:05}.jpg"})
    if layout.camera_per_scene:
        np.savez(folder / layout.camera, **{key: np.array([c[key] for c in cameras]) for key in cameras[0]})


def test_every_set_of_the_published_mixture_has_a_layout() -> None:
    assert set(MIXTURES) == set(LAYOUTS)


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_processed_layouts_give_points_on_the_walls(tmp_path: Path, name: str) -> None:
    layout, scene = LAYOUTS[name], box_scene(4)
    if layout.sky_from:
        scene.depth[:, 0, :] = -1
    write_processed(tmp_path / "part/a", layout, scene)
    write_processed(tmp_path / "part/b", layout, box_scene(5))
    source = Processed(tmp_path, layout)
    assert (source.scene_count(), source.frame_count(0)) == (2, 6)
    found = source.load(0, [1, 3])
    step = layout.unit if layout.unit < 1 else 0
    assert np.abs(found.depth - scene.depth[[1, 3]]).max() <= max(step, 1e-4) * max(1, scene.depth.max())
    assert np.allclose(found.poses, scene.poses[[1, 3]])
    assert np.allclose(found.intrinsics, scene.intrinsics[[1, 3]])
    assert found.metric == layout.metric
    assert on_the_walls(found) > 0.99
    if layout.sky_from:
        assert (found.depth[:, 0] == -1).all()


def test_camera_lists_take_width_height_and_focal_lengths(tmp_path: Path) -> None:
    layout, scene = LAYOUTS["arkitscenes"], box_scene(4)
    write_processed(tmp_path / "a", layout, scene)
    k = scene.intrinsics
    rows = np.stack([[32, 24, c[0, 0], c[1, 1], c[0, 2], c[1, 2]] for c in k])
    names = np.array([f"{i:05}.jpg" for i in range(6)])
    np.savez(tmp_path / "a" / layout.camera, images=names, intrinsics=rows, trajectories=scene.poses)
    assert np.allclose(Processed(tmp_path, layout).load(0, [2]).intrinsics, k[2])
    # Depth of half the size, as a range sensor has it.
    small = Image.fromarray(np.rint(scene.depth[2][::2, ::2] * 1000).astype(np.uint16))
    small.save(tmp_path / "a" / layout.depth.format("00002"))
    found = Processed(tmp_path, layout).load(0, [2])
    assert found.depth.shape == found.rgb.shape[:3]
    assert np.abs(found.depth[0] - scene.depth[2]).mean() < 0.2


def test_bad_camera_lists_are_named(tmp_path: Path) -> None:
    layout, scene = LAYOUTS["scannetpp"], box_scene(4)
    write_processed(tmp_path / "a", layout, scene)
    file = tmp_path / "a" / layout.camera
    names = np.array([f"{i:05}.jpg" for i in range(6)])
    np.savez(file, images=names[:5], intrinsics=scene.intrinsics[:5], trajectories=scene.poses[:5])
    with pytest.raises(DataError, match="no camera of the frame 00005"):
        Processed(tmp_path, layout).frame_count(0)
    bad = BadInput(skip=True)
    assert Processed(tmp_path, layout, bad).frame_count(0) == 5
    np.savez(file, images=names, intrinsics=scene.intrinsics[:5], trajectories=scene.poses)
    with pytest.raises(DataError, match="5 entries in intrinsics, but 6 names"):
        Processed(tmp_path, layout).frame_count(0)
    file.unlink()
    with pytest.raises(DataError, match="missing-file"):
        Processed(tmp_path, layout).frame_count(0)


def test_bad_exr_and_bad_rotations_are_named(tmp_path: Path) -> None:
    layout, scene = LAYOUTS["blendedmvs"], box_scene(4)
    write_processed(tmp_path / "a", layout, scene)
    (tmp_path / "a/00001.exr").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"unreadable.*00001\.exr"):
        Processed(tmp_path, layout).load(0, [1])
    np.savez(tmp_path / "a/00002.npz", intrinsics=np.eye(3), R_cam2world=np.eye(2), t_cam2world=np.zeros(3))
    with pytest.raises(DataError, match="pose-size"):
        Processed(tmp_path, layout).load(0, [2])


def test_bad_processed_input_is_named(tmp_path: Path) -> None:
    layout = LAYOUTS["scannet"]
    write_processed(tmp_path / "a", layout, box_scene(4))
    (tmp_path / "a/depth/00002.png").unlink()
    with pytest.raises(DataError, match="missing-file"):
        Processed(tmp_path, layout).frame_count(0)
    bad = BadInput(skip=True)
    assert Processed(tmp_path, layout, bad).frame_count(0) == 5
    assert dict(bad.counts) == {"missing-file": 1}
    np.savez(tmp_path / "a/cam/00001.npz", intrinsics=np.eye(3), pose=np.full((4, 4), np.nan))
    with pytest.raises(DataError, match="pose-not-finite"):
        Processed(tmp_path, layout, bad).load(0, [1])
    np.savez(tmp_path / "a/cam/00001.npz", intrinsics=np.eye(3), pose=np.eye(3))
    with pytest.raises(DataError, match="pose-size"):
        Processed(tmp_path, layout, bad).load(0, [1])
    (tmp_path / "a/cam/00001.npz").write_bytes(b"PK nothing")
    with pytest.raises(DataError, match="unreadable"):
        Processed(tmp_path, layout, bad).load(0, [1])
    Image.fromarray(np.zeros((24, 32), np.uint16)).save(tmp_path / "a/depth/00000.png")
    with pytest.raises(DataError, match="mixed-resolution"):
        Processed(tmp_path, layout, bad).load(0, [0])
    with pytest.raises(DataError, match="known are"):
        Layout.named("no-such-set")


def flagged_source(folder: Path, scene: Frames, **changes: Any) -> Processed:
    """A folder of Hypersim's manner, opened as a user would: by a JSON layout and a `--data` argument."""
    layout = LAYOUTS["hypersim"]
    write_processed(folder / "a", layout, scene)
    (folder / "layout.json").write_text(json.dumps(dataclasses.asdict(layout) | changes))
    source, _ = open_source(f"processed:{folder / 'layout.json'}:{folder / 'a'}", BadInput())
    assert isinstance(source, Processed)
    return source


def test_pictures_without_poses_are_scenes_of_one_frame(tmp_path: Path) -> None:
    scene = box_scene(4)
    source = flagged_source(tmp_path, scene, flag="depth-only", metric=False, pose_key="")
    assert (source.scene_count(), source.frame_count(3), source.flag) == (6, 1, Flag.DEPTH_ONLY)
    found = source.load(3, [0, 0])
    assert np.array_equal(found.rgb, scene.rgb[[3, 3]])
    assert np.array_equal(found.poses, np.stack([np.eye(4)] * 2))
    batches = Batches([(source, 1.0)], lambda _: Shape(2, 3, ((48, 32),), repeat_views=True), 0)
    targets = batches.batch(0).targets
    assert targets.flags == (Flag.DEPTH_ONLY,) * 2
    assert not targets.metric.any()


def test_cameras_without_depth_give_the_rays_of_all_pixels(tmp_path: Path) -> None:
    source = flagged_source(tmp_path, box_scene(4), flag="camera-only", depth="")
    for file in (tmp_path / "a").glob("*_depth.npy"):
        file.unlink()
    batches = Batches([(source, 1.0)], lambda _: Shape(1, 3, ((48, 32),)), 0)
    targets = batches.batch(0).targets
    assert targets.flags == (Flag.CAMERA_ONLY,)
    assert targets.valid.all()
    z = targets.camera_points()[..., 2]
    assert (z - 1).abs().max() < 1e-5
    assert targets.relative_poses()[0, 1:, :3, 3].norm(dim=-1).min() > 0.05


def test_flags_are_those_of_the_sample_and_none_is_no_list(tmp_path: Path) -> None:
    flagged = flagged_source(tmp_path / "f", box_scene(4), flag="single-view", metric=False)
    write_processed(tmp_path / "p/a", LAYOUTS["scannet"], box_scene(5))
    plain = Processed(tmp_path / "p", LAYOUTS["scannet"])
    shape = Shape(4, 2, ((48, 32),))
    seen = set()
    for _, batch in Batches([(flagged, 1.0), (plain, 1.0)], lambda _: shape, 0).iterate(0, 6):
        flags = batch.targets.flags or (Flag.NONE,) * 4
        # Only the flagged set is not metric here.
        assert [flag is Flag.SINGLE_VIEW for flag in flags] == (~batch.targets.metric).tolist()
        seen |= set(flags)
    assert seen == {Flag.NONE, Flag.SINGLE_VIEW}
    assert Batches([(plain, 1.0)], lambda _: shape, 0).batch(0).targets.flags == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"flag": "depthonly"}, "no flag 'depthonly': known are none, depth-only, single-view, camera-only"),
        ({"flag": "depth-only"}, "metric must be false"),
        ({"flag": "single-view"}, "metric must be false"),
        ({"flag": "single-view", "metric": False, "depth": ""}, "only a camera-only set"),
        ({"depth": ""}, "only a camera-only set"),
        ({"pose_key": ""}, "only depth-only and single-view sets"),
        ({"flag": "camera-only", "pose_key": ""}, "only depth-only and single-view sets"),
    ],
)
def test_layouts_whose_flag_does_not_fit_are_refused(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        flagged_source(tmp_path, box_scene(4), **changes)
