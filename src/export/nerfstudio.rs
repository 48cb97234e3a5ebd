//! nerfstudio: `transforms.json`, pictures, depth maps and a point cloud to begin from.
//!
//! Camera axes are OpenGL's (x right, y up, z back), the world's z is up; `applied_transform` leads from our world to
//! it. Pixel coordinates count from the corner of the first pixel. Depth is in millimetres of the exported scale.

use serde::Serialize;

use super::{
    ExportError, ExportOptions, Reconstruction, Sink, Watch, camera, colmap::name, generator, one_line, picture,
    points::thinned,
};

#[derive(Serialize)]
struct Transforms {
    camera_model: &'static str,
    fl_x: f64,
    fl_y: f64,
    cx: f64,
    cy: f64,
    w: usize,
    h: usize,
    k1: f64,
    k2: f64,
    p1: f64,
    p2: f64,
    depth_unit_scale_factor: f64,
    applied_transform: [[f64; 4]; 3],
    #[serde(skip_serializing_if = "Option::is_none")]
    ply_file_path: Option<&'static str>,
    generator: String,
    comments: Vec<String>,
    frames: Vec<Frame>,
}

#[derive(Serialize)]
struct Frame {
    file_path: String,
    depth_file_path: String,
    time: f64,
    transform_matrix: [[f64; 4]; 4],
}

const POINTS: &str = "sparse_pc.ply";

/// Writes `transforms.json`, `images/`, `depth/` and `sparse_pc.ply`.
///
/// # Errors
/// Without a camera or pictures; when the sink fails; when cancelled.
pub async fn write(
    scene: &Reconstruction,
    options: &ExportOptions,
    sink: &mut dyn Sink,
    watch: &mut Watch<'_>,
) -> Result<(), ExportError> {
    let intrinsics = scene.camera()?;
    let frames = scene.frames_with_maps()?;
    let mut entries = Vec::new();
    for (i, (frame, maps)) in frames.iter().enumerate() {
        let (file_path, depth_file_path) =
            (format!("images/{}", name(frame.index)), format!("depth/{}", name(frame.index)));
        let mut bytes = Vec::new();
        picture::write_rgb(&maps.rgb, maps.width, maps.height, &mut bytes)?;
        sink.file(&file_path, &bytes)?;
        bytes.clear();
        picture::write_depth(maps.depth().map(|d| d * options.scale), maps.width, maps.height, &mut bytes)?;
        sink.file(&depth_file_path, &bytes)?;
        let transform_matrix = camera::opengl_in_z_up(&frame.pose, options.scale);
        entries.push(Frame { file_path, depth_file_path, time: frame.time, transform_matrix });
        watch.item(i, frames.len() + 1).await?;
    }
    let points = thinned(&scene.cloud, options.selection(), options.scale, options.max_points);
    let [fl_x, fl_y, cx, cy] = camera::corner_parameters(&intrinsics);
    let transforms = Transforms {
        camera_model: "OPENCV",
        fl_x,
        fl_y,
        cx,
        cy,
        w: intrinsics.width,
        h: intrinsics.height,
        k1: 0.0,
        k2: 0.0,
        p1: 0.0,
        p2: 0.0,
        depth_unit_scale_factor: 1e-3,
        applied_transform: camera::Z_UP,
        ply_file_path: (!points.is_empty()).then_some(POINTS),
        generator: generator(),
        comments: options.comments.iter().map(|comment| one_line(comment)).collect(),
        frames: entries,
    };
    if !points.is_empty() {
        sink.file(POINTS, &point_file(&points))?;
    }
    let json = serde_json::to_vec_pretty(&transforms).map_err(std::io::Error::from)?;
    sink.file("transforms.json", &json)?;
    watch.at(1.0).await
}

/// A PLY of positions and colours in the world whose z is up.
fn point_file(points: &[([f32; 3], [u8; 3])]) -> Vec<u8> {
    let mut out = format!("ply\nformat binary_little_endian 1.0\nelement vertex {}\n", points.len()).into_bytes();
    for property in ["float x", "float y", "float z", "uchar red", "uchar green", "uchar blue"] {
        out.extend(format!("property {property}\n").as_bytes());
    }
    out.extend(b"end_header\n");
    for &(position, color) in points {
        out.extend(camera::point_in_z_up(position).into_iter().flat_map(f32::to_le_bytes));
        out.extend(color);
    }
    out
}
