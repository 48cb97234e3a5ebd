"""Layouts of pre-processed data sets: where images, depth and cameras of a scene are, and in which unit.

`LAYOUTS` lists the sets of the published training mixture. Names follow descriptions of the published
pre-processing: compare them with your copy. Any other set is described by a JSON file with the fields of `Layout`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..flags import Flag
from .frames import DataError


@dataclass(frozen=True)
class Layout:
    """Paths below a scene folder, `{}` = the frame's name; what the files hold."""

    image: str
    # `.png`, `.npy` or `.exr`; empty: none, for camera-only sets.
    depth: str
    # `.npz`: one per frame, or, without `{}`, one per scene whose arrays have an entry per frame.
    camera: str
    # 3x3, or fx fy cx cy, or width height fx fy cx cy.
    intrinsics_key: str = "intrinsics"
    # 4x4 camera to world, or empty if rotation and translation are arrays of their own. All three empty: no poses, for
    # depth-only and single-view sets; every picture is then a scene of its own.
    pose_key: str = "pose"
    rotation_key: str = ""
    translation_key: str = ""
    # With one camera file per scene: the array of frame names (an ending like .jpg is dropped).
    names_key: str = "images"
    # Metres per unit of the depth file.
    unit: float = 0.001
    # An array of the camera file that depth is multiplied by as well.
    depth_scale_key: str = ""
    # Metres from which depth means sky; 0 = the set has no sky.
    sky_from: float = 0.0
    # Depth of another size than the image is brought to its size (nearest value).
    resize_depth: bool = False
    metric: bool = True
    max_stride: int = 8
    video_probability: float = 0.8
    # What the set's ground truth lacks: `depth-only` (scale and shift of depth are unknown), `single-view` (the scale
    # of every view is unknown) or `camera-only` (there is no depth, or it is not to be trusted); see `flags.py`.
    flag: str = Flag.NONE.label

    def __post_init__(self) -> None:
        flag = self.special
        unscaled = flag in (Flag.DEPTH_ONLY, Flag.SINGLE_VIEW)
        if unscaled and self.metric:
            raise ValueError(f"a {flag.label} set has no scale: metric must be false")
        if not self.depth and flag is not Flag.CAMERA_ONLY:
            raise ValueError("only a camera-only set can be without depth files")
        if bool(self.rotation_key) != bool(self.translation_key) or not (self.has_poses or unscaled):
            raise ValueError("only depth-only and single-view sets can be without poses")

    @property
    def special(self) -> Flag:
        """The flag of all samples."""
        return Flag.named(self.flag)

    @property
    def has_poses(self) -> bool:
        """Whether camera files hold poses."""
        return bool(self.pose_key or self.rotation_key)

    @property
    def camera_per_scene(self) -> bool:
        """Whether one file holds the cameras of all frames."""
        return "{}" not in self.camera

    @property
    def camera_keys(self) -> tuple[str, ...]:
        """Arrays that a camera file must have."""
        keys = (self.pose_key,) if self.pose_key else (self.rotation_key, self.translation_key)
        pose = keys if self.has_poses else ()
        scale = (self.depth_scale_key,) if self.depth_scale_key else ()
        return (self.intrinsics_key, *pose, *scale, *((self.names_key,) if self.camera_per_scene else ()))

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


_BY_FOLDER = ("rgb/{}.jpg", "depth/{}.npy", "cam/{}.npz")
_EXR = ("{}.jpg", "{}.exr", "{}.npz")
_ONE_CAMERA_FILE = "scene_metadata.npz"
LAYOUTS: dict[str, Layout] = {
    "co3d": Layout("images/{}.jpg", "depths/{}.jpg.geometric.png", "images/{}.npz", "camera_intrinsics", "camera_pose",
                   unit=1 / 65535, depth_scale_key="maximum_depth", metric=False, max_stride=8),
    "wildrgbd": Layout("rgb/{}.jpg", "depth/{}.png", "metadata/{}.npz", "camera_intrinsics", "camera_pose"),
    "arkitscenes": Layout("vga_wide/{}.jpg", "lowres_depth/{}.png", _ONE_CAMERA_FILE, pose_key="trajectories",
                          resize_depth=True, max_stride=8),
    "arkitscenes_highres": Layout("vga_wide/{}.jpg", "highres_depth/{}.png", _ONE_CAMERA_FILE,
                                  pose_key="trajectories", resize_depth=True, max_stride=8),
    "scannetpp": Layout("images/{}.jpg", "depth/{}.png", _ONE_CAMERA_FILE, pose_key="trajectories", max_stride=3),
    "scannet": Layout("color/{}.jpg", "depth/{}.png", "cam/{}.npz", max_stride=30),
    "hypersim": Layout("{}_rgb.png", "{}_depth.npy", "{}_cam.npz", unit=1.0, max_stride=4),
    "blendedmvs": Layout(*_EXR, pose_key="", rotation_key="R_cam2world", translation_key="t_cam2world", unit=1.0,
                         metric=False),
    "megadepth": Layout(*_EXR, pose_key="cam2world", unit=1.0, metric=False),
    "waymo": Layout(*_EXR, pose_key="cam2world", unit=1.0, max_stride=8),
    "vkitti2": Layout("{}_rgb.jpg", "{}_depth.png", "{}_cam.npz", "camera_intrinsics", "camera_pose", unit=0.01,
                      sky_from=655.0, max_stride=5),
    "omniobject3d": Layout("rgb/{}.png", *_BY_FOLDER[1:], unit=1.0, metric=False),
    "spring": Layout(*_BY_FOLDER, unit=1.0, max_stride=16),
    "mvs_synth": Layout(*_BY_FOLDER, unit=1.0, metric=False),
    "pointodyssey": Layout(*_BY_FOLDER, unit=1.0, max_stride=4),
}  # fmt: skip
