//! Files for other programs, one module per format.
//!
//! Everything is made from a [`Reconstruction`], a cheap copy of what a session holds, so a file can be written while
//! the next frame is computed, or after the device is gone. Formats of one file and formats of many write into the
//! same [`Sink`]: a folder natively, a zip in the page.

pub mod camera;
pub mod colmap;
pub mod estimate;
pub mod glb;
pub mod intrinsics;
pub mod maps;
mod mesh;
pub mod nerfstudio;
pub mod npy;
pub mod picture;
pub mod ply;
mod png;
mod points;
mod reconstruction;
pub mod report;
mod sink;
pub mod tum;
mod watch;
pub mod zip;

use serde::{Deserialize, Serialize};

use crate::cloud::{FLAG_EDGE, FLAG_SKY, Selection};

pub use self::{
    reconstruction::Reconstruction,
    sink::{Folder, Sink},
    watch::Watch,
};

/// A result that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no point to write.
    #[error("there are no points to export: reconstruct at least one frame, or ask for less confidence")]
    Empty,
    /// A number that no reader would accept.
    #[error("pose {0} is not finite and cannot be exported: undo that frame")]
    NotFinite(usize),
    /// The format states a focal length and there is none.
    #[error("no frame gave a focal length, which this format states: export PLY, or use a trained model")]
    NoCamera,
    /// The format consists of pictures and maps, and none is kept.
    #[error("no picture of a frame is kept, which this format needs: export PLY, or reconstruct fewer frames")]
    NoMaps,
    /// The depth maps hold no surface.
    #[error("the depth maps hold no surface to make a mesh of: ask for less confidence or a larger voxel")]
    NoSurface,
    /// Whoever asked for the file changed their mind.
    #[error("the export was cancelled")]
    Cancelled,
    /// An option out of its range.
    #[error("{name} = {value} is not usable: {expected}")]
    Option {
        /// Which.
        name: &'static str,
        /// As given.
        value: String,
        /// What would be usable.
        expected: &'static str,
    },
    /// More than the format can hold.
    #[error("the result is too large for {0}: ask for more confidence, or fewer frames")]
    TooLarge(&'static str),
    /// The file cannot be written.
    #[error("the file could not be written ({0}): check the folder and the free space")]
    Io(#[from] std::io::Error),
    /// The picture cannot be encoded.
    #[error("the picture could not be encoded ({0}): check the folder and the free space")]
    Encode(String),
}

impl ExportError {
    /// The error's name in the closed set shared with the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty-cloud",
            Self::NoSurface => "no-surface",
            Self::NoCamera => "no-camera",
            Self::NoMaps => "no-maps",
            Self::Cancelled => "cancelled",
            Self::TooLarge(_) => "out-of-memory",
            Self::NotFinite(_) | Self::Option { .. } | Self::Io(_) | Self::Encode(_) => "bad-request",
        }
    }
}

/// What a reconstruction can be exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Coloured points.
    Ply,
    /// Points, cameras and path in one file.
    Glb,
    /// Camera trajectory.
    Tum,
    /// Camera intrinsics.
    Intrinsics,
    /// COLMAP model (text and binary) with pictures.
    Colmap,
    /// nerfstudio's transforms.json with pictures, depth and points.
    Nerfstudio,
    /// Depth, confidence and colour of every frame.
    Maps,
    /// A coloured surface, for editors.
    MeshPly,
    /// A coloured surface, for viewers.
    MeshGlb,
}

impl Format {
    /// All formats, in the order they are offered.
    pub const ALL: [Self; 9] = [
        Self::Ply,
        Self::Glb,
        Self::MeshPly,
        Self::MeshGlb,
        Self::Tum,
        Self::Intrinsics,
        Self::Colmap,
        Self::Nerfstudio,
        Self::Maps,
    ];

    /// The name used on the command line and by the page.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ply => "ply",
            Self::Glb => "glb",
            Self::Tum => "tum",
            Self::Intrinsics => "intrinsics",
            Self::Colmap => "colmap",
            Self::Nerfstudio => "nerfstudio",
            Self::Maps => "maps",
            Self::MeshPly => "mesh-ply",
            Self::MeshGlb => "mesh-glb",
        }
    }

    /// The one file's name, or the folder that holds the files.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Ply => "cloud.ply",
            Self::Glb => "scene.glb",
            Self::Tum => "trajectory.tum",
            Self::Intrinsics => "intrinsics.json",
            Self::Colmap => "colmap",
            Self::Nerfstudio => "nerfstudio",
            Self::Maps => "maps",
            Self::MeshPly => "mesh.ply",
            Self::MeshGlb => "mesh.glb",
        }
    }

    /// Whether it is many files: a folder, or a zip.
    #[must_use]
    pub fn is_folder(self) -> bool {
        matches!(self, Self::Colmap | Self::Nerfstudio | Self::Maps)
    }
}

impl std::str::FromStr for Format {
    type Err = ExportError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| ExportError::Option {
            name: "format",
            value: text.chars().take(40).collect(),
            expected: "expected ply, glb, mesh-ply, mesh-glb, tum, intrinsics, colmap, nerfstudio or maps",
        })
    }
}

/// How depth and confidence are written by [`Format::Maps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MapFormat {
    /// 16-bit millimetres and 8-bit confidence codes.
    #[default]
    Png,
    /// Float arrays.
    Npy,
    /// One of each.
    Both,
}

/// What a file should be like. Formats ignore what does not concern them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExportOptions {
    /// Factor for all lengths: the reconstruction's unit in units of the file.
    pub scale: f32,
    /// Least confidence of a point (or of a depth that a mesh is made of); 1 keeps all.
    pub confidence: f32,
    /// Leave out points that float at the edges of objects.
    pub hide_edges: bool,
    /// Leave out what looks like sky.
    pub hide_sky: bool,
    /// Most points in COLMAP and nerfstudio models, evenly thinned; training from pictures needs no more.
    pub max_points: usize,
    /// Encoding of depth and confidence maps.
    pub maps: MapFormat,
    /// Edge length of a mesh's voxels in units of the file; none: fitted to the scene.
    pub voxel: Option<f32>,
    /// What it shows, where a format has a place for that.
    pub title: String,
    /// Said in formats that have room: where the result comes from.
    pub comments: Vec<String>,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            scale: 1.0,
            confidence: 1.0,
            hide_edges: false,
            hide_sky: false,
            max_points: 200_000,
            maps: MapFormat::Png,
            voxel: None,
            title: String::new(),
            comments: Vec::new(),
        }
    }
}

impl ExportOptions {
    /// The points that are wanted.
    #[must_use]
    pub fn selection(&self) -> Selection {
        let flag = |hidden: bool, flag: u8| if hidden { flag } else { 0 };
        let hide = flag(self.hide_edges, FLAG_EDGE) | flag(self.hide_sky, FLAG_SKY);
        Selection { confidence: self.confidence, hide }
    }

    /// Refuses what no file could be made with.
    ///
    /// # Errors
    /// [`ExportError::Option`] names the first such option.
    pub fn check(&self) -> Result<(), ExportError> {
        let wrong = |name, value: f32, expected| Err(ExportError::Option { name, value: value.to_string(), expected });
        if !(self.scale >= 1e-4 && self.scale <= 1e4) {
            return wrong("scale", self.scale, "expected a factor of 0.0001 to 10000");
        }
        if !(self.confidence >= 0.0 && self.confidence.is_finite()) {
            return wrong("confidence", self.confidence, "expected a number of at least 0 (1 keeps all)");
        }
        if let Some(voxel) = self.voxel.filter(|voxel| !(*voxel > 0.0 && voxel.is_finite())) {
            return wrong("voxel", voxel, "expected a length above 0");
        }
        Ok(())
    }
}

/// Writes a reconstruction in one format. A format of one file writes [`Format::path`], the others write paths below
/// what the sink stands for.
///
/// # Errors
/// When there is nothing to export, an option is out of range, `sink` fails or the watch was told to cancel.
pub async fn export(
    scene: &Reconstruction,
    format: Format,
    options: &ExportOptions,
    sink: &mut dyn Sink,
    watch: &mut Watch<'_>,
) -> Result<(), ExportError> {
    options.check()?;
    let options = &scene.complete(options);
    let mut bytes = Vec::new();
    match format {
        Format::Ply => ply::write(&scene.cloud, options, &mut bytes)?,
        Format::Glb => glb::write(&scene.scene(options), options.selection(), &mut bytes)?,
        Format::MeshPly | Format::MeshGlb => mesh::write(scene, format, options, &mut bytes, watch).await?,
        Format::Tum => tum::write(&scene.trajectory(), options, &mut bytes)?,
        Format::Intrinsics => intrinsics::write(scene, &mut bytes)?,
        Format::Colmap => return colmap::write(scene, options, sink, watch).await,
        Format::Nerfstudio => return nerfstudio::write(scene, options, sink, watch).await,
        Format::Maps => return maps::write(scene, options, sink, watch).await,
    }
    watch.part(0.0, 1.0);
    watch.at(0.99).await?;
    sink.file(format.path(), &bytes)?;
    watch.at(1.0).await
}

/// The program's name and version, for file headers.
pub(crate) fn generator() -> String {
    format!("point3r {}", env!("CARGO_PKG_VERSION"))
}

/// One line of printable text: comments come from file names and must not break a header.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
