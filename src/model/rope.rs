//! Rotary position embeddings as tables (spec 3.1, 3.2).
//!
//! Both kinds are `t' = t * cos + P(t) * sin` with `P` a fixed permutation of the channels whose sign is
//! folded into `sin`. The tables are computed here, on the CPU: WGSL's sine is only exact near zero.

use std::sync::Arc;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::ops::{each_row, in_place, is_host};

/// Position tables of one list of tokens for one head width.
#[derive(Debug, Clone)]
pub(crate) struct Rotary {
    tables: Tables,
    /// Round to half precision before and after, as the reference's encoder does (spec 9.1).
    half: bool,
}

/// Cosines and signed sines, `tokens` rows of `d`, and the partner of each channel.
#[derive(Debug, Clone)]
enum Tables {
    /// For tensors in plain memory.
    Host(Arc<HostTables>),
    /// For tensors on a GPU.
    Device(Box<DeviceTables>),
}

#[derive(Debug, Clone)]
struct DeviceTables {
    /// `[tokens, 1, d]`.
    cos: Tensor<3>,
    /// `[tokens, 1, d]`, signed.
    sin: Tensor<3>,
    /// `[d]`.
    partner: Tensor<1, Int>,
}

#[derive(Debug)]
struct HostTables {
    cos: Vec<f32>,
    sin: Vec<f32>,
    partner: Vec<usize>,
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
        let tables = if is_host(device) {
            let partner = channels.iter().map(|c| c.partner).collect();
            Tables::Host(Arc::new(HostTables { cos, sin, partner }))
        } else {
            #[expect(
                clippy::cast_possible_wrap,
                clippy::cast_possible_truncation,
                reason = "channel indices are small"
            )]
            let partner: Vec<i32> = channels.iter().map(|c| c.partner as i32).collect();
            Tables::Device(Box::new(DeviceTables {
                cos: Tensor::from_data(TensorData::new(cos, [tokens, 1, d]), device),
                sin: Tensor::from_data(TensorData::new(sin, [tokens, 1, d]), device),
                partner: Tensor::from_data(TensorData::new(partner, [d]), device),
            }))
        };
        Self { tables, half: false }
    }

    /// Turns `[tokens, heads, d]` queries or keys.
    pub(crate) fn apply(&self, t: Tensor<3>) -> Tensor<3> {
        let round = |t: Tensor<3>| if self.half { t.cast(DType::F16).cast(DType::F32) } else { t };
        let t = round(t);
        round(match &self.tables {
            Tables::Device(tables) => {
                let DeviceTables { cos, sin, partner } = tables.as_ref().clone();
                let partner = t.clone().select(2, partner);
                t * cos + partner * sin
            }
            Tables::Host(tables) => {
                let [_, heads, _] = t.dims();
                in_place(t, |values| tables.turn(values, heads))
            }
        })
    }
}

impl HostTables {
    /// Turns `[tokens, heads, d]` values in place.
    fn turn(&self, values: &mut [f32], heads: usize) {
        let d = self.partner.len();
        each_row(values, heads * d, |token, heads| {
            let row = token * d..(token + 1) * d;
            let (Some(cos), Some(sin)) = (self.cos.get(row.clone()), self.sin.get(row)) else { return };
            let mut before = vec![0.0; d];
            for head in heads.chunks_mut(d) {
                before.copy_from_slice(head);
                let turned = head.iter_mut().zip(cos.iter().zip(sin)).zip(&self.partner);
                for ((value, (cos, sin)), partner) in turned {
                    let other = before.get(*partner).copied().unwrap_or_default();
                    *value = *value * cos + other * sin;
                }
            }
        });
    }
}

/// `base^(-2k/length)` for `k` in `0..count`.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small integers; tables are f32")]
fn inverse_powers(base: f64, count: usize, length: usize) -> Vec<f32> {
    (0..count).map(|k| base.powf(-2.0 * k as f64 / length as f64) as f32).collect()
}
