"""Random predictions and truths for the tests of the criterion, and an independent transcription of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from point3r_train.flags import Flag
from point3r_train.losses import Loss, Targets, reference_loss
from point3r_train.model import Prediction
from point3r_train.model.heads import pose_matrix, quaternion_of

VIEWS, HEIGHT, WIDTH = 3, 6, 8


def random_poses(rng: np.random.Generator, samples: int, size: float = 1.0) -> Tensor:
    """`[B, V, 7]`, w >= 0; the first frame at the origin."""
    quaternion = np.concatenate([np.ones((samples, VIEWS, 1)), rng.normal(0, 0.2, (samples, VIEWS, 3))], -1)
    quaternion /= np.linalg.norm(quaternion, axis=-1, keepdims=True)
    poses = np.concatenate([rng.normal(0, size, (samples, VIEWS, 3)), quaternion], -1)
    poses[:, 0] = [0, 0, 0, 1, 0, 0, 0]
    return torch.tensor(poses, dtype=torch.float32)


def random_points(rng: np.random.Generator, samples: int) -> Tensor:
    """In front of the camera, none steeper than 45 degrees."""
    z = rng.uniform(1, 5, (samples, VIEWS, HEIGHT, WIDTH, 1))
    xy = rng.uniform(-1, 1, (samples, VIEWS, HEIGHT, WIDTH, 2)) * z
    return torch.tensor(np.concatenate([xy, z], -1), dtype=torch.float32)


@dataclasses.dataclass
class Maps:
    """What a network would have predicted, as leaves."""

    camera: Tensor
    world: Tensor
    confidence_camera: Tensor
    confidence_world: Tensor
    pose: Tensor

    def frames(self) -> list[Prediction]:
        none = torch.zeros(0)
        return [
            Prediction(
                self.camera[:, v], self.confidence_camera[:, v], self.world[:, v], self.confidence_world[:, v],
                self.pose[:, v], none, none, none,
            )
            for v in range(VIEWS)
        ]  # fmt: skip

    def leaves(self) -> list[Tensor]:
        return [getattr(self, field.name) for field in dataclasses.fields(self)]

    def rows(self, rows: slice) -> Maps:
        """Some of the samples, as leaves of their own."""
        return Maps(*(x.detach()[rows].clone().requires_grad_() for x in self.leaves()))


def predicted(seed: int, samples: int = 1, sure: bool = False) -> Maps:
    """Random maps; with `sure` all confidences are 1, so that terms are errors."""
    rng = np.random.default_rng(seed)
    shape = (samples, VIEWS, HEIGHT, WIDTH)
    confidence = [torch.tensor(1 + (not sure) * rng.gamma(2, 1, shape), dtype=torch.float32) for _ in range(2)]
    maps = Maps(random_points(rng, samples), random_points(rng, samples), *confidence, random_poses(rng, samples))
    return maps.rows(slice(None))


def true(seed: int, flags: tuple[Flag, ...], poses: Tensor | None = None) -> Targets:
    """Random truth without holes; not metric."""
    rng = np.random.default_rng(seed)
    samples = len(flags)
    points = random_points(rng, samples)
    poses = pose_matrix(random_poses(rng, samples)) if poses is None else poses.expand(samples, -1, -1, -1)
    everywhere = torch.ones(points.shape[:-1], dtype=torch.bool)
    world = torch.einsum("bvij,bvhwj->bvhwi", poses[..., :3, :3], points) + poses[:, :, None, None, :3, 3]
    return Targets(world, everywhere, ~everywhere, poses, torch.zeros(samples, dtype=torch.bool), flags)


def loss(maps: Maps, targets: Targets) -> Loss:
    return reference_loss(maps.frames(), targets)


def same(a: Tensor, b: Tensor, tolerance: float = 2e-5) -> bool:
    """Equal but for f32 rounding."""
    return bool((a - b).abs().max() <= tolerance * (1 + b.abs().max()))


def translations(t: Targets) -> Tensor:
    return t.relative_poses()[..., :3, 3]


def quaternions(t: Targets) -> Tensor:
    return quaternion_of(t.relative_poses()[..., :3, :3])


def rows_of(t: Targets, rows: slice) -> Targets:
    return Targets(t.points[rows], t.valid[rows], t.sky[rows], t.poses[rows], t.metric[rows], t.flags[rows])


def transcribed(maps: Maps, t: Targets) -> float:
    """The criterion in NumPy, f64, sample by sample and view by view."""
    c = {k: np.float64(getattr(maps, f"confidence_{k}").detach().numpy()) for k in ("camera", "world")}
    p = {k: np.float64(getattr(maps, k).detach().numpy()) for k in ("camera", "world")}
    pose, poses, points = (np.float64(x.detach().numpy()) for x in (maps.pose, t.poses, t.points))
    valid, sky = t.valid.numpy(), t.sky.numpy()
    lists: dict[tuple[str, int], list[float]] = {(k, v): [] for k in p for v in range(VIEWS)}
    distances = []
    for b, flag in enumerate(t.flags):
        true_points = {k: np.zeros_like(points[b]) for k in p}
        for v in range(VIEWS):
            for k, matrix in (("camera", poses[b, v]), ("world", poses[b, 0])):
                inverse = np.linalg.inv(matrix)
                true_points[k][v] = points[b, v] @ inverse[:3, :3].T + inverse[:3, 3]
        w = {k: np.maximum(np.log(c[k][b]), 1e-3) for k in p}

        def factor(maps_of: dict[str, np.ndarray], w=w, b=b) -> float:
            above = sum((w[k] * np.linalg.norm(maps_of[k], axis=-1))[valid[b]].sum() for k in p)
            return max(above / (sum(w[k][valid[b]].sum() for k in p) + 1e-8), 1e-3)

        nu_gt = factor(true_points)
        nu = nu_gt if t.metric[b] else factor({k: p[k][b] for k in p})
        for v in range(VIEWS):
            here = valid[b, v]
            for k in p:
                if flag == 3 and k == "world":
                    continue
                a, g = p[k][b, v], true_points[k][v]
                if flag == 1:
                    za, zg = a[..., 2], g[..., 2]
                    za, zg = za - za[here].mean(), zg - zg[here].mean()
                    error = abs(za / max(abs(za[here]).mean(), 1e-6) - zg / max(abs(zg[here]).mean(), 1e-6))
                elif flag == 2 and not t.metric[b]:
                    ma, mg = (max(np.linalg.norm(x[here], axis=-1).mean(), 1e-6) for x in (a, g))
                    error = np.linalg.norm(a / ma - g / mg, axis=-1)
                elif flag == 3:
                    ra, rg = (np.clip(x / np.maximum(x[..., 2:], 1e-6), -2, 2) for x in (a, g))
                    error = np.linalg.norm(ra - rg, axis=-1)
                else:
                    error = np.linalg.norm(a / nu - g / nu_gt, axis=-1)
                for y in range(HEIGHT):
                    for x in range(WIDTH):
                        if here[y, x] or sky[b, v, y, x]:
                            e = error[y, x] if here[y, x] else 2.0
                            lists[k, v].append(e * c[k][b, v, y, x] - 0.2 * np.log(c[k][b, v, y, x]))
        first = np.linalg.inv(poses[b, 0])
        relative = [first @ poses[b, v] for v in range(VIEWS)]
        if flag == 3:
            nu_gt = max(np.mean([np.linalg.norm(m[:3, 3]) for m in relative]), 1e-3)
            nu = nu_gt if t.metric[b] else max(np.mean(np.linalg.norm(pose[b, :, :3], axis=-1)), 1e-3)
        if nu > 1e-3 and nu_gt > 1e-3:
            for v, m in enumerate(relative):
                r = m[:3, :3]
                qw = np.sqrt(1 + np.trace(r)) / 2  # turns here are small
                q = np.array([qw, *(np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]]) / (4 * qw))])
                moved = np.linalg.norm(pose[b, v, :3] / nu - m[:3, 3] / nu_gt)
                distances.append(moved + np.linalg.norm(pose[b, v, 3:] - q))
    terms = [np.mean(values) if values else 0.0 for values in lists.values()]
    return 2 * float(np.mean(terms)) + 5 * min(float(np.mean(distances)) if distances else 0.0, 0.3)
