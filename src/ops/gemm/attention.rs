//! Attention head by head with our own products: keys and values become panels, queries tiles of 64 at a time, so
//! that the scores of a head never leave the cache.

use super::super::host::softmax;
use super::{Panels, Tiles};

/// Queries whose scores are held at once.
const QUERIES: usize = 64;

/// `softmax(q k^T / sqrt d) v` per head. `q` is `[queries, heads, d]`, `k` and `v` are `[keys, heads, d]`; the result
/// is laid out as `q`.
pub(crate) fn attend(q: &[f32], k: &[f32], v: &[f32], heads: usize, d: usize) -> Vec<f32> {
    let width = (heads * d).max(1);
    let keys = k.len() / width;
    #[expect(clippy::cast_precision_loss, reason = "a head width")]
    let scale = (d as f32).sqrt().recip();
    let mut out = vec![0.0; q.len()];
    let at = |x: &[f32], i: usize| x.get(i).copied().unwrap_or_default();
    let mut scores = vec![0.0; QUERIES * keys];
    let mut mixed = vec![0.0; QUERIES * d];
    for head in 0..heads {
        let first = head * d;
        let of_head =
            |row: &'_ [f32]| -> Option<std::ops::Range<usize>> { (row.len() >= first + d).then_some(first..first + d) };
        let key_panels = Panels::new(d, keys, |c, n| at(k, n * width + first + c));
        let value_panels = Panels::new(keys, d, |n, c| at(v, n * width + first + c));
        for (queries, out) in q.chunks(QUERIES * width).zip(out.chunks_mut(QUERIES * width)) {
            let rows = queries.chunks(width).map(|row| of_head(row).and_then(|head| row.get(head)).unwrap_or_default());
            let count = rows.len();
            let (Some(scores), Some(mixed)) = (scores.get_mut(..count * keys), mixed.get_mut(..count * d)) else {
                continue;
            };
            key_panels.multiply(&Tiles::new(d, rows), &[], scores);
            softmax(scores, keys, scale);
            value_panels.multiply(&Tiles::new(keys, scores.chunks(keys.max(1))), &[], mixed);
            for (row, mixed) in out.chunks_mut(width).zip(mixed.chunks(d.max(1))) {
                if let Some(slots) = of_head(row).and_then(|head| row.get_mut(head)) {
                    slots.copy_from_slice(mixed);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData, activation};

    use super::*;

    #[test]
    fn attention_is_the_twin_of_the_written_out_form() {
        let values = |count: usize, seed: usize| -> Vec<f32> {
            (0..count).map(|i| (((i + seed) * 7919) % 2003) as f32 / 500.0 - 2.0).collect()
        };
        for (queries, keys, heads, d) in [(1, 1, 1, 4), (3, 5, 2, 6), (71, 130, 3, 64), (130, 9, 4, 48)] {
            let (q, k, v) = (values(queries * heads * d, 1), values(keys * heads * d, 2), values(keys * heads * d, 3));
            let found = attend(&q, &k, &v, heads, d);
            let tensor = |v: Vec<f32>, tokens: usize| -> Tensor<3> {
                let t: Tensor<3> = Tensor::from_data(TensorData::new(v, [tokens, heads, d]), &Device::flex());
                t.swap_dims(0, 1)
            };
            let scores = tensor(q, queries).matmul(tensor(k, keys).swap_dims(1, 2)) / (d as f32).sqrt();
            let expected = activation::softmax(scores, 2).matmul(tensor(v, keys)).swap_dims(0, 1);
            let expected = expected.reshape([-1]).into_data().try_into_vec::<f32>().unwrap();
            let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(found.len() == expected.len() && worst < 1e-4, "{queries} {keys} {heads} {d}: {worst}");
        }
    }
}
