//! Deterministic weights from a formula: a network of any size without a download, for tests and benches.
//!
//! Untrained: shapes and speed are real, the output is not a reconstruction.
//! 32-bit integer arithmetic only, so a shader can fill GPU buffers with the same bits.

use crate::model::{Config, Dpt, Stack};

/// FNV-1a over the key: the seed of a tensor.
fn seed(key: &str) -> u32 {
    key.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Uniform value in [-1, 1) for one element; exact in f32.
#[expect(clippy::cast_precision_loss, reason = "24 significant bits fit f32")]
fn uniform(seed: u32, index: u32) -> f32 {
    let mut x = index.wrapping_mul(0x9E37_79B9).wrapping_add(seed);
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^= x >> 16;
    (x >> 8) as f32 * f32::from_bits(0x3400_0000) - 1.0
}

/// The scale of a tensor and whether it is a norm weight (`1 + u/8` instead of `u * scale`).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "dimensions are small")]
#[expect(clippy::cast_possible_truncation, reason = "the formula rounds to f32 once, here")]
pub fn formula_scale(key: &str, shape: &[usize], head4_gain: f64) -> (f32, bool) {
    let transposed = key.ends_with(".act_postprocess.0.1.weight") || key.ends_with(".act_postprocess.1.1.weight");
    let scale = match shape {
        [_] if key.ends_with(".weight") => return (0.125, true),
        [_] => 0.0625,
        [_, input] => (3.0 / *input as f64).sqrt(),
        [input, _, _, _] if transposed => (3.0 / *input as f64).sqrt(),
        [_, input, kh, kw] => {
            let gain = if key.contains(".resConfUnit") {
                0.5
            } else if key.starts_with("downstream_head.dpt_") && key.ends_with(".head.4.weight") {
                head4_gain
            } else {
                1.0
            };
            gain * (3.0 / (input * kh * kw) as f64).sqrt()
        }
        _ => 0.5,
    };
    (scale as f32, false)
}

/// A named network for formula weights: `small` (the default model's shape), `tiny` (the test fixtures' network)
/// or `released`.
#[must_use]
pub fn formula_preset(name: &str) -> Option<Config> {
    // Same generator for all: gain 0.2, no rounding.
    let mut config = Config { weight_generator: Config::small().weight_generator, ..Config::released() };
    match name {
        "released" => {}
        "small" => config = Config::small(),
        "tiny" => {
            (config.enc_embed_dim, config.enc_depth, config.enc_num_heads) = (128, 2, 2);
            (config.dec_embed_dim, config.dec_depth, config.dec_num_heads) = (192, 4, 3);
            (config.memory_dec_num_heads, config.mlp_ratio, config.image_size) = (4, 2, 64);
            config.value_encoder = Stack { depth: 2, dim: Some(128), heads: 2, mlp_ratio: 2, slots: None };
            config.pose_memory = Stack { depth: 1, dim: Some(384), heads: 3, mlp_ratio: 2, slots: Some(16) };
            config.final_transform = Stack { depth: 2, dim: None, heads: 3, mlp_ratio: 2, slots: None };
            config.dpt = Dpt { layer_dims: [12, 24, 48, 96], feature_dim: 32, last_dim: 16, hooks: [0, 2, 3, 4] };
            let head = &mut config.memory_attn_head;
            (head.in_dim, head.hidden, head.out) = (320, 320, 128);
            if let Some(generator) = &mut config.weight_generator {
                generator.head4_gain = 0.4;
                generator.rounded_to = Some("f16".into());
            }
        }
        _ => return None,
    }
    Some(config)
}

/// The values of one tensor of a network with formula weights.
#[must_use]
pub fn formula_values(key: &str, shape: &[usize], config: &Config) -> Vec<f32> {
    let generator = config.weight_generator.as_ref();
    let (scale, is_norm) = formula_scale(key, shape, generator.map_or(0.2, |g| g.head4_gain));
    let half = generator.and_then(|g| g.rounded_to.as_deref()) == Some("f16");
    let seed = seed(key);
    let len: usize = shape.iter().product();
    (0..len)
        .map(|index| {
            #[expect(clippy::cast_possible_truncation, reason = "the formula wraps at 2^32 by definition")]
            let u = uniform(seed, index as u32);
            let w = if is_norm { 1.0 + u * scale } else { u * scale };
            if half { half::f16::from_f32(w).to_f32() } else { w }
        })
        .collect()
}
