//! Fused surfaces against the true one.

use point3r::{
    export::{ExportError, ExportOptions, Format, Watch},
    mesh::{Mesh, MeshOptions, reconstruct},
    pace::Pace,
};

use crate::known::{self, BOX, color, off_surface};

fn fuse(options: &MeshOptions) -> Result<Mesh, ExportError> {
    let scene = known::scene();
    let frames: Vec<_> =
        scene.keyframes.frames().iter().map(|f| (f.pose, f.maps.as_deref().expect("maps are kept"))).collect();
    let pace = Pace::none();
    let mut progress = |_: f32| {};
    let mut watch = Watch::new(&pace, &mut progress, &|| false);
    pollster::block_on(reconstruct(&frames, &known::camera(), options, &mut watch))
}

fn near_box(p: &[f32; 3], margin: f32) -> bool {
    (0..3).all(|i| (BOX[0][i] - margin..=BOX[1][i] + margin).contains(&p[i]))
}

#[test]
fn the_mesh_lies_on_the_true_surface_within_a_voxel() {
    let mesh = fuse(&MeshOptions { voxel: Some(0.025), ..Default::default() }).unwrap();
    assert_eq!((mesh.positions.len(), mesh.colors.len()), (mesh.normals.len(), mesh.positions.len()));
    let off: Vec<f32> = mesh.positions.iter().map(|&p| off_surface(p)).collect();
    let beyond = off.iter().filter(|&&d| d > mesh.voxel).count();
    let mean = off.iter().sum::<f32>() / off.len() as f32;
    println!("{} vertices, {} triangles, mean {mean}, {beyond} beyond a voxel", off.len(), mesh.triangles.len());
    // Where a picture ends at the edge of an object, up to a pixel's width of surface is uncertain.
    assert!(beyond * 200 <= off.len(), "{beyond} of {} vertices are more than a voxel off", off.len());
    assert!(mean < 0.25 * mesh.voxel, "{mean}");
}

#[test]
fn the_box_is_closed_at_its_sides_and_top_and_has_its_colours() {
    let mesh = fuse(&MeshOptions { voxel: Some(0.025), ..Default::default() }).unwrap();
    // 4 sides and the top, 1 m each; the bottom stands on the floor and was never seen.
    let area: f32 = mesh
        .triangles
        .iter()
        .map(|t| t.map(|v| mesh.positions[v as usize]))
        .filter(|t| t.iter().all(|p| near_box(p, 0.05) && p[1] < 0.55))
        .map(|[a, b, c]| {
            let [u, v]: [[f32; 3]; 2] = [b, c].map(|p| std::array::from_fn(|i| p[i] - a[i]));
            let n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
            0.5 * n.iter().map(|x| x * x).sum::<f32>().sqrt()
        })
        .sum();
    let expected = 4.0 * 0.95 + 1.0;
    assert!((area / expected - 1.0).abs() < 0.05, "{area} m2 instead of {expected}");
    let faces = mesh.positions.iter().zip(&mesh.colors).filter(|(p, _)| near_box(p, 0.02));
    let (mut worst, mut sum, mut count) = (0, 0, 0);
    for (&p, rgb) in faces {
        for (a, b) in color(p).into_iter().zip(*rgb) {
            worst = worst.max(a.abs_diff(b));
            sum += u32::from(a.abs_diff(b));
            count += 1;
        }
    }
    // A pixel is 2 cm wide there, over which colours change by up to 4.
    assert!(sum < 4 * count && worst < 60, "mean {} worst {worst}", f64::from(sum) / f64::from(count));
}

#[test]
fn normals_and_triangles_face_the_cameras() {
    let mesh = fuse(&MeshOptions { voxel: Some(0.03), ..Default::default() }).unwrap();
    let centre: [f32; 3] = std::array::from_fn(|i| 0.5 * (BOX[0][i] + BOX[1][i]));
    let outward = |p: [f32; 3], n: [f32; 3]| (0..3).map(|i| n[i] * (p[i] - centre[i])).sum::<f32>();
    let (mut right, mut wrong) = (0, 0);
    for (&p, &n) in mesh.positions.iter().zip(&mesh.normals).filter(|(p, _)| near_box(p, 0.03) && p[1] < 0.5) {
        assert!((n.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-4);
        *(if outward(p, n) > 0.0 { &mut right } else { &mut wrong }) += 1;
    }
    assert!(right > 1000 && wrong * 100 < right, "{right} vertices face outwards, {wrong} inwards");
}

#[test]
fn memory_bounds_the_detail_and_the_mesh_says_so() {
    let small = fuse(&MeshOptions { voxel: Some(0.01), memory: 4 << 20, ..Default::default() }).unwrap();
    assert!(small.voxel > 0.03, "{}", small.voxel);
    let off = small.positions.iter().filter(|&&p| off_surface(p) > small.voxel).count();
    assert!(!small.triangles.is_empty() && off * 20 <= small.positions.len(), "{off} of {}", small.positions.len());
}

#[test]
fn the_default_voxel_fits_the_scene_and_its_unit() {
    let mesh = fuse(&MeshOptions::default()).unwrap();
    // 1.5 pixels of 1/140 at 2 to 3 m.
    assert!((0.01..0.04).contains(&mesh.voxel), "{}", mesh.voxel);
    let options = ExportOptions { scale: 100.0, ..Default::default() };
    let files = known::files(&known::scene(), Format::MeshPly, &options).unwrap();
    let text = String::from_utf8_lossy(&files[0].1[..600]).into_owned();
    let voxel = text.lines().find_map(|l| l.strip_prefix("comment voxel ")).unwrap().parse::<f32>().unwrap();
    assert!((voxel / mesh.voxel / 100.0 - 1.0).abs() < 1e-5, "{voxel}");
}

#[test]
fn nothing_sure_enough_is_a_named_error() {
    let error = fuse(&MeshOptions { confidence: 1e6, ..Default::default() }).unwrap_err();
    assert!(matches!(error, ExportError::NoSurface), "{error}");
    assert_eq!(error.code(), "no-surface");
}
