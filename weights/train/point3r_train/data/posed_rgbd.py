"""Reader of the `posed-rgbd` layout.

`color/NAME.{jpg,png}`, `depth/NAME.png` (16 bit, millimetres, 0 or 65535 = none), `pose/NAME.txt` (4x4 camera to
world), one `intrinsics.txt` (3x3, pixels of the colour image). A folder is one scene, or holds scenes as subfolders.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from ..flags import Flag
from .frames import BadInput, DataError, Frames, checked_intrinsics, checked_pose, read_numbers

COLOR_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class _Scene:
    folder: Path
    size: tuple[int, int]
    intrinsics: np.ndarray
    color: list[Path]
    poses: np.ndarray


def _image_size(file: Path) -> tuple[int, int]:
    try:
        with Image.open(file) as image:
            return image.size
    except FileNotFoundError as error:
        raise DataError("missing-file", file, "not there") from error
    except OSError as error:
        raise DataError("unreadable", file, str(error)) from error


@dataclass
class PosedRgbd:
    """Scenes of the layout. Everything but pixels is checked when a scene is first used."""

    root: Path
    bad: BadInput = field(default_factory=BadInput)
    name: str = "posed-rgbd"
    max_stride: int = 8
    video_probability: float = 0.8
    flag: Flag = Flag.NONE

    def __post_init__(self) -> None:
        self._scenes: dict[int, _Scene] = {}
        self._lock = threading.Lock()
        is_scene = (self.root / "color").is_dir()
        self._folders = [self.root] if is_scene else sorted(p.parent for p in self.root.glob("*/color"))
        if not self._folders:
            raise DataError("missing-file", self.root, "no color/ here or one level below")

    def scene_count(self) -> int:
        return len(self._folders)

    def frame_count(self, scene: int) -> int:
        return len(self._scene(scene).color)

    def request(self, scenes: Sequence[int]) -> None:
        """Nothing to announce: files are read when needed."""

    def load(self, scene: int, frames: Sequence[int]) -> Frames:
        s = self._scene(scene)
        rgb, depth = [], []
        for index in frames:
            file = s.color[index]
            try:
                rgb.append(np.asarray(Image.open(file).convert("RGB")))
                file = self._depth(file)
                millimetres = np.asarray(Image.open(file)).astype(np.float32)
            except OSError as error:
                raise DataError("unreadable", file, str(error)) from error
            depth.append(np.where(millimetres >= 65535, 0, millimetres / 1000))
        return Frames(
            np.stack(rgb), np.stack(depth), s.poses[list(frames)], np.stack([s.intrinsics] * len(frames)), metric=True
        )

    def _scene(self, index: int) -> _Scene:
        with self._lock:
            if index not in self._scenes:
                self._scenes[index] = self._scan(self._folders[index])
            return self._scenes[index]

    @staticmethod
    def _depth(color: Path) -> Path:
        return color.parent.parent / "depth" / f"{color.stem}.png"

    def _scan(self, folder: Path) -> _Scene:
        file = folder / "intrinsics.txt"
        intrinsics = checked_intrinsics(read_numbers(file, "intrinsics"), file)
        color, poses, size = [], [], None
        for file in sorted(p for p in (folder / "color").iterdir() if p.suffix.lower() in COLOR_SUFFIXES):
            try:
                pose_file = folder / "pose" / f"{file.stem}.txt"
                pose = checked_pose(read_numbers(pose_file, "pose-size"), pose_file)
                sizes = _image_size(file), _image_size(self._depth(file))
                size = size or sizes[0]
                for found, where in zip(sizes, (file, self._depth(file)), strict=True):
                    if found != size:
                        detail = f"{found[0]}x{found[1]}, but this scene is {size[0]}x{size[1]}"
                        raise DataError("mixed-resolution", where, detail)
            except DataError as error:
                self.bad.handle(error)
                continue
            color.append(file)
            poses.append(pose)
        if not color:
            raise DataError("too-few-frames", folder, "no usable frame")
        return _Scene(folder, size or (0, 0), intrinsics, color, np.stack(poses))
