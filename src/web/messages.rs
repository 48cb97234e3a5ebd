//! What JavaScript hands over and is answered: plain objects with camelCase fields, and files as byte arrays.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::error::EngineError;
use crate::device::{Backend, Tier};
use crate::preprocess::RgbImage;
use crate::session::SessionState;
use crate::verify::VerifyFiles;

pub(super) type Answer<T = JsValue> = Result<T, JsValue>;

/// What `create` is told.
#[derive(Deserialize)]
pub(super) struct CreateOptions {
    pub(super) device: String,
}

/// What `start` is told.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct StartOptions {
    pub(super) size: Option<usize>,
    pub(super) confidence: Option<f32>,
    /// Most bytes of points before they are merged into voxels.
    pub(super) budget: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceAnswer {
    #[serde(flatten)]
    pub(super) report: crate::device::DeviceReport,
    pub(super) rendering: bool,
}

#[derive(Serialize)]
pub(super) struct ShardAnswer<'a> {
    pub(super) index: usize,
    pub(super) file: &'a str,
    pub(super) bytes: u64,
    pub(super) sha256: &'a str,
}

#[derive(Serialize)]
pub(super) struct ManifestAnswer<'a> {
    pub(super) name: &'a str,
    pub(super) licence: &'a str,
    pub(super) trained: bool,
    pub(super) bytes: u64,
    pub(super) shards: Vec<ShardAnswer<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModelAnswer {
    pub(super) name: String,
    pub(super) trained: bool,
    pub(super) parameters: usize,
    pub(super) input_size: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatsAnswer {
    pub(super) state: SessionState,
    pub(super) device: Backend,
    pub(super) tier: Tier,
    pub(super) frames: usize,
    pub(super) pointers: usize,
    pub(super) points: usize,
    pub(super) ms_per_frame: f64,
    pub(super) gpu_bytes: u64,
    pub(super) wasm_bytes: f64,
    /// Bytes of the points, and how many there may be before they are merged.
    pub(super) cloud_bytes: usize,
    pub(super) cloud_budget: Option<usize>,
    /// Side of the voxels that points were merged into, and how often that was done.
    pub(super) voxel: Option<f32>,
    pub(super) fusions: u32,
    /// Bytes of the frames' pictures and maps.
    pub(super) map_bytes: usize,
    pub(super) scale: f32,
    pub(super) error: Option<EngineError>,
}

/// The files of `verify`, owned.
pub(super) struct VerifyBytes {
    pub(super) config: String,
    pub(super) weights: Option<Vec<u8>>,
    pub(super) inputs: Vec<u8>,
    pub(super) expected: Vec<u8>,
}

impl VerifyBytes {
    pub(super) fn from_js(files: &JsValue) -> Result<Self, EngineError> {
        let field = |name: &str| js_sys::Reflect::get(files, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
        let bytes = |name: &str| field(name).dyn_into::<js_sys::Uint8Array>().map(|b| b.to_vec());
        let missing = |_| EngineError::bad_request("verify needs config, inputs and expected");
        Ok(Self {
            config: field("config").as_string().ok_or(JsValue::NULL).map_err(missing)?,
            weights: bytes("weights").ok(),
            inputs: bytes("inputs").map_err(missing)?,
            expected: bytes("expected").map_err(missing)?,
        })
    }

    pub(super) fn borrow(&self) -> VerifyFiles<'_> {
        let Self { config, weights, inputs, expected } = self;
        VerifyFiles { config: Some(config), weights: weights.as_deref(), inputs, expected }
    }
}

pub(super) fn rgb_image(rgba: &[u8], width: usize, height: usize) -> Result<RgbImage, EngineError> {
    let expected = width.checked_mul(height).and_then(|n| n.checked_mul(4));
    if rgba.is_empty() || expected != Some(rgba.len()) {
        let message = format!("a frame of {width} x {height} pixels cannot have {} bytes", rgba.len());
        return Err(EngineError::new("image-damaged", message));
    }
    let rgb = rgba.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
    Ok(RgbImage { width, height, rgb })
}

pub(super) fn to_js<T: Serialize>(value: &T) -> Answer {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|e| EngineError::bad_request(&e.to_string()).into())
}

pub(super) fn from_js<T: for<'a> Deserialize<'a>>(value: JsValue) -> Result<T, EngineError> {
    serde_wasm_bindgen::from_value(value).map_err(|e| EngineError::bad_request(&e.to_string()))
}
