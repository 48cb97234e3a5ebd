//! Maps of the dense heads on the GPU, channels last: upsampling and the activation of points.
//! Texts: `shaders/kernels/upsample.wgsl`, `activate.wgsl`. CPU twins: `host::upsample2`, `activate_points`.

use super::{Buffer, Kernel, Text, launch, word};

/// Workgroups of 64 along x; beyond, along y.
const ACROSS: usize = 32_768;

fn spread(invocations: usize) -> [usize; 3] {
    let groups = invocations.div_ceil(64);
    [groups.min(ACROSS), groups.div_ceil(ACROSS), 1]
}

/// Rows `first..last` of `x` `[height, width, channels]` upsampled by two; `channels` a multiple of 4.
pub(crate) fn upsample2(x: &Buffer, [height, width, channels]: [usize; 3], [first, last]: [usize; 2]) -> Buffer {
    let (quads, rows) = (channels / 4, last - first);
    let y = x.beside([rows * 2 * width, channels]);
    let info = [height, width, quads, first, rows, ACROSS * 64].map(word);
    launch(upsampling(), spread(rows * 2 * width * quads), &[x], &[&y], &info);
    y
}

/// Points `[height, width, 3]` and confidence `[height, width]` of a raw map `[height * width, 4]`.
pub(crate) fn activate(raw: &Buffer, [height, width]: [usize; 2]) -> (Buffer, Buffer) {
    let (points, confidence) = (raw.beside([height, width, 3]), raw.beside([height, width]));
    let pixels = height * width;
    launch(activating(), spread(pixels), &[raw], &[&points, &confidence], &[word(pixels), word(ACROSS * 64)]);
    (points, confidence)
}

fn upsampling() -> Kernel {
    let template = include_str!("../../../shaders/kernels/upsample.wgsl");
    Kernel { name: "upsample", text: Text { template, flags: vec![], numbers: vec![] }, group: [64, 1, 1] }
}

fn activating() -> Kernel {
    let template = include_str!("../../../shaders/kernels/activate.wgsl");
    Kernel { name: "activate", text: Text { template, flags: vec![], numbers: vec![] }, group: [64, 1, 1] }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{gpu, random, read, upload, validate, worst};
    use super::*;
    use crate::ops::host;

    #[test]
    fn upsampling_is_its_cpu_twin_for_any_size_whole_and_in_bands() {
        let Some(device) = gpu() else { return };
        for (height, width, channels) in [(1, 1, 4), (1, 5, 8), (4, 1, 4), (7, 10, 12), (33, 21, 4)] {
            let planes = random(height * width * channels, 3);
            let last = |planes: &[f32], pixels: usize| -> Vec<f32> {
                (0..pixels * channels).map(|i| planes[i % channels * pixels + i / channels]).collect()
            };
            let expected = last(&host::upsample2(&planes, height, width), 4 * height * width);
            let x = upload(&last(&planes, height * width), &device);
            let rows = 2 * height;
            let found = read(upsample2(&x, [height, width, channels], [0, rows]));
            assert!(worst(&found, &expected) < 1e-6, "{height}x{width}");
            let found = read(upsample2(&x, [height, width, channels], [rows / 2, rows]));
            assert!(worst(&found, &expected[rows / 2 * 2 * width * channels..]) < 1e-6, "{height}x{width}, a band");
        }
    }

    #[test]
    fn activation_is_its_cpu_twin_near_zero_and_far_out() {
        let Some(device) = gpu() else { return };
        for spread in [1e-6, 0.1, 3.0] {
            let raw: Vec<f32> = random(4 * 70, 11).iter().map(|v| v * spread).chain([0.0; 4]).collect();
            let (points, confidence) = activate(&upload(&raw, &device), [71, 1]);
            let (points, confidence) = (read(points), read(confidence));
            for (i, v) in raw.chunks(4).enumerate() {
                let d = v[..3].iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
                let scale = if d > 0.0 { d.exp_m1() / d } else { 1.0 };
                for axis in 0..3 {
                    let exact = f64::from(v[axis]) * scale;
                    let found = f64::from(points[i * 3 + axis]);
                    assert!((found - exact).abs() <= 2e-6 * exact.abs(), "{spread}: {found} {exact}");
                }
                assert!((f64::from(confidence[i]) / (1.0 + f64::from(v[3]).exp()) - 1.0).abs() < 2e-6);
            }
        }
    }

    #[test]
    fn every_text_validates() {
        validate(&upsampling());
        validate(&activating());
    }
}
