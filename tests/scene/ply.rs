//! PLY as we and others write it.

use point3r::{
    export::{ExportOptions, ply},
    scene::{self, Limits, SceneError},
};

use crate::support::scene;

/// x, y, z, a list, red, green, blue.
type Vertex = (f64, f32, i16, &'static [u32], f32, u8, u16);

#[test]
fn our_own_file_comes_back_to_the_bit() {
    let full = scene();
    let mut bytes = Vec::new();
    ply::write(&full.cloud, &ExportOptions::default(), &mut bytes).unwrap();
    let read = scene::read(&bytes, &Limits::default()).unwrap();
    assert_eq!(read.cloud.chunks(), full.cloud.chunks());
}

#[test]
fn every_encoding_tells_the_same_points() {
    let header = |format: &str| {
        format!(
            "ply\r\nformat {format} 1.0\r\ncomment made elsewhere\r\nelement camera 1\r\nproperty list uchar short tags\r\n\
             element vertex 2\r\nproperty double x\r\nproperty float nx\r\nproperty float y\r\nproperty short z\r\n\
             property list uchar uint rings\r\nproperty float red\r\nproperty uchar green\r\nproperty ushort blue\r\n\
             element face 9\r\nproperty list uchar int vertex_indices\r\nend_header\r\n"
        )
    };
    let ascii = format!("{}2 5 6\n 1.5 0 -2 3 2 7 8 1.0 255 0\n-1 0 2.5e0 -4 0 0.5 0 65535\n", header("ascii"));
    let binary = |big: bool| {
        let mut bytes = header(if big { "binary_big_endian" } else { "binary_little_endian" }).into_bytes();
        let mut put = |value: &[u8]| {
            let mut value = value.to_vec();
            if big {
                value.reverse();
            }
            bytes.extend(value);
        };
        put(&[2]);
        [5_i16, 6].iter().for_each(|v| put(&v.to_le_bytes()));
        let vertices: [Vertex; 2] = [(1.5, -2.0, 3, &[7, 8], 1.0, 255, 0), (-1.0, 2.5, -4, &[], 0.5, 0, 65_535)];
        for (x, y, z, rings, red, green, blue) in vertices {
            put(&x.to_le_bytes());
            put(&0_f32.to_le_bytes());
            put(&y.to_le_bytes());
            put(&z.to_le_bytes());
            put(&[rings.len() as u8]);
            rings.iter().for_each(|ring| put(&ring.to_le_bytes()));
            put(&red.to_le_bytes());
            put(&[green]);
            put(&blue.to_le_bytes());
        }
        bytes
    };
    for (name, bytes) in [("ascii", ascii.into_bytes()), ("little", binary(false)), ("big", binary(true))] {
        let read = scene::read(&bytes, &Limits::default()).unwrap();
        let points: Vec<_> = read.cloud.points_above(0.0).map(|(_, p)| (p.position, p.color())).collect();
        assert_eq!(points, [([1.5, -2.0, 3.0], [255, 255, 0]), ([-1.0, 2.5, -4.0], [128, 0, 255])], "{name}");
    }
}

#[test]
fn colours_of_splats_are_understood() {
    let text = "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\n\
                property float f_dc_0\nproperty float f_dc_1\nproperty float f_dc_2\nend_header\n0 0 1 0 1.7724539 -9\n";
    let read = scene::read(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(read.cloud.points_above(0.0).next().unwrap().1.color(), [128, 255, 0]);
}

#[test]
fn points_that_are_not_numbers_are_left_out_unless_there_are_no_others() {
    let text = |points: &str, count: usize| {
        let properties = "property float x\nproperty float y\nproperty float z\n";
        format!("ply\nformat ascii 1.0\nelement vertex {count}\n{properties}end_header\n{points}")
    };
    let some = scene::read(text("nan 0 0\n1 2 3\ninf 0 0\n", 3).as_bytes(), &Limits::default()).unwrap();
    assert_eq!(some.cloud.point_count(), 1);
    let none = scene::read(text("nan 0 0\n", 1).as_bytes(), &Limits::default()).unwrap_err();
    assert!(matches!(none, SceneError::Damaged(_)), "{none}");
    assert_eq!(scene::read(text("", 0).as_bytes(), &Limits::default()).unwrap_err(), SceneError::Empty);
}
