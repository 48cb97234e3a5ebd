//! transforms.json read back as nerfstudio reads it: rays through pixels meet the points.

use point3r::export::{ExportOptions, Format};
use serde_json::Value;

use crate::known::{self, color, file, files};

fn matrix(value: &Value, rows: usize) -> Vec<[f64; 4]> {
    let rows_found = value.as_array().unwrap();
    assert_eq!(rows_found.len(), rows);
    rows_found.iter().map(|row| std::array::from_fn(|i| row[i].as_f64().unwrap())).collect()
}

fn apply(m: &[[f64; 4]], p: [f64; 3], w: f64) -> [f64; 3] {
    std::array::from_fn(|i| m[i][0] * p[0] + m[i][1] * p[1] + m[i][2] * p[2] + m[i][3] * w)
}

#[test]
fn a_ray_through_a_pixel_meets_the_surface_of_its_colour_at_the_stated_depth() {
    let options = ExportOptions { scale: 2.0, max_points: 5000, ..Default::default() };
    let files = files(&known::scene(), Format::Nerfstudio, &options).unwrap();
    let t: Value = serde_json::from_slice(&file(&files, "transforms.json")).unwrap();
    let number = |name: &str| t[name].as_f64().unwrap();
    assert_eq!((number("w"), number("h"), &t["camera_model"]), (160.0, 120.0, &"OPENCV".into()));
    let applied = matrix(&t["applied_transform"], 3);
    let frames = t["frames"].as_array().unwrap();
    assert_eq!(frames.len(), known::poses().len());
    for frame in frames {
        let pose = matrix(&frame["transform_matrix"], 4);
        let open = |key: &str| image::load_from_memory(&file(&files, frame[key].as_str().unwrap())).unwrap();
        let (picture, depth) = (open("file_path").into_rgb8(), open("depth_file_path").into_luma16());
        for (x, y) in [(0, 0), (159, 119), (80, 60), (20, 100), (133, 7)] {
            // nerfstudio: pixel centres at + 0.5, y up, looking along -z.
            let direction = [
                (f64::from(x) + 0.5 - number("cx")) / number("fl_x"),
                -(f64::from(y) + 0.5 - number("cy")) / number("fl_y"),
                -1.0,
            ];
            let z = f64::from(depth.get_pixel(x, y).0[0]) * number("depth_unit_scale_factor");
            let there = apply(&pose, direction.map(|v| v * z), 1.0);
            // Back to the scan's world: `applied_transform` is a rotation, its inverse the transpose.
            let original: [f64; 3] = std::array::from_fn(|i| (0..3).map(|k| applied[k][i] * there[k]).sum());
            let original = original.map(|v| (v / 2.0) as f32);
            // Depth is f16 in memory and millimetres in the file.
            assert!(known::off_surface(original) < 0.005, "{x} {y}: {original:?}");
            let expected = color(original);
            let found = picture.get_pixel(x, y).0;
            assert!(expected.iter().zip(found).all(|(a, b)| a.abs_diff(b) <= 2), "{x} {y}: {expected:?} {found:?}");
        }
    }
    // "Up" is +z: the floor is the room's lowest part, and the first camera looks along +y.
    let first = matrix(&frames[0]["transform_matrix"], 4);
    assert_eq!(apply(&first, [0.0, 0.0, -1.0], 0.0), [0.0, 1.0, 0.0]);
    assert_eq!(apply(&first, [0.0, 1.0, 0.0], 0.0), [0.0, 0.0, 1.0]);

    let ply = file(&files, t["ply_file_path"].as_str().unwrap());
    let end = ply.windows(11).position(|w| w == b"end_header\n").unwrap() + 11;
    let points = ply[end..].chunks_exact(15);
    assert_eq!((points.len(), points.remainder().len()), (5000, 0));
    for point in points {
        let there: [f64; 3] =
            std::array::from_fn(|i| f64::from(f32::from_le_bytes(point[4 * i..4 * i + 4].try_into().unwrap())));
        let original: [f64; 3] = std::array::from_fn(|i| (0..3).map(|k| applied[k][i] * there[k]).sum());
        assert!(known::off_surface(original.map(|v| (v / 2.0) as f32)) < 1e-4);
    }
}
