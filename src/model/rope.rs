//! Rotary position embeddings as tables (spec 3.1, 3.2).
//!
//! Both kinds are `t' = t * cos + P(t) * sin` with `P` a fixed permutation of the channels whose sign is
//! folded into `sin`. The tables are computed here, on the CPU: WGSL's sine is only exact near zero.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

/// Position tables of one list of tokens for one head width.
#[derive(Debug, Clone)]
pub(crate) struct Rotary {
    /// `[tokens, 1, d]`.
    cos: Tensor<3>,
    /// `[tokens, 1, d]`, signed.
    sin: Tensor<3>,
    /// Partner of each channel, `[d]`.
    partner: Tensor<1, Int>,
    /// Round to half precision before and after, as the reference's encoder does (spec 9.1).
    half: bool,
}

/// One channel's part in a rotation: its partner, the sign of the partner and the index of the frequency.
#[derive(Debug, Clone, Copy)]
struct Channel {
    partner: usize,
    sign: f32,
    axis: usize,
    frequency: usize,
}

impl Rotary {
    /// 2-D rotary over a `height` x `width` patch grid, row-major.
    pub(crate) fn grid([height, width]: [usize; 2], head_dim: usize, base: f64, half: bool, device: &Device) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "patch coordinates are small")]
        let positions: Vec<_> = (0..height).flat_map(|y| (0..width).map(move |x| [y as f32, x as f32])).collect();
        Self { half, ..Self::plane(&positions, head_dim, base, device) }
    }

    /// 2-D rotary at positions (y, x): first half of the channels turns with y, second half with x.
    pub(crate) fn plane(positions: &[[f32; 2]], head_dim: usize, base: f64, device: &Device) -> Self {
        let (axis_dim, quarter) = (head_dim / 2, head_dim / 4);
        let channels: Vec<Channel> = (0..2)
            .flat_map(|axis| {
                (0..axis_dim).map(move |j| {
                    let first = j < quarter;
                    let partner = axis * axis_dim + if first { j + quarter } else { j - quarter };
                    let sign = if first { -1.0 } else { 1.0 };
                    Channel { partner, sign, axis, frequency: j % quarter }
                })
            })
            .collect();
        let frequencies = vec![inverse_powers(base, quarter, axis_dim); 2];
        let positions: Vec<_> = positions.iter().map(|[y, x]| [Some(*y), Some(*x), None]).collect();
        Self::tables(&positions, &channels, &[frequencies], device)
    }

    /// Hierarchical continuous 3-D rotary: chunks of the channels turn with x, y and z, averaged over `bases`.
    /// `None` is a token without position (the pose token), which passes unchanged.
    pub(crate) fn space(positions: &[Option<[f32; 3]>], head_dim: usize, bases: &[f64], device: &Device) -> Self {
        let third = head_dim / 3;
        let lengths = [third, third, head_dim - 2 * third];
        let mut channels = Vec::with_capacity(head_dim);
        let mut start = 0;
        for (axis, length) in lengths.into_iter().enumerate() {
            // For odd lengths this is not a rotation (spec 3.2): the halves differ by one channel.
            let (upper, lower) = (length.div_ceil(2), length / 2);
            for j in 0..length {
                let (partner, sign) = if j < lower { (start + upper + j, -1.0) } else { (start + j - lower, 1.0) };
                channels.push(Channel { partner, sign, axis, frequency: if j < upper { j } else { j - upper } });
            }
            start += length;
        }
        let frequencies: Vec<Vec<Vec<f32>>> = bases
            .iter()
            .map(|&base| lengths.iter().map(|&l| inverse_powers(base, l.div_ceil(2), l)).collect())
            .collect();
        let positions: Vec<_> = positions.iter().map(|p| p.map_or([None; 3], |p| p.map(Some))).collect();
        Self::tables(&positions, &channels, &frequencies, device)
    }

    fn tables(
        positions: &[[Option<f32>; 3]],
        channels: &[Channel],
        frequencies: &[Vec<Vec<f32>>],
        device: &Device,
    ) -> Self {
        let (tokens, d) = (positions.len(), channels.len());
        let mut cos = Vec::with_capacity(tokens * d);
        let mut sin = Vec::with_capacity(tokens * d);
        #[expect(clippy::cast_precision_loss, reason = "a handful of bases")]
        let share = 1.0 / frequencies.len() as f32;
        // Mean cosine and sine of one token, by axis and frequency; many channels share each.
        let mut mean: [Vec<[f32; 2]>; 3] = Default::default();
        for position in positions {
            for (axis, (mean, coordinate)) in mean.iter_mut().zip(position).enumerate() {
                let count = frequencies.first().and_then(|f| f.get(axis)).map_or(0, Vec::len);
                mean.clear();
                mean.resize(count, [0.0; 2]);
                let Some(coordinate) = coordinate else {
                    mean.fill([1.0, 0.0]);
                    continue;
                };
                for table in frequencies.iter().filter_map(|f| f.get(axis)) {
                    for (mean, frequency) in mean.iter_mut().zip(table) {
                        let (s, c) = (coordinate * frequency).sin_cos();
                        mean[0] += c * share;
                        mean[1] += s * share;
                    }
                }
            }
            for channel in channels {
                let [c, s] = mean[channel.axis].get(channel.frequency).copied().unwrap_or([1.0, 0.0]);
                cos.push(c);
                sin.push(s * channel.sign);
            }
        }
        #[expect(clippy::cast_possible_wrap, clippy::cast_possible_truncation, reason = "channel indices are small")]
        let partner: Vec<i32> = channels.iter().map(|c| c.partner as i32).collect();
        Self {
            cos: Tensor::from_data(TensorData::new(cos, [tokens, 1, d]), device),
            sin: Tensor::from_data(TensorData::new(sin, [tokens, 1, d]), device),
            partner: Tensor::from_data(TensorData::new(partner, [d]), device),
            half: false,
        }
    }

    /// Turns `[tokens, heads, d]` queries or keys.
    pub(crate) fn apply(&self, t: Tensor<3>) -> Tensor<3> {
        let round = |t: Tensor<3>| if self.half { t.cast(DType::F16).cast(DType::F32) } else { t };
        let t = round(t);
        let partner = t.clone().select(2, self.partner.clone());
        round(t * self.cos.clone() + partner * self.sin.clone())
    }
}

/// `base^(-2k/length)` for `k` in `0..count`.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small integers; tables are f32")]
fn inverse_powers(base: f64, count: usize, length: usize) -> Vec<f32> {
    (0..count).map(|k| base.powf(-2.0 * k as f64 / length as f64) as f32).collect()
}
