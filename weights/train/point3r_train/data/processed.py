"""Reader of pre-processed data sets: one image and one depth file per frame, cameras in `.npz` files.

A `Layout` (`layouts.py`) says where they are and in which unit.
"""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from . import exr
from .frames import BadInput, DataError, Frames, checked_intrinsics, checked_pose
from .layouts import Layout


@dataclass(frozen=True)
class _Scene:
    folder: Path
    names: list[str]


@dataclass
class Processed:
    """Scenes of a layout below a folder. Cameras and sizes are checked when frames are loaded."""

    root: Path
    layout: Layout
    bad: BadInput = field(default_factory=BadInput)
    name: str = "processed"

    def __post_init__(self) -> None:
        self.max_stride, self.video_probability = self.layout.max_stride, self.layout.video_probability
        self.flag = self.layout.special
        self._lock = threading.Lock()
        self._checked: set[int] = set()
        self._per_scene: dict[Path, dict[str, dict[str, np.ndarray]]] = {}
        before, after = self.layout.image.split("{}")
        depth = before.count("/")
        scenes: dict[Path, list[str]] = {}
        for file in sorted(self.root.glob(f"**/{before}*{after}")):
            folder = file.parents[depth]
            scenes.setdefault(folder, []).append(file.name[len(Path(before + "x").name) - 1 : -len(after)])
        if not scenes:
            raise DataError("missing-file", self.root, f"no {self.layout.image.format('*')} below")
        if self.layout.has_poses:
            self._scenes = [_Scene(folder, names) for folder, names in scenes.items()]
        else:
            self._scenes = [_Scene(folder, [name]) for folder, names in scenes.items() for name in names]

    def scene_count(self) -> int:
        return len(self._scenes)

    def frame_count(self, scene: int) -> int:
        s = self._scenes[scene]
        with self._lock:
            if scene not in self._checked:
                s.names[:] = [name for name in s.names if self._is_complete(s.folder, name)]
                self._checked.add(scene)
        return len(s.names) or self._none(s.folder)

    def request(self, scenes: Sequence[int]) -> None:
        """Nothing to announce: files are read when needed."""

    def load(self, scene: int, frames: Sequence[int]) -> Frames:
        s, layout = self._scenes[scene], self.layout
        rgb, depth, poses, cameras = [], [], [], []
        for index in frames:
            name = s.names[index]
            image = s.folder / layout.image.format(name)
            try:
                rgb.append(np.asarray(Image.open(image).convert("RGB")))
            except OSError as error:
                raise DataError("unreadable", image, str(error)) from error
            camera = s.folder / layout.camera.format(name)
            values = self._camera(camera, name)
            scale = float(values[layout.depth_scale_key]) if layout.depth_scale_key else 1.0
            size = rgb[-1].shape[:2]
            # Without depth every pixel still has a ray.
            depth_file = s.folder / layout.depth.format(name) if layout.depth else image
            depth.append(self._read_depth(depth_file, scale, size) if layout.depth else np.ones(size, np.float32))
            for where, found in ((image, size), (depth_file, depth[-1].shape)):
                if found != rgb[0].shape[:2]:
                    expected = rgb[0].shape[:2]
                    detail = f"{found[1]}x{found[0]}, but this scene is {expected[1]}x{expected[0]}"
                    raise DataError("mixed-resolution", where, detail)
            cameras.append(checked_intrinsics(_matrix(values[layout.intrinsics_key]), camera))
            poses.append(checked_pose(self._pose(values), camera))
        return Frames(np.stack(rgb), np.stack(depth), np.stack(poses), np.stack(cameras), layout.metric)

    def _none(self, folder: Path) -> int:
        raise DataError("too-few-frames", folder, "no usable frame")

    def _is_complete(self, folder: Path, name: str) -> bool:
        camera = folder / self.layout.camera.format(name)
        for file in (*((folder / self.layout.depth.format(name),) if self.layout.depth else ()), camera):
            if not file.is_file():
                self.bad.handle(DataError("missing-file", file, "not there"))
                return False
        if self.layout.camera_per_scene:
            try:
                self._camera(camera, name)
            except DataError as error:
                self.bad.handle(error)
                return False
        return True

    def _read_depth(self, file: Path, scale: float, size: tuple[int, int]) -> np.ndarray:
        try:
            if file.suffix == ".exr":
                values = exr.read(file)
            else:
                values = np.load(file) if file.suffix == ".npy" else np.asarray(Image.open(file))
        except (OSError, ValueError) as error:
            raise DataError("unreadable", file, str(error)) from error
        if values.ndim != 2:
            raise DataError("unreadable", file, f"depth of shape {list(values.shape)}, expected height x width")
        unit = np.float32(self.layout.unit * scale)
        metres = np.nan_to_num(values.astype(np.float32) * unit, posinf=0, neginf=0)
        if self.layout.sky_from > 0:
            metres = np.where(metres >= self.layout.sky_from, np.float32(-1), metres)
        if self.layout.resize_depth and metres.shape != size:
            rows, columns = ((np.arange(n) + 0.5) * m / n for n, m in zip(size, metres.shape, strict=True))
            metres = metres[np.ix_(rows.astype(int), columns.astype(int))]
        return metres

    def _pose(self, values: dict[str, np.ndarray]) -> np.ndarray:
        if not self.layout.has_poses:
            return np.eye(4)
        if self.layout.pose_key:
            return values[self.layout.pose_key]
        rotation, translation = values[self.layout.rotation_key], values[self.layout.translation_key]
        if rotation.shape != (3, 3) or translation.size != 3:
            return np.concatenate([rotation.ravel(), translation.ravel()])  # of the wrong size: refused by its number
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation, translation.ravel()
        return pose

    def _camera(self, file: Path, name: str) -> dict[str, np.ndarray]:
        if not self.layout.camera_per_scene:
            return self._read_camera(file)
        # Read once: the same file serves every frame of the scene.
        if file not in self._per_scene:
            values = self._read_camera(file)
            names = [Path(str(n)).stem for n in values.pop(self.layout.names_key)]
            for key, array in values.items():
                if len(array) != len(names):
                    raise DataError("unreadable", file, f"{len(array)} entries in {key}, but {len(names)} names")
            self._per_scene[file] = {n: {k: v[i] for k, v in values.items()} for i, n in enumerate(names)}
        found = self._per_scene[file].get(name)
        if found is None:
            raise DataError("missing-file", file, f"no camera of the frame {name}")
        return found

    def _read_camera(self, file: Path) -> dict[str, np.ndarray]:
        wanted = self.layout.camera_keys
        try:
            with np.load(file) as values:
                return {key: values[key] for key in wanted}
        except KeyError as error:
            raise DataError("unreadable", file, f"needs the arrays {wanted}: {error}") from error
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise DataError("unreadable", file, str(error)) from error


def _matrix(values: np.ndarray) -> np.ndarray:
    """3x3, from itself or from fx fy cx cy with or without width and height before them."""
    if values.ndim == 1 and values.size in (4, 6):
        fx, fy, cx, cy = values[-4:]
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    return values
