//! A known scene, and the GLB container.

use point3r::{
    cloud::{Chunk, Cloud, PackedPoint},
    export::glb,
    geometry::{Intrinsics, Pose},
    scene::{Scene, SceneCamera, Viewpoint},
};

/// A bent sheet seen by three cameras on a path.
pub(crate) fn scene() -> Scene {
    let mut cloud = Cloud::default();
    for frame in 0..3_u32 {
        let point = |i: u32| {
            let (x, y) = ((i % 40) as f32 * 0.05 - 1.0, (i / 40) as f32 * 0.05 - 1.0);
            let position = [x + frame as f32 * 0.3, y, 2.0 + 0.2 * (3.0 * x).sin()];
            PackedPoint::new(position, [(i % 256) as u8, (i / 40) as u8, frame as u8 * 100], 1.0 + (i % 90) as f32)
        };
        cloud.push(Chunk::new(frame * 5, (0..1600).map(point).collect()));
    }
    let s = 0.5_f32.sqrt();
    let camera = |i: u32| SceneCamera {
        frame: i * 5,
        time: f64::from(i) * 0.4,
        pose: Pose {
            translation: [i as f32 * 0.3, -0.1, 0.05],
            rotation: [[1.0, 0.0, 0.0, 0.0], [s, 0.0, s, 0.0], [0.5; 4]][i as usize],
        },
    };
    Scene {
        title: "a bent \"sheet\"\n</script>".to_owned(),
        cloud,
        cameras: (0..3).map(camera).collect(),
        intrinsics: Some(Intrinsics::centred(300.0, 512, 384)),
        viewpoint: Some(Viewpoint { eye: [0.0, -1.0, -2.0], target: [0.0, 0.0, 2.0] }),
        spacing: None,
    }
}

pub(crate) fn written(scene: &Scene, confidence: f32) -> Vec<u8> {
    let mut bytes = Vec::new();
    glb::write(scene, confidence, &mut bytes).unwrap();
    bytes
}

/// The description inside a GLB.
pub(crate) fn json_of(bytes: &[u8]) -> serde_json::Value {
    let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    serde_json::from_slice(&bytes[20..20 + length]).unwrap()
}

/// A GLB with this description and body.
pub(crate) fn glb_of(json: &serde_json::Value, body: &[u8]) -> Vec<u8> {
    glb_of_text(json.to_string().as_bytes(), body)
}

pub(crate) fn glb_of_text(text: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = b"glTF".to_vec();
    let total = 12 + 8 + text.len() + 8 + body.len();
    [2, total as u32, text.len() as u32].iter().for_each(|w| bytes.extend(w.to_le_bytes()));
    bytes.extend(b"JSON");
    bytes.extend(text);
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(b"BIN\0");
    bytes.extend(body);
    bytes
}

/// A room: floor, walls and a ball, 2 cm apart, with noise; about 100,000 points.
pub(crate) fn room() -> Scene {
    let mut seed = 3_u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let mut points = Vec::new();
    for i in 0..100_000 {
        let (u, v) = (random() * 4.0, random() * 3.0);
        let position = match i % 4 {
            0 => [u, 1.2, 2.0 + v],
            1 => [u, v * 0.8, 3.5],
            2 => [-2.0, v * 0.8, 2.0 + u],
            _ => {
                let norm = (u * u + v * v + 1.0).sqrt();
                [0.4 * u / norm, 0.4 * v / norm, 2.0 - 0.4 / norm]
            }
        };
        let shade = (40.0 * (position[0] * 3.0).sin() + 10.0 * random()) as i32;
        let color = [150 + shade, 120 + shade, 90 + shade].map(|c| c as u8);
        let position = position.map(|p| p + 0.01 * random());
        points.push(PackedPoint::new(position, color, 1.0 + 60.0 * (random() + 0.5)));
    }
    let mut cloud = Cloud::default();
    cloud.push(Chunk::new(0, points));
    Scene { cloud, ..scene() }
}
