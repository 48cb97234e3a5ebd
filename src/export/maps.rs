//! Everything per pixel, frame by frame: colour, depth and confidence, with the poses and the camera they belong to.

use super::{
    ExportError, ExportOptions, MapFormat, Reconstruction, Sink, Watch, colmap::name, intrinsics, npy, one_line,
    picture, tum,
};

/// What the folder says about itself.
const ABOUT: &str = "\
color/N.png        the network's view of frame N, 8-bit sRGB
depth/N.png        z in that frame's camera, 16 bits, millimetres, 0 = none
depth/N.npy        the same as float32, metres where the model is metric; not finite or <= 0: none
confidence/N.png   8 bits: confidence = 2^(12 value / 255), at least 1
confidence/N.npy   the same as float32
trajectory.tum     time tx ty tz qx qy qz qw, camera to world, OpenCV axes (x right, y down, z forward)
intrinsics.json    the pinhole camera, pixel centres at integer coordinates; absent where none was estimated
";

/// Writes `color/`, `depth/`, `confidence/`, `trajectory.tum`, `intrinsics.json` and `README.txt`.
///
/// # Errors
/// Without maps; when the sink fails; when cancelled.
pub async fn write(
    scene: &Reconstruction,
    options: &ExportOptions,
    sink: &mut dyn Sink,
    watch: &mut Watch<'_>,
) -> Result<(), ExportError> {
    let frames = scene.frames_with_maps()?;
    for (i, (frame, maps)) in frames.iter().enumerate() {
        let (name, width, height) = (name(frame.index), maps.width, maps.height);
        let depth = || maps.depth().map(|d| d * options.scale);
        let mut bytes = Vec::new();
        picture::write_rgb(&maps.rgb, width, height, &mut bytes)?;
        sink.file(&format!("color/{name}"), &bytes)?;
        if options.maps != MapFormat::Npy {
            bytes.clear();
            picture::write_depth(depth(), width, height, &mut bytes)?;
            sink.file(&format!("depth/{name}"), &bytes)?;
            bytes.clear();
            picture::write_codes(&maps.confidence, width, height, &mut bytes)?;
            sink.file(&format!("confidence/{name}"), &bytes)?;
        }
        if options.maps != MapFormat::Png {
            let name = name.replace(".png", ".npy");
            sink.file(&format!("depth/{name}"), &npy::map(depth(), width, height))?;
            sink.file(&format!("confidence/{name}"), &npy::map(maps.confidence(), width, height))?;
        }
        watch.item(i, frames.len() + 1).await?;
    }
    let mut bytes = Vec::new();
    tum::write(&scene.trajectory(), options, &mut bytes)?;
    sink.file("trajectory.tum", &bytes)?;
    if scene.camera.is_some() {
        bytes.clear();
        intrinsics::write(scene, &mut bytes)?;
        sink.file("intrinsics.json", &bytes)?;
    }
    let comments = options.comments.iter().map(|comment| one_line(comment) + "\n");
    let about: String = std::iter::once(ABOUT.to_owned()).chain(comments).collect();
    sink.file("README.txt", about.as_bytes())?;
    watch.at(1.0).await
}
