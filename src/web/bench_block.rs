//! One encoder block of the released size for `bench.html`, which runs it beside another runtime.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::error::EngineError;
use super::messages::{Answer, from_js, to_js};
use super::{open_gpu, platform};
use crate::device::{Compute, DeviceChoice};
use crate::model::{BlockTensor, BlockValues, LoneBlock};
use crate::quant::Bits;
use crate::verify::VerifyError;
use crate::weights::WeightsError;

/// What is to be built.
#[derive(Deserialize)]
struct Wanted {
    device: String,
    precision: String,
    tokens: usize,
    /// Tokens in a row of the patch grid.
    columns: usize,
}

/// The numbers that another runtime needs besides the tensors.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    width: usize,
    heads: usize,
    epsilon: f64,
    rotary_base: f64,
    adapter: String,
}

/// A tensor as bytes, little-endian: f32, or packed words and f32 scales.
#[derive(Serialize)]
struct TensorAnswer<'a> {
    name: &'a str,
    shape: &'a [usize],
    #[serde(with = "serde_wasm_bindgen::preserve")]
    values: js_sys::Uint8Array,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    scales: js_sys::Uint8Array,
}

/// The block on a device.
#[wasm_bindgen]
#[derive(Debug)]
pub struct BenchBlock {
    block: LoneBlock,
    adapter: String,
}

#[wasm_bindgen]
impl BenchBlock {
    /// Builds the block: `{ device: cpu | gpu, precision: f32 | int8 | int4, tokens, columns }`.
    ///
    /// # Errors
    /// `bad-request` for another precision; what opening the device says.
    pub async fn create(wanted: JsValue) -> Answer<BenchBlock> {
        platform::install_reporting();
        let wanted: Wanted = from_js(wanted)?;
        let choice: DeviceChoice = wanted.device.parse().map_err(EngineError::from)?;
        let gpu = match choice {
            DeviceChoice::Cpu => Err(crate::device::DeviceError::NoWebGpu),
            _ => open_gpu(None).await.map(|(gpu, _)| gpu),
        };
        let compute = Compute::choose(choice, gpu).map_err(EngineError::from)?;
        let tensors = LoneBlock::tensors(bits(&wanted.precision)?);
        let refused = |e: WeightsError| JsValue::from(EngineError::from(e));
        let block = LoneBlock::new(tensors, wanted.tokens, wanted.columns, &compute.device).map_err(refused)?;
        Ok(Self { block, adapter: compute.report.adapter })
    }

    /// Width, heads, epsilon, rotary base and the adapter's name.
    pub fn shape(&self) -> Answer {
        let config = LoneBlock::config();
        to_js(&Shape {
            width: config.enc_embed_dim,
            heads: config.enc_num_heads,
            epsilon: config.layer_norm_eps,
            rotary_base: config.rope2d_base,
            adapter: self.adapter.clone(),
        })
    }

    /// Tokens through the block.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn run(&self, x: Vec<f32>) -> Answer<Vec<f32>> {
        self.block.run(x).await.map_err(|e| EngineError::from(VerifyError::from(e)).into())
    }
}

/// Hands every tensor of the block to `take`, one at a time.
///
/// # Errors
/// `bad-request` for another precision than f32, int8 and int4; what `take` throws.
#[wasm_bindgen(js_name = benchTensors)]
#[allow(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
pub fn bench_tensors(precision: &str, take: &js_sys::Function) -> Answer<()> {
    for BlockTensor { name, shape, stored } in LoneBlock::tensors(bits(precision)?) {
        let bytes = |values: &[f32]| js_sys::Uint8Array::from(bytemuck::cast_slice::<_, u8>(values));
        let (values, scales) = match stored {
            BlockValues::Dense(values) => (bytes(&values), bytes(&[])),
            BlockValues::Packed(packed) => {
                let scales: Vec<f32> = packed.scales.iter().map(|scale| scale.to_f32()).collect();
                (js_sys::Uint8Array::from(bytemuck::cast_slice::<_, u8>(&packed.words)), bytes(&scales))
            }
        };
        take.call1(&JsValue::UNDEFINED, &to_js(&TensorAnswer { name: &name, shape: &shape, values, scales })?)?;
    }
    Ok(())
}

fn bits(precision: &str) -> Answer<Option<Bits>> {
    match precision {
        "f32" => Ok(None),
        "int8" => Ok(Some(Bits::Int8)),
        "int4" => Ok(Some(Bits::Int4)),
        _ => Err(EngineError::bad_request("the precision of a block is f32, int8 or int4").into()),
    }
}
