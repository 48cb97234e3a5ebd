//! Layer norm on the GPU, with the modulation of conditioned blocks. Text: `shaders/kernels/norm.wgsl`.
//! CPU twin: `LayerNorm` on the CPU.

use super::{Buffer, Kernel, Text, Variant, launch, word};

/// Workgroups along x of the tiled variant; the shader knows the number.
const ACROSS: usize = 32_768;

/// Normalises the rows of `x` `[tokens, channels]`, `channels` a multiple of 4. `modulation`: `[2 * channels]`,
/// shift before scale.
pub(crate) fn layer_norm(
    variant: Variant,
    x: &Buffer,
    [tokens, channels]: [usize; 2],
    [weight, bias]: [&Buffer; 2],
    modulation: Option<&Buffer>,
    eps: f32,
) -> Buffer {
    let y = x.beside([tokens, channels]);
    let inputs: Vec<&Buffer> = [x, weight, bias].into_iter().chain(modulation).collect();
    let groups = match variant {
        Variant::Tiled => [tokens.min(ACROSS), tokens.div_ceil(ACROSS), 1],
        _ => [tokens.div_ceil(64), 1, 1],
    };
    let info = [word(tokens), word(channels / 4), eps.to_bits()];
    launch(kernel(variant, modulation.is_some()), groups, &inputs, &[&y], &info);
    y
}

fn kernel(variant: Variant, modulated: bool) -> Kernel {
    let tiled = (variant == Variant::Tiled).then_some("TILED");
    let flags = tiled.into_iter().chain(modulated.then_some("MODULATED")).collect();
    let text = Text { template: include_str!("../../../shaders/kernels/norm.wgsl"), flags, numbers: vec![] };
    Kernel { name: "norm", text, group: [64, 1, 1] }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{gpu, random, read, upload, validate, worst};
    use super::*;

    #[test]
    fn layer_norm_is_its_cpu_twin_also_modulated_and_far_from_zero() {
        let Some(device) = gpu() else { return };
        for (tokens, channels, offset) in [(1, 4, 0.0), (3, 128, 0.0), (70, 260, 5.0), (197, 64, -100.0)] {
            let x: Vec<f32> = random(tokens * channels, 1).iter().map(|v| v + offset).collect();
            let (weight, bias, modulation) = (random(channels, 2), random(channels, 3), random(2 * channels, 4));
            let mut expected: Vec<f32> = Vec::new();
            for row in x.chunks(channels) {
                let mean = row.iter().map(|v| f64::from(*v)).sum::<f64>() / channels as f64;
                let variance = row.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / channels as f64;
                let share = (variance + 1e-6).sqrt().recip();
                expected.extend(
                    row.iter().enumerate().map(|(i, v)| {
                        ((f64::from(*v) - mean) * share * f64::from(weight[i]) + f64::from(bias[i])) as f32
                    }),
                );
            }
            let modulated: Vec<f32> = expected
                .iter()
                .enumerate()
                .map(|(i, v)| v * (1.0 + modulation[channels + i % channels]) + modulation[i % channels])
                .collect();
            let on = [&x, &weight, &bias, &modulation].map(|v| upload(v, &device));
            let [x, weight, bias, modulation] = &on;
            for variant in [Variant::Portable, Variant::Tiled] {
                let tolerance = 1e-5 * (1.0 + offset.abs());
                let plain = layer_norm(variant, x, [tokens, channels], [weight, bias], None, 1e-6);
                assert!(worst(&read(plain), &expected) < tolerance, "{tokens} {channels} {variant:?}");
                let with = layer_norm(variant, x, [tokens, channels], [weight, bias], Some(modulation), 1e-6);
                assert!(worst(&read(with), &modulated) < 2.0 * tolerance, "{tokens} {channels} {variant:?} modulated");
            }
        }
    }

    #[test]
    fn every_text_validates() {
        for variant in [Variant::Portable, Variant::Tiled] {
            validate(&kernel(variant, false));
            validate(&kernel(variant, true));
        }
    }
}
