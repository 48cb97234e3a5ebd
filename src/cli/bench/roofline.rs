//! The best matrix product that this device does, whoever's: what the network's own speed is held against.

use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

use crate::device::{Compute, Tier};
use crate::ops::wgsl::linear::{After, Weights};
use crate::ops::wgsl::{Buffer, Variant};

/// Seconds that each product is repeated for.
const SECONDS: f64 = 0.3;

/// One way to multiply.
#[derive(Debug, Serialize)]
pub(super) struct Product {
    /// Whose.
    pub(super) name: &'static str,
    /// 10^9 operations per second, f32; a product and its sum are two.
    pub(super) gflops: f64,
}

/// Measures all products at the shape of the released network's widest layers; smaller on software adapters.
pub(super) fn measure(compute: &Compute) -> Vec<Product> {
    let hardware = compute.report.tier == Tier::Hardware;
    let dims @ [rows, depth, columns] = if hardware { [2048, 1024, 4096] } else { [256, 512, 512] };
    let device = &compute.device;
    let filled = |count: usize, shape: [usize; 2]| -> Tensor<2> {
        let values: Vec<f32> = (0..count).map(|i| ((i * 7919) % 2003) as f32 / 1000.0 - 1.0).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    };
    let (x, w) = (filled(rows * depth, [rows, depth]), filled(columns * depth, [columns, depth]));
    let mut products = Vec::new();
    if let (Some(x), Some(w)) = (Buffer::of(x.clone()), Buffer::of(w.clone())) {
        let weights = Weights::Dense(w);
        for (name, variant) in [("ours, tiled", Variant::Tiled), ("ours, portable", Variant::Portable)] {
            let work = || drop(weights.apply(variant, &x, dims, After::default()));
            products.push(Product { name, gflops: speed(device, dims, work) });
        }
    }
    let w = w.transpose();
    let gflops = speed(device, dims, || drop(x.clone().matmul(w.clone())));
    products.push(Product { name: "burn's", gflops });
    products
}

/// Repeats `work` until enough time has passed; the first time, which compiles, does not count.
fn speed(device: &Device, [rows, depth, columns]: [usize; 3], work: impl Fn()) -> f64 {
    let wait = || device.sync().is_ok();
    work();
    if !wait() {
        return 0.0;
    }
    let (clock, mut runs, mut batch) = (Instant::now(), 0, 1);
    while clock.elapsed().as_secs_f64() < SECONDS {
        for _ in 0..batch {
            work();
        }
        if !wait() {
            return 0.0;
        }
        runs += batch;
        batch = (batch * 2).min(64);
    }
    #[expect(clippy::cast_precision_loss, reason = "a speed")]
    let operations = (2 * rows * depth * columns * runs) as f64;
    operations / clock.elapsed().as_secs_f64() / 1e9
}
