"""Reads a folder of exports of the known scene with other people's programs and checks their conventions.

Usage: read_exports.py FOLDER. A package that is absent is skipped by name; a disagreement ends with a traceback.
The scene is the one of tests/export_formats/known.rs: a box in a room whose colours are a function of place.
"""

import json
import sys
import zipfile
from pathlib import Path

BOX = ((-0.5, -0.4, 2.0), (0.5, 0.6, 3.0))
ROOM = ((-3.0, -1.5, -2.0), (3.0, 0.6, 6.0))
FRAMES, WIDTH, HEIGHT = 25, 160, 120
# Of so many points in a row, COLMAP is given the last.
THINNED = 64


def package(name):
    try:
        return __import__(name, fromlist=["_"])
    except ImportError:
        print(f"skipped: no {name}")
        return None


def colors(np, points):
    return np.round(127.5 + 120.0 * np.sin(1.7 * points))


def off_surface(np, points):
    def signed(low, high):
        q = np.maximum(np.array(low) - points, points - np.array(high))
        return np.abs(np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0))

    return np.minimum(signed(*BOX), signed(*ROOM))


def check_zips(folder):
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None, path
            for name in archive.namelist():
                assert archive.read(name) == (folder / path.stem / name).read_bytes(), (path, name)
        print(f"zipfile: {path.name} holds what the folder holds")


def check_maps(folder, np):
    for path in sorted((folder / "maps/depth").glob("*.npy")):
        depth = np.load(path)
        assert depth.shape == (HEIGHT, WIDTH) and depth.dtype == np.float32, path
    print("numpy: depth maps")


def check_colmap(folder, np, pycolmap):
    model = folder / "colmap/sparse/0"
    text = folder / "text_only"
    text.mkdir()
    for path in model.glob("*.txt"):
        (text / path.name).write_bytes(path.read_bytes())
    for source in (model, text):
        reconstruction = pycolmap.Reconstruction(str(source))
        assert reconstruction.num_images() == FRAMES, reconstruction.summary()
        points3d = dict(reconstruction.points3D.items())
        points = np.array([points3d[i].xyz for i in sorted(points3d)])
        rgb = np.array([points3d[i].color for i in sorted(points3d)])
        assert len(points) == FRAMES * WIDTH * HEIGHT // THINNED and off_surface(np, points).max() < 1e-4
        assert np.abs(colors(np, points) - rgb).max() <= 1
        for number, (_, image) in enumerate(sorted(reconstruction.images.items())):
            assert image.name == f"{2 * number:06}.png"
            pose = image.cam_from_world() if callable(image.cam_from_world) else image.cam_from_world
            count = WIDTH * HEIGHT // THINNED
            own = points[number * count : (number + 1) * count]
            camera = reconstruction.cameras[image.camera_id]
            pixels = np.array(camera.img_from_cam(pose * own))
            x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
            expected = np.stack([x.ravel(), y.ravel()], axis=1)[THINNED - 1 :: THINNED]
            assert np.abs(pixels - expected).max() < 0.05, (image.name, np.abs(pixels - expected).max())
    print(f"pycolmap {pycolmap.__version__}: binary and text, {len(points)} points hit their pixels")


def check_points(folder, np, trimesh):
    for name, turn in (("cloud.ply", (1, 1, 1)), ("scene.glb", (1, -1, -1))):
        loaded = trimesh.load(folder / name)
        if isinstance(loaded, trimesh.Scene):
            clouds = [g for g in loaded.geometry.values() if len(g.vertices) > 1000]
            assert len(clouds) == 1
            loaded = clouds[0]
        points = np.asarray(loaded.vertices) * turn
        assert len(points) == FRAMES * WIDTH * HEIGHT, name
        assert off_surface(np, points[::101]).max() < 1e-4, name
    print(f"trimesh {trimesh.__version__}: cloud.ply, scene.glb")


def check_mesh(np, name, vertices, faces, rgb, normals):
    off = off_surface(np, vertices)
    assert len(faces) > 10000 and off.mean() < 0.01 and (off > 0.03).mean() < 0.005, (name, off.mean(), off.max())
    near = (off < 0.01) & (vertices[:, 1] < 0.55)
    error = np.abs(colors(np, vertices[near]) - rgb[near, :3])
    assert error.mean() < 6, (name, error.mean())
    middle = np.mean(BOX, axis=0)
    on_box = ((vertices > np.array(BOX[0]) - 0.02) & (vertices < np.array(BOX[1]) + 0.02)).all(axis=1)
    on_box &= vertices[:, 1] < 0.5
    outward = np.einsum("ij,ij->i", vertices[on_box] - middle, normals[on_box]) > 0
    assert on_box.sum() > 500 and outward.mean() > 0.98, (name, on_box.sum(), outward.mean())


def check_meshes(folder, np, trimesh, open3d):
    if trimesh:
        for name, turn in (("mesh.ply", (1, 1, 1)), ("mesh.glb", (1, -1, -1))):
            mesh = trimesh.load(folder / name, process=False)
            if name == "mesh.glb":
                (mesh,) = mesh.geometry.values()
                # trimesh hands out glTF's colours as they are stored: linear, 16 bits.
                v = np.asarray(mesh.visual.vertex_attributes["color"]) / 65535
                rgb = 255 * np.where(v <= 0.0031308, v * 12.92, 1.055 * v ** (1 / 2.4) - 0.055)
            else:
                rgb = np.asarray(mesh.visual.vertex_colors).astype(float)
            # From the triangles' order, whatever the file says of normals.
            corners = np.asarray(mesh.vertices)[mesh.faces]
            face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            normals = np.zeros_like(mesh.vertices)
            for corner in range(3):
                np.add.at(normals, mesh.faces[:, corner], face)
            check_mesh(np, name, mesh.vertices * turn, mesh.faces, rgb, normals * turn)
        print("trimesh: mesh.ply, mesh.glb")
    if open3d:
        mesh = open3d.io.read_triangle_mesh(str(folder / "mesh.ply"))
        vertices, normals = np.asarray(mesh.vertices), np.asarray(mesh.vertex_normals)
        check_mesh(np, "mesh.ply", vertices, mesh.triangles, np.asarray(mesh.vertex_colors) * 255, normals)
        cloud = open3d.io.read_point_cloud(str(folder / "nerfstudio/sparse_pc.ply"))
        transform = np.array(json.loads((folder / "nerfstudio/transforms.json").read_text())["applied_transform"])
        points = np.asarray(cloud.points) @ transform[:, :3]
        assert off_surface(np, points[::101]).max() < 1e-4
        print(f"open3d {open3d.__version__}: mesh.ply, nerfstudio's points")


def check_trajectory(folder, np, evo):
    from evo.tools import file_interface

    trajectory = file_interface.read_tum_trajectory_file(str(folder / "trajectory.tum"))
    okay, details = trajectory.check()
    assert okay, details
    assert trajectory.num_poses == FRAMES and np.allclose(trajectory.poses_se3[0], np.eye(4))
    # From every later place the camera looks at the box.
    for pose in trajectory.poses_se3[1:]:
        toward = np.array((0.0, 0.1, 2.5)) - pose[:3, 3]
        assert np.allclose(pose[:3, 2], toward / np.linalg.norm(toward), atol=1e-5)
    print("evo: trajectory.tum")


def main():
    folder = Path(sys.argv[1])
    check_zips(folder)
    np = package("numpy")
    if not np:
        return
    check_maps(folder, np)
    pycolmap, trimesh, open3d, evo = (package(name) for name in ("pycolmap", "trimesh", "open3d", "evo"))
    if pycolmap:
        check_colmap(folder, np, pycolmap)
    if trimesh:
        check_points(folder, np, trimesh)
    check_meshes(folder, np, trimesh, open3d)
    if evo:
        check_trajectory(folder, np, evo)


main()
