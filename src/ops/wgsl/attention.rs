//! Attention with online softmax on the GPU: memory grows with tokens, not with their product.
//! Texts: `shaders/kernels/attention.wgsl`, `attention_tiled.wgsl`. CPU twin: `attend` on the CPU.

use super::{Buffer, Kernel, Text, Variant, launch, with_head, word};

/// Where queries, keys and values lie; all heads of a token side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Streams<'a> {
    /// `[tokens, 3 * width]`: q, k, v of one stream.
    Own(&'a Buffer),
    /// `[queries, width]`, `[keys, width]`, `[keys, width]`.
    Other([&'a Buffer; 3]),
}

/// Widest head the kernels keep in registers.
const WIDEST: usize = 128;

/// Whether heads of `width` channels are taken; others go through burn.
pub(crate) fn fits(width: usize) -> bool {
    width > 0 && width.is_multiple_of(4) && width <= WIDEST
}

/// `softmax(q k^T / sqrt d) v` per head, `[queries, heads * width]`. `counts`: queries and keys, at least one each.
pub(crate) fn attend(variant: Variant, streams: Streams<'_>, counts: [usize; 2], heads: usize, width: usize) -> Buffer {
    let [queries, keys] = counts;
    let row = heads * width / 4;
    let (own, q_row, k_row, k_at, v_at) = match streams {
        Streams::Own(_) => (true, 3 * row, 3 * row, row, 2 * row),
        Streams::Other(_) => (false, row, row, 0, 0),
    };
    #[expect(clippy::cast_precision_loss, reason = "a head width")]
    let scale = (width as f32).sqrt().recip();
    let numbers = [queries, keys, heads].map(word);
    let places = [q_row, k_row, k_at, v_at].map(word);
    let info: Vec<u32> = numbers.into_iter().chain([scale.to_bits()]).chain(places).collect();
    super::record::computed(4 * queries * keys * heads * width);
    let (kernel, per_group) = kernel(variant, own, width);
    let groups = [queries.div_ceil(per_group), heads, 1];
    match streams {
        Streams::Own(qkv) => {
            let out = qkv.beside([queries, heads * width]);
            launch(kernel, groups, &[qkv], &[&out], &info);
            out
        }
        Streams::Other(buffers @ [q, ..]) => {
            let out = q.beside([queries, heads * width]);
            launch(kernel, groups, &buffers, &[&out], &info);
            out
        }
    }
}

/// The kernel and how many queries a workgroup takes.
fn kernel(variant: Variant, own: bool, width: usize) -> (Kernel, usize) {
    let quads = width / 4;
    let flags = if own { vec!["SELF"] } else { vec![] };
    let quads_word = ("QUADS", word(quads));
    if variant == Variant::Tiled {
        // Keys and values together fill at most 16 KiB; keys are taken four at a time.
        let keys = (512 / quads / 4 * 4).min(32);
        let numbers = vec![quads_word, ("KEYS", word(keys)), ("TILE", word(keys * quads))];
        let template = with_head!("attention_head", "attention_tiled");
        let text = Text { template, flags, numbers };
        return (Kernel { name: "attention_tiled", text, group: [64, 1, 1] }, 64);
    }
    let rows = if width > 64 { 2 } else { 4 };
    let template = with_head!("attention_head", "attention");
    let text = Text { template, flags, numbers: vec![quads_word, ("ROWS", word(rows))] };
    (Kernel { name: "attention", text, group: [64, 1, 1] }, 64 * rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{gpu, random, read, upload, validate, worst};
    use super::*;

    /// Attention in f64. `at(stream, token, channel)`.
    fn twin(at: impl Fn(usize, usize, usize) -> f32, [queries, keys]: [usize; 2], heads: usize, d: usize) -> Vec<f32> {
        let mut out = vec![0.0; queries * heads * d];
        for t in 0..queries {
            for h in 0..heads {
                let score = |s: usize| -> f64 {
                    (0..d).map(|j| f64::from(at(0, t, h * d + j)) * f64::from(at(1, s, h * d + j))).sum()
                };
                let scores: Vec<f64> = (0..keys).map(|s| score(s) / (d as f64).sqrt()).collect();
                let top = scores.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
                let weights: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
                let sum: f64 = weights.iter().sum();
                for j in 0..d {
                    let v: f64 = weights.iter().enumerate().map(|(s, w)| w * f64::from(at(2, s, h * d + j))).sum();
                    out[(t * heads + h) * d + j] = (v / sum) as f32;
                }
            }
        }
        out
    }

    #[test]
    fn attention_is_its_cpu_twin_for_any_lengths_and_head_widths() {
        let Some(device) = gpu() else { return };
        let cases = [
            (1, 1, 1, 64),
            (1, 16, 3, 128),
            (13, 12, 3, 64),
            (12, 13, 4, 48),
            (70, 5, 2, 64),
            (3, 131, 2, 48),
            (65, 33, 1, 128),
            (5, 64, 2, 32),
            (9, 7, 2, 20),
            (2, 8192, 1, 64),
            (300, 2, 1, 4),
        ];
        for (i, (queries, keys, heads, d)) in cases.into_iter().enumerate() {
            let width = heads * d;
            let make =
                |n: usize, s: u32| random(n * width, i as u32 * 10 + s).iter().map(|v| v * 3.0).collect::<Vec<_>>();
            let (q, k, v) = (make(queries, 1), make(keys, 2), make(keys, 3));
            let on = [&q, &k, &v].map(|x| upload(x, &device));
            let parts = [&q, &k, &v];
            let expected = twin(|s, t, c| parts[s][t * width + c], [queries, keys], heads, d);
            for variant in [Variant::Portable, Variant::Tiled] {
                let [a, b, c] = &on;
                let found = read(attend(variant, Streams::Other([a, b, c]), [queries, keys], heads, d));
                assert!(worst(&found, &expected) < 2e-5, "{:?} {variant:?}: {}", cases[i], worst(&found, &expected));
            }
            if queries >= keys {
                continue;
            }
            // The same as one stream of `queries` tokens.
            let rows: Vec<f32> =
                (0..queries).flat_map(|t| parts.map(|p| p[t * width..(t + 1) * width].to_vec()).concat()).collect();
            let expected = twin(|s, t, c| parts[s][t * width + c], [queries; 2], heads, d);
            for variant in [Variant::Portable, Variant::Tiled] {
                let found = read(attend(variant, Streams::Own(&upload(&rows, &device)), [queries; 2], heads, d));
                assert!(worst(&found, &expected) < 2e-5, "own {:?} {variant:?}", cases[i]);
            }
        }
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let Some(device) = gpu() else { return };
        let on = |v: f32| upload(&vec![v; 64 * 8], &device);
        for variant in [Variant::Portable, Variant::Tiled] {
            let out = read(attend(variant, Streams::Other([&on(40.0), &on(-40.0), &on(2.0)]), [8, 8], 1, 64));
            assert!(out.iter().all(|v| (v - 2.0).abs() < 1e-5), "{variant:?}: {out:?}");
        }
    }

    #[test]
    fn every_text_validates() {
        for variant in [Variant::Portable, Variant::Tiled] {
            for width in [4, 20, 48, 64, 128] {
                for own in [false, true] {
                    validate(&kernel(variant, own, width).0);
                }
            }
        }
    }
}
