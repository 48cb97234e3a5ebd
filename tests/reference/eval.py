"""Checks `point3r eval` against evo (trajectories), Open3D (ICP, normals, distances) and NumPy (depth, alignment).

    pip install evo open3d numpy pillow scipy
    python tests/reference/eval.py --data DIR --pred DIR [--stride N] [--point3r target/release/point3r]

DIR of --data has the posed-rgbd layout, DIR of --pred is as `point3r run` writes it and shows whole pictures.
Prints one line per number: ours, the library's, the difference relative to the larger. Ends with 1 if one exceeds
its tolerance.
"""

import argparse, json, subprocess, sys
from pathlib import Path

import numpy as np
import open3d as o3d
from evo.core import metrics, trajectory
from PIL import Image
from scipy.spatial import cKDTree

a = argparse.ArgumentParser()
a.add_argument("--data", type=Path, required=True)
a.add_argument("--pred", type=Path, required=True)
a.add_argument("--stride", type=int, default=1)
a.add_argument("--point3r", default="target/release/point3r")
a = a.parse_args()


def ours(task):
    command = [a.point3r, "eval", task, "--data", a.data, "--pred", a.pred, "--stride", str(a.stride), "--json"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {row["name"]: row["metrics"] for row in report["overall"]}


failed = False


def compare(name, mine, theirs, tolerance):
    global failed
    difference = abs(mine - theirs) / max(abs(mine), abs(theirs), 1e-12)
    failed |= not difference <= tolerance
    print(f"{name:34} {mine:.9f}  {theirs:.9f}  {difference:.1e}  {'ok' if difference <= tolerance else 'DIFFERS'}")


def rotation(m):
    u, _, v = np.linalg.svd(m)
    return u @ v


def poses(matrices):
    for m in matrices:
        m[:3, :3] = rotation(m[:3, :3])
    return matrices


files = sorted((a.data / "color").iterdir())[:: a.stride]
indices = list(range(0, len(list((a.data / "color").iterdir())), a.stride))
truth = poses([np.loadtxt(a.data / "pose" / f"{f.stem}.txt") for f in files])
lines = np.loadtxt(a.pred / "trajectory.tum")[indices]
K = np.loadtxt(a.data / "intrinsics.txt")
depths = [np.array(Image.open(a.data / "depth" / f"{f.stem}.png")).astype(np.float64) / 1000 for f in files]
predicted_depths = [np.array(Image.open(a.pred / "depth" / f"{i:06}.png")).astype(np.float64) / 1000 for i in indices]

# Trajectories.
stamps = np.arange(len(files), dtype=float)
reference = trajectory.PoseTrajectory3D(poses_se3=truth, timestamps=stamps)
estimate = trajectory.PoseTrajectory3D(
    positions_xyz=lines[:, 1:4], orientations_quat_wxyz=lines[:, [7, 4, 5, 6]], timestamps=stamps)
estimate.align(reference, correct_scale=True)
pose = ours("pose")["prediction"]
ape = metrics.APE(metrics.PoseRelation.translation_part)
ape.process_data((reference, estimate))
compare("ATE (evo)", pose["ATE m"], ape.get_statistic(metrics.StatisticsType.rmse), 1e-5)
for name, relation in (("RPE trans m", metrics.PoseRelation.translation_part), ("RPE rot deg", metrics.PoseRelation.rotation_angle_deg)):
    rpe = metrics.RPE(relation, delta=1, delta_unit=metrics.Unit.frames, all_pairs=True)
    rpe.process_data((reference, estimate))
    compare(f"{name} (evo)", pose[name], rpe.get_statistic(metrics.StatisticsType.rmse), 1e-5)

# Depth, at equal sizes (no resampling).
if predicted_depths[0].shape == depths[0].shape:
    pairs = [(p[g > 0], g[g > 0]) for p, g in zip(predicted_depths, depths)]
    weight = np.array([len(g) for _, g in pairs])
    scaled = [(p * np.median(g) / np.median(p), g) for p, g in pairs]
    mean = lambda f: sum(f(p, g) * len(g) for p, g in scaled) / weight.sum()
    mine = ours("depth")["prediction"]
    compare("AbsRel (numpy)", mine["AbsRel"], mean(lambda p, g: np.mean(abs(p - g) / g)), 1e-5)
    compare("SqRel (numpy)", mine["SqRel"], mean(lambda p, g: np.mean((p - g) ** 2 / g)), 1e-5)
    compare("RMSE (numpy)", mine["RMSE"], mean(lambda p, g: np.sqrt(np.mean((p - g) ** 2))), 1e-5)
    compare("logRMSE (numpy)", mine["logRMSE"], mean(lambda p, g: np.sqrt(np.mean(np.log(p / g) ** 2))), 1e-5)
    compare("d<1.25 (numpy)", mine["d<1.25"], mean(lambda p, g: np.mean(np.maximum(p / g, g / p) < 1.25)), 1e-4)

    # Video depth: the two alignments of a whole sequence.
    video = ours("video-depth")
    # Depths are f32 there. Reweighting is chaotic: a pixel that fits exactly has weight 1e8, and changing the first
    # scale by 1e-15 changes the last one by 1e-4.
    p, g = (np.concatenate(x).astype(np.float32).astype(np.float64) for x in zip(*pairs))
    s = g.mean() / p.mean()
    for _ in range(10):
        w = 1 / (abs(s * p - g) + 1e-8)
        s = max((w * p * g).sum() / (w * p * p).sum(), 1e-3)
    compare("AbsRel, scale (numpy)", video["prediction, scale"]["AbsRel"], np.mean(abs(s * p - g) / g), 2e-4)
    x, m, v, last = np.array([np.median(g) / np.median(p), 0.0]), np.zeros(2), np.zeros(2), np.inf
    for step in range(1, 1001):
        r = x[0] * p + x[1] - g
        sign = np.sign(r)
        gradient = np.array([(sign * p).sum(), sign.sum()])
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        x = x - 1e-4 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        loss = abs(r).sum()
        if abs(last - loss) < 1e-6:
            break
        last = loss
    theirs = np.mean(abs(x[0] * p + x[1] - g) / g)
    compare("AbsRel, scale and shift (numpy)", video["prediction, scale and shift"]["AbsRel"], theirs, 1e-4)

# Clouds: the prediction's points by pixel, from the PLY.
data = (a.pred / "cloud.ply").read_bytes()
header, body = data.split(b"end_header\n", 1)
kinds = {"float": "<f4", "uchar": "u1", "int": "<i4"}
fields = [l.split() for l in header.decode().splitlines() if l.startswith("property")]
vertices = np.frombuffer(body, dtype=[(name, kinds[kind]) for _, kind, name in fields])
first = truth[0]
P, G, central = [], [], []
for i, z, t in zip(indices, depths, truth):
    h, w = z.shape
    y, x = np.mgrid[0:h, 0:w]
    local = np.stack([(x - K[0, 2]) / K[0, 0] * z, (y - K[1, 2]) / K[1, 1] * z, z], -1)
    relative = np.linalg.inv(first) @ t
    own = vertices[vertices["frame"] == i]
    p = np.stack([own["x"], own["y"], own["z"]], -1).astype(np.float64).reshape(h, w, 3)
    valid = (z >= 1e-3) & (z <= 10)
    top, left = (h - 224) // 2, (w - 224) // 2
    inside = (y >= top) & (y < top + 224) & (x >= left) & (x < left + 224)
    P.append(p[valid]), G.append((local @ relative[:3, :3].T + relative[:3, 3])[valid]), central.append(inside[valid])
P, G, central = np.concatenate(P), np.concatenate(G), np.concatenate(central)
shift_p, shift_g = np.median(P[:, 2]), np.median(G[:, 2])
P[:, 2] -= shift_p
G[:, 2] -= shift_g
spread = lambda x: np.median(np.linalg.norm(x - np.median(x, axis=0), axis=1))
P *= spread(G) / np.clip(spread(P), 1e-3, 1e3)
P[:, 2] += shift_g
G[:, 2] += shift_g
clouds = []
for points in (P[central], G[central]):
    cloud = o3d.geometry.PointCloud()
    cloud.points = o3d.utility.Vector3dVector(points @ first[:3, :3].T + first[:3, 3])
    clouds.append(cloud)
p, g = clouds
icp = o3d.pipelines.registration.registration_icp(
    p, g, 0.1, np.eye(4), o3d.pipelines.registration.TransformationEstimationPointToPoint())
p.transform(icp.transformation)
p.estimate_normals()
g.estimate_normals()
pn, gn, pp, gp = (np.asarray(v) for v in (p.normals, g.normals, p.points, g.points))
d1, i1 = cKDTree(gp).query(pp)
d2, i2 = cKDTree(pp).query(gp)
mine = ours("reconstruction")["prediction"]
compare("Acc mean (Open3D)", mine["Acc mean m"], d1.mean(), 1e-4)
compare("Acc median (Open3D)", mine["Acc med m"], np.median(d1), 1e-4)
compare("Comp mean (Open3D)", mine["Comp mean m"], d2.mean(), 1e-4)
compare("Comp median (Open3D)", mine["Comp med m"], np.median(d2), 1e-4)
n1, n2 = abs((pn * gn[i1]).sum(1)), abs((gn * pn[i2]).sum(1))
compare("NC mean (Open3D)", mine["NC mean"], (n1.mean() + n2.mean()) / 2, 2e-3)
compare("NC median (Open3D)", mine["NC med"], (np.median(n1) + np.median(n2)) / 2, 2e-3)
sys.exit(failed)
