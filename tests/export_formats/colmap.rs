//! COLMAP models read back: a world point lands in the picture where its colour is.

use point3r::export::{ExportOptions, Format};

use crate::known::{self, color, file, files};

/// Little-endian numbers, front to back.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_first_chunk().expect("the file is long enough");
        self.0 = rest;
        *head
    }
    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
    fn i32(&mut self) -> i32 {
        i32::from_le_bytes(self.take())
    }
    fn f64(&mut self) -> f64 {
        f64::from_le_bytes(self.take())
    }
    fn name(&mut self) -> String {
        std::iter::from_fn(|| Some(self.take::<1>()[0]).filter(|&b| b != 0)).map(char::from).collect()
    }
}

struct Model {
    /// width, height, fx, fy, cx, cy
    camera: [f64; 6],
    /// name, qw qx qy qz tx ty tz
    images: Vec<(String, [f64; 7])>,
    points: Vec<([f64; 3], [u8; 3])>,
}

fn read_binary(files: &[(String, Vec<u8>)]) -> Model {
    let bytes = file(files, "sparse/0/cameras.bin");
    let mut r = Reader(&bytes);
    assert_eq!((r.u64(), r.i32(), r.i32()), (1, 1, 1)); // one, number 1, PINHOLE
    let size = [r.u64(), r.u64()].map(|v| v as f64);
    let camera = [size[0], size[1], r.f64(), r.f64(), r.f64(), r.f64()];
    assert!(r.0.is_empty());
    let bytes = file(files, "sparse/0/images.bin");
    let mut r = Reader(&bytes);
    let images = (0..r.u64())
        .map(|i| {
            assert_eq!(r.i32(), i as i32 + 1);
            let pose = std::array::from_fn(|_| r.f64());
            assert_eq!(r.i32(), 1);
            let name = r.name();
            assert_eq!(r.u64(), 0);
            (name, pose)
        })
        .collect();
    assert!(r.0.is_empty());
    let bytes = file(files, "sparse/0/points3D.bin");
    let mut r = Reader(&bytes);
    let points = (0..r.u64())
        .map(|i| {
            assert_eq!(r.u64(), i + 1);
            let point = (std::array::from_fn(|_| r.f64()), r.take());
            assert_eq!((r.f64(), r.u64()), (-1.0, 0));
            point
        })
        .collect();
    assert!(r.0.is_empty());
    Model { camera, images, points }
}

fn read_text(files: &[(String, Vec<u8>)]) -> Model {
    let lines = |path: &str| {
        let text = String::from_utf8(file(files, path)).unwrap();
        text.lines().filter(|l| !l.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    fn numbers<const N: usize>(words: &[&str]) -> [f64; N] {
        std::array::from_fn(|i| words[i].parse().unwrap())
    }
    let camera = lines("sparse/0/cameras.txt");
    let words: Vec<&str> = camera[0].split(' ').collect();
    assert_eq!((camera.len(), words[0], words[1]), (1, "1", "PINHOLE"));
    let camera = numbers(&words[2..]);
    let images = lines("sparse/0/images.txt");
    assert!(images.iter().skip(1).step_by(2).all(String::is_empty), "every second line lists no points");
    let images = images.iter().step_by(2).map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        (words[9].to_owned(), numbers(&words[1..]))
    });
    let points = lines("sparse/0/points3D.txt");
    let points = points.iter().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!((words.len(), words[7]), (8, "-1"));
        (numbers(&words[1..]), std::array::from_fn(|i| words[4 + i].parse().unwrap()))
    });
    Model { camera, images: images.collect(), points: points.collect() }
}

/// Written for this test, from COLMAP's documentation: pixel of a world point, origin at the picture's corner.
fn project(model: &Model, image: usize, p: [f64; 3]) -> Option<[f64; 2]> {
    let [w, x, y, z, tx, ty, tz] = model.images[image].1;
    let cross =
        |a: [f64; 3], b: [f64; 3]| [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let (u, t) = ([x, y, z], [tx, ty, tz]);
    let once = cross(u, p);
    let twice = cross(u, once);
    let c: [f64; 3] = std::array::from_fn(|i| p[i] + 2.0 * (w * once[i] + twice[i]) + t[i]);
    let [_, _, fx, fy, cx, cy] = model.camera;
    (c[2] > 0.0).then(|| [fx * c[0] / c[2] + cx, fy * c[1] / c[2] + cy])
}

/// Every point of frame `i` of the cloud was seen in the centre of some pixel of picture `i`, which has its colour.
fn assert_points_hit_their_pixels(files: &[(String, Vec<u8>)], model: &Model) {
    let size = known::WIDTH * known::HEIGHT;
    let frames = model.images.len();
    assert_eq!((frames, model.points.len()), (known::poses().len(), frames * size));
    for (i, (name, _)) in model.images.iter().enumerate() {
        assert_eq!(*name, format!("{:06}.png", known::index(i)));
        let picture = image::load_from_memory(&file(files, &format!("images/{name}"))).unwrap().into_rgb8();
        assert_eq!((picture.width(), picture.height()), (model.camera[0] as u32, model.camera[1] as u32));
        for pixel in (0..size).step_by(97) {
            let (position, rgb) = model.points[i * size + pixel];
            let [u, v] = project(model, i, position).unwrap();
            let expected = [(pixel % known::WIDTH) as f64 + 0.5, (pixel / known::WIDTH) as f64 + 0.5];
            // Poses and points are f32, metres away: some hundredths of a pixel.
            assert!((u - expected[0]).abs() < 0.05 && (v - expected[1]).abs() < 0.05, "{u} {v} for {expected:?}");
            assert_eq!(picture.get_pixel(u.floor() as u32, v.floor() as u32).0, rgb);
        }
    }
}

#[test]
fn points_of_the_binary_model_project_to_their_pixels() {
    let options = ExportOptions { max_points: usize::MAX, ..Default::default() };
    let files = files(&known::scene(), Format::Colmap, &options).unwrap();
    assert_points_hit_their_pixels(&files, &read_binary(&files));
}

#[test]
fn text_and_binary_say_the_same_at_another_scale() {
    let options = ExportOptions { max_points: 1000, scale: 2.5, ..Default::default() };
    let files = files(&known::scene(), Format::Colmap, &options).unwrap();
    let (binary, text) = (read_binary(&files), read_text(&files));
    assert_eq!((binary.camera, &binary.images), (text.camera, &text.images));
    assert_eq!(binary.points.len(), 1000);
    for (b, t) in binary.points.iter().zip(&text.points) {
        assert_eq!(b.1, t.1);
        assert!(b.0.iter().zip(t.0).all(|(a, b)| (a - b).abs() < 1e-6));
        // Colours are a function of where points were before scaling: to the rounding of a byte.
        let there = color(b.0.map(|v| (v / 2.5) as f32));
        assert!(there.iter().zip(b.1).all(|(a, b)| a.abs_diff(b) <= 1), "{there:?} {:?}", b.1);
    }
    // The picture does not change when lengths do.
    let last = binary.images.len() - 1;
    let (position, rgb) = *binary.points.last().unwrap();
    let [u, v] = project(&binary, last, position).unwrap();
    let name = &binary.images[last].0;
    let picture = image::load_from_memory(&file(&files, &format!("images/{name}"))).unwrap().into_rgb8();
    assert_eq!(picture.get_pixel(u.floor() as u32, v.floor() as u32).0, rgb);
}
