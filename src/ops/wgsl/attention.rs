//! Attention with online softmax on the GPU: memory grows with tokens, not with their product.
//! Texts: `shaders/kernels/attention.wgsl`, `attention_tiled.wgsl`. CPU twin: `attend` on the CPU.

use super::rotary::Tables;
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

/// Rotary tables of queries and keys (the same for both where the stream is one), and whether to round to half
/// precision around them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Turns<'a> {
    /// Of the queries.
    pub(crate) queries: Option<&'a Tables>,
    /// Of the keys.
    pub(crate) keys: Option<&'a Tables>,
    /// As the released encoder does.
    pub(crate) half: bool,
}

/// `softmax(q k^T / sqrt d) v` per head, `[queries, heads * width]`, q and k turned. `counts`: queries and keys, at least
/// one each. The buffers of queries and keys may change.
pub(crate) fn attend(
    variant: Variant,
    streams: Streams<'_>,
    turns: Turns<'_>,
    counts: [usize; 2],
    size: [usize; 2],
) -> Buffer {
    // The tiled form turns a key once for 64 queries, on its way into workgroup memory. The portable one would turn it
    // again for every few queries: there a pass of its own is cheaper.
    attend_fused(variant, variant == Variant::Tiled, streams, turns, counts, size)
}

fn attend_fused(
    variant: Variant,
    fused: bool,
    streams: Streams<'_>,
    turns: Turns<'_>,
    counts @ [queries, keys]: [usize; 2],
    [heads, width]: [usize; 2],
) -> Buffer {
    let turns = if fused { turns } else { turn(streams, turns, counts, [heads, width]) };
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
    let (kernel, per_group) = kernel(variant, own, turns, width);
    let groups = [queries.div_ceil(per_group), heads, 1];
    let mut bound = match streams {
        Streams::Own(qkv) => vec![qkv],
        Streams::Other(buffers) => buffers.to_vec(),
    };
    // One stream has one table.
    let of_keys = turns.keys.filter(|_| !own);
    bound.extend(turns.queries.into_iter().chain(of_keys).map(|tables| &tables.table));
    bound.extend(turns.queries.or(turns.keys).map(|tables| &tables.partner));
    let out = match streams {
        Streams::Own(x) | Streams::Other([x, ..]) => x.beside([queries, heads * width]),
    };
    launch(kernel, groups, &bound, &[&out], &info);
    out
}

/// Turns queries and keys where they lie, and says that nothing is left to turn.
fn turn<'a>(
    streams: Streams<'_>,
    turns: Turns<'_>,
    [queries, keys]: [usize; 2],
    [heads, width]: [usize; 2],
) -> Turns<'a> {
    match streams {
        Streams::Own(qkv) => {
            if let Some(tables) = turns.queries {
                tables.turn(qkv, queries, 2 * heads, 3 * heads * width, turns.half);
            }
        }
        Streams::Other([q, k, _]) => {
            for (tables, buffer, tokens) in [(turns.queries, q, queries), (turns.keys, k, keys)] {
                if let Some(tables) = tables {
                    tables.turn(buffer, tokens, heads, heads * width, turns.half);
                }
            }
        }
    }
    Turns::default()
}

/// The kernel and how many queries a workgroup takes.
fn kernel(variant: Variant, own: bool, turns: Turns<'_>, width: usize) -> (Kernel, usize) {
    let quads = width / 4;
    let (q, k) = (turns.queries.is_some(), turns.keys.is_some());
    let set = [("SELF", own), ("TURNED", q || k), ("TURN_Q", q), ("TURN_K", k), ("HALF", turns.half && (q || k))];
    let flags = set.into_iter().filter_map(|(name, on)| on.then_some(name)).collect();
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
    use crate::ops::{Places, Rotary, SpaceRotary};
    use burn::tensor::{Device, Tensor, TensorData};

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
                let found =
                    read(attend(variant, Streams::Other([a, b, c]), Turns::default(), [queries, keys], [heads, d]));
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
                let found = read(attend(
                    variant,
                    Streams::Own(&upload(&rows, &device)),
                    Turns::default(),
                    [queries; 2],
                    [heads, d],
                ));
                assert!(worst(&found, &expected) < 2e-5, "own {:?} {variant:?}", cases[i]);
            }
        }
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let Some(device) = gpu() else { return };
        let on = |v: f32| upload(&vec![v; 64 * 8], &device);
        for variant in [Variant::Portable, Variant::Tiled] {
            let out = read(attend(
                variant,
                Streams::Other([&on(40.0), &on(-40.0), &on(2.0)]),
                Turns::default(),
                [8, 8],
                [1, 64],
            ));
            assert!(out.iter().all(|v| (v - 2.0).abs() < 1e-5), "{variant:?}: {out:?}");
        }
    }

    /// Turns `[tokens, heads, d]` on the host.
    fn turned(rotary: &Rotary, x: &[f32], shape: [usize; 3]) -> Vec<f32> {
        let x: Tensor<3> = Tensor::from_data(TensorData::new(x.to_vec(), shape), &Device::flex());
        rotary.apply(x).into_data().try_into_vec().unwrap()
    }

    fn forms() -> [(Variant, bool); 4] {
        [Variant::Portable, Variant::Tiled].map(|v| [(v, false), (v, true)]).concat().try_into().unwrap()
    }

    #[test]
    fn queries_and_keys_are_turned_as_on_the_host_in_space_with_odd_chunks_and_a_token_without_place() {
        let Some(device) = gpu() else { return };
        let bases = [10.0, 100.0, 1000.0, 10_000.0];
        // (patches, pointers, heads, width, which are turned)
        for (i, (patches, keys, heads, d, which)) in [
            (12, 29, 3, 64, [true, true]),
            (70, 5, 2, 48, [true, true]),
            (1, 66, 1, 64, [false, true]),
            (9, 9, 2, 128, [true, false]),
        ]
        .into_iter()
        .enumerate()
        {
            let queries = patches + 1;
            let places = |count: usize, seed: u32| {
                Places::Host(
                    random(3 * count, seed).as_chunks().0.iter().map(|p: &[f32; 3]| p.map(|v| v * 4.0)).collect(),
                )
            };
            let (of_q, of_k) = (places(patches, 31), places(keys, 32));
            let make =
                |n: usize, s: u32| random(n * heads * d, i as u32 * 10 + s).iter().map(|v| v * 2.0).collect::<Vec<_>>();
            let (q, k, v) = (make(queries, 1), make(keys, 2), make(keys, 3));
            let host = SpaceRotary::new(d, &bases, &Device::flex());
            let turn = |on: bool, x: &Vec<f32>, places: &Places, skip: usize, tokens: usize| match on {
                true => turned(&host.at(places, skip), x, [tokens, heads, d]),
                false => x.clone(),
            };
            let parts = [turn(which[0], &q, &of_q, 1, queries), turn(which[1], &k, &of_k, 0, keys), v.clone()];
            let expected = twin(|s, t, c| parts[s][t * heads * d + c], [queries, keys], heads, d);

            let space = SpaceRotary::new(d, &bases, &device);
            let (on_q, on_k) = (space.at(&of_q, 1), space.at(&of_k, 0));
            let queries_by = on_q.kernel().filter(|_| which[0]).map(|(tables, _)| tables);
            let keys_by = on_k.kernel().filter(|_| which[1]).map(|(tables, _)| tables);
            let turns = Turns { queries: queries_by, keys: keys_by, half: false };
            for (variant, fused) in forms() {
                let [a, b, c] = [&q, &k, &v].map(|x| upload(x, &device));
                let found = read(attend_fused(
                    variant,
                    fused,
                    Streams::Other([&a, &b, &c]),
                    turns,
                    [queries, keys],
                    [heads, d],
                ));
                let error = worst(&found, &expected);
                assert!(error < 3e-5, "{i} {variant:?} fused {fused}: {error}");
            }
        }
    }

    #[test]
    fn one_stream_is_turned_as_on_the_host_also_in_half_precision() {
        let Some(device) = gpu() else { return };
        for (half, heads, d) in [(false, 2, 64), (true, 1, 64), (false, 3, 32)] {
            let (grid, tokens) = ([5, 7], 35);
            let x = random(3 * tokens * heads * d, 77);
            let width = heads * d;
            let part = |p: usize| -> Vec<f32> {
                (0..tokens).flat_map(|t| x[(3 * t + p) * width..(3 * t + p + 1) * width].to_vec()).collect()
            };
            let host = Rotary::grid(grid, d, 100.0, half, &Device::flex());
            let shape = [tokens, heads, d];
            let parts = [turned(&host, &part(0), shape), turned(&host, &part(1), shape), part(2)];
            let expected = twin(|s, t, c| parts[s][t * width + c], [tokens; 2], heads, d);
            let on_gpu = Rotary::grid(grid, d, 100.0, half, &device);
            let (tables, _) = on_gpu.kernel().unwrap();
            let turns = Turns { queries: Some(tables), keys: Some(tables), half };
            for (variant, fused) in forms() {
                let found = read(attend_fused(
                    variant,
                    fused,
                    Streams::Own(&upload(&x, &device)),
                    turns,
                    [tokens; 2],
                    [heads, d],
                ));
                let error = worst(&found, &expected);
                // Rounded to half, a difference in the last bit of f32 may become one in the last bit of f16.
                assert!(error < if half { 1e-3 } else { 2e-5 }, "{variant:?} fused {fused} half {half}: {error}");
            }
        }
    }

    #[test]
    fn every_text_validates() {
        for variant in [Variant::Portable, Variant::Tiled] {
            for width in [4, 20, 48, 64, 128] {
                for own in [false, true] {
                    validate(&kernel(variant, own, Turns::default(), width).0);
                }
            }
        }
        let Some(device) = gpu() else { return };
        let rotary = Rotary::grid([2, 2], 64, 100.0, false, &device);
        let (tables, _) = rotary.kernel().unwrap();
        let both = [None, Some(tables)];
        for variant in [Variant::Portable, Variant::Tiled] {
            for (queries, keys) in both.into_iter().flat_map(|q| both.map(|k| (q, k))) {
                for half in [false, true] {
                    validate(&kernel(variant, false, Turns { queries, keys, half }, 64).0);
                }
            }
            let turns = Turns { queries: Some(tables), keys: Some(tables), half: true };
            validate(&kernel(variant, true, turns, 64).0);
        }
    }
}
