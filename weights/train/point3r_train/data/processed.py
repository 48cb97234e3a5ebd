"""Reader of pre-processed data sets: one image, one depth file and one camera file (`.npz`) per frame.

A `Layout` says where they are and in which unit; `LAYOUTS` lists the sets that are stored this way, and any other is
described by a JSON file with the fields of `Layout`. Sets whose depth is in OpenEXR files, or whose cameras are in one
file per scene, are not covered.
"""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .frames import BadInput, DataError, Frames, checked_intrinsics, checked_pose


@dataclass(frozen=True)
class Layout:
    """Paths below a scene folder, `{}` = the frame's name; what the files hold."""

    image: str
    depth: str
    camera: str
    intrinsics_key: str = "intrinsics"
    pose_key: str = "pose"
    # Metres per unit of the depth file (`.png` or `.npy`).
    unit: float = 0.001
    # Metres from which depth means sky; 0 = the set has no sky.
    sky_from: float = 0.0
    metric: bool = True
    max_stride: int = 8
    video_probability: float = 0.8

    @staticmethod
    def named(name: str) -> Layout:
        """A layout of the list, or of a JSON file."""
        if name in LAYOUTS:
            return LAYOUTS[name]
        try:
            values: dict[str, Any] = json.loads(Path(name).read_text())
            return Layout(**values)
        except (OSError, ValueError, TypeError) as error:
            known = ", ".join(sorted(LAYOUTS))
            raise DataError("unreadable", name, f"not a layout ({error}); known are {known}") from error


_BY_FOLDER = Layout("rgb/{}.jpg", "depth/{}.npy", "cam/{}.npz", unit=1.0)
LAYOUTS: dict[str, Layout] = {
    "scannet": Layout("color/{}.jpg", "depth/{}.png", "cam/{}.npz", max_stride=30),
    "wildrgbd": Layout("rgb/{}.jpg", "depth/{}.png", "metadata/{}.npz", "camera_intrinsics", "camera_pose"),
    "hypersim": Layout("{}_rgb.png", "{}_depth.npy", "{}_cam.npz", unit=1.0, max_stride=4),
    "vkitti2": Layout("{}_rgb.jpg", "{}_depth.png", "{}_cam.npz", "camera_intrinsics", "camera_pose", unit=0.01,
                      sky_from=655.0, max_stride=5),
    "spring": Layout(_BY_FOLDER.image, _BY_FOLDER.depth, _BY_FOLDER.camera, unit=1.0, max_stride=16),
    "pointodyssey": Layout(_BY_FOLDER.image, _BY_FOLDER.depth, _BY_FOLDER.camera, unit=1.0, max_stride=4),
    "mvs_synth": Layout(_BY_FOLDER.image, _BY_FOLDER.depth, _BY_FOLDER.camera, unit=1.0, metric=False),
    "omniobject3d": Layout("rgb/{}.png", _BY_FOLDER.depth, _BY_FOLDER.camera, unit=1.0, metric=False),
}  # fmt: skip


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
        self._lock = threading.Lock()
        self._checked: set[int] = set()
        before, after = self.layout.image.split("{}")
        depth = before.count("/")
        scenes: dict[Path, list[str]] = {}
        for file in sorted(self.root.glob(f"**/{before}*{after}")):
            folder = file.parents[depth]
            scenes.setdefault(folder, []).append(file.name[len(Path(before + "x").name) - 1 : -len(after)])
        if not scenes:
            raise DataError("missing-file", self.root, f"no {self.layout.image.format('*')} below")
        self._scenes = [_Scene(folder, names) for folder, names in scenes.items()]

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
            depth.append(self._read_depth(s.folder / layout.depth.format(name)))
            for where, found in ((image, rgb[-1].shape[:2]), (s.folder / layout.depth.format(name), depth[-1].shape)):
                if found != rgb[0].shape[:2]:
                    expected = rgb[0].shape[:2]
                    detail = f"{found[1]}x{found[0]}, but this scene is {expected[1]}x{expected[0]}"
                    raise DataError("mixed-resolution", where, detail)
            camera = s.folder / layout.camera.format(name)
            values = self._read_camera(camera)
            cameras.append(checked_intrinsics(values[layout.intrinsics_key], camera))
            poses.append(checked_pose(values[layout.pose_key], camera))
        return Frames(np.stack(rgb), np.stack(depth), np.stack(poses), np.stack(cameras), layout.metric)

    def _none(self, folder: Path) -> int:
        raise DataError("too-few-frames", folder, "no usable frame")

    def _is_complete(self, folder: Path, name: str) -> bool:
        for pattern in (self.layout.depth, self.layout.camera):
            file = folder / pattern.format(name)
            if not file.is_file():
                self.bad.handle(DataError("missing-file", file, "not there"))
                return False
        return True

    def _read_depth(self, file: Path) -> np.ndarray:
        try:
            values = np.load(file) if file.suffix == ".npy" else np.asarray(Image.open(file))
        except (OSError, ValueError) as error:
            raise DataError("unreadable", file, str(error)) from error
        if values.ndim != 2:
            raise DataError("unreadable", file, f"depth of shape {list(values.shape)}, expected height x width")
        metres = np.nan_to_num(values.astype(np.float32) * np.float32(self.layout.unit), posinf=0, neginf=0)
        if self.layout.sky_from > 0:
            metres = np.where(metres >= self.layout.sky_from, np.float32(-1), metres)
        return metres

    def _read_camera(self, file: Path) -> dict[str, np.ndarray]:
        wanted = (self.layout.intrinsics_key, self.layout.pose_key)
        try:
            with np.load(file) as values:
                return {key: values[key] for key in wanted}
        except KeyError as error:
            raise DataError("unreadable", file, f"needs the arrays {wanted}: {error}") from error
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise DataError("unreadable", file, str(error)) from error
