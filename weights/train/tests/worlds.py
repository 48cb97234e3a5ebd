"""Made-up scenes for the tests: a camera walking through a painted box, with exact depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from point3r_train.data.batches import ground_truth
from point3r_train.data.frames import Frames

HALF = np.array([2.0, 1.5, 3.0])


def box_scene(seed: int, count: int = 6, width: int = 64, height: int = 48) -> Frames:
    """Frames inside a box of half sizes `HALF`, walls painted by position."""
    rng = np.random.default_rng(seed)
    focal = width * 0.8
    k = np.array([[focal, 0, width / 2 - 0.5], [0, focal, height / 2 - 0.5], [0, 0, 1]])
    v, u = np.mgrid[0:height, 0:width]
    rays = np.stack([(u - k[0, 2]) / focal, (v - k[1, 2]) / focal, np.ones_like(u, dtype=float)], -1)
    colours = rng.uniform(0.1, 0.9, (6, 3))
    start, turn = rng.uniform(-0.5, 0.5, 3), rng.uniform(-0.6, 0.6)
    rgb, depth, poses = [], [], []
    for i in range(count):
        angle = turn + 0.08 * i
        c, s = np.cos(angle), np.sin(angle)
        pose = np.eye(4)
        pose[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
        pose[:3, 3] = start + np.array([0.1, 0, 0.05]) * i
        d = rays @ pose[:3, :3].T
        with np.errstate(divide="ignore"):
            t = (np.sign(d) * HALF - pose[:3, 3]) / d
        axis = t.argmin(-1)
        near = t.min(-1)
        hit = pose[:3, 3] + d * near[..., None]
        wall = axis * 2 + (np.take_along_axis(d, axis[..., None], -1)[..., 0] > 0)
        checks = (np.floor(hit * 1.5).sum(-1) % 2) * 0.3 + 0.7
        rgb.append(np.uint8(255 * colours[wall] * checks[..., None]))
        depth.append(near.astype(np.float32))
        poses.append(pose)
    return Frames(np.stack(rgb), np.stack(depth), np.stack(poses), np.stack([k] * count))


def write_posed_rgbd(folder: Path, frames: Frames) -> None:
    """The `posed-rgbd` layout, as the renderer and the evaluation know it."""
    for name in ("color", "depth", "pose"):
        (folder / name).mkdir(parents=True)
    np.savetxt(folder / "intrinsics.txt", frames.intrinsics[0])
    for i in range(len(frames.rgb)):
        Image.fromarray(frames.rgb[i]).save(folder / f"color/{i:06}.png")
        Image.fromarray(np.rint(frames.depth[i] * 1000).astype(np.uint16)).save(folder / f"depth/{i:06}.png")
        np.savetxt(folder / f"pose/{i:06}.txt", frames.poses[i])


def on_the_walls(frames: Frames) -> float:
    """Share of points that lie on the walls of the box, within a part of a pixel."""
    points, valid, _, _ = ground_truth(frames)
    points = points @ frames.poses[0][:3, :3].T + frames.poses[0][:3, 3]
    nearest = np.abs(np.abs(points) - HALF).min(-1)[valid]
    return float((nearest < 0.05).mean())
