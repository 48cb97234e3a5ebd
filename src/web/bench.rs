//! Time per frame with formula weights on the CPU, for `bench.html` and for profiles under Node.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::messages::{Answer, to_js};
use crate::model::{Config, Point3r, Probe};
use crate::pace::Pace;
use crate::preprocess::RgbImage;
use crate::weights::Parameters;

/// One timed frame.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimedFrame {
    pointers_before: usize,
    ms: f64,
    stages: Vec<(&'static str, f64)>,
}

/// Runs `frames` frames of noise through the small network at 128x96 on the CPU; milliseconds of each.
///
/// # Errors
/// When the network cannot be built or run.
#[wasm_bindgen(js_name = benchSmall)]
#[allow(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
pub async fn bench_small(frames: usize) -> Answer {
    let now = js_sys::Date::now;
    let config = Config::small();
    let device = burn::tensor::Device::flex();
    let failed = |e: &dyn std::fmt::Display| JsValue::from(e.to_string());
    let model = Point3r::new(config.clone(), Parameters::from_formula(&config, &device)).map_err(|e| failed(&e))?;
    let mut state = model.start();
    let mut timed = Vec::new();
    for index in 0..frames {
        let image = RgbImage::noise(128, 96, index);
        let (start, pointers_before) = (now(), state.memory().len());
        let mut probe = Probe::timed(Box::new(now));
        model.step_probed(&mut state, &image, &Pace::none(), &mut probe).await.map_err(|e| failed(&e))?;
        timed.push(TimedFrame { pointers_before, ms: now() - start, stages: probe.stages().to_vec() });
    }
    to_js(&timed)
}
