//! Rotary position embeddings as tables (spec 3.1, 3.2).
//!
//! Both kinds are `t' = t * cos + P(t) * sin` with `P` a fixed permutation of the channels whose sign is
//! folded into `sin`. The tables are computed here, on the CPU: WGSL's sine is only exact near zero.

use std::sync::Arc;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use super::wgsl::{Buffer, Variant, rotary};
use super::{each_row, in_place, is_host};

/// Positions of tokens in space.
#[derive(Debug, Clone)]
pub(crate) enum Places {
    /// In plain memory.
    Host(Vec<[f32; 3]>),
    /// On the GPU: the first three words of every row.
    Device {
        /// `[count, row]`, with room behind.
        buffer: Box<Buffer>,
        /// Tokens.
        count: usize,
        /// Words of a row.
        row: usize,
    },
}

impl Default for Places {
    fn default() -> Self {
        Self::Host(Vec::new())
    }
}

impl Places {
    /// `[count, 3]`.
    pub(crate) fn tensor(&self, device: &Device) -> Tensor<2> {
        match self {
            Self::Host(listed) => {
                Tensor::from_data(TensorData::new(listed.as_flattened().to_vec(), [listed.len(), 3]), device)
            }
            Self::Device { buffer, count, row } => buffer.first_rows(*count, *row).tensor().narrow(1, 0, 3),
        }
    }
}

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
    /// For tensors on a GPU, by tensor operations.
    Device(Box<DeviceTables>),
    /// For tensors on a GPU, by a kernel.
    Kernel(Box<rotary::Tables>),
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
        let uploaded = |values: Vec<f32>, shape: [usize; 3]| -> Tensor<3> {
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        let tables = if is_host(device) {
            let partner = channels.iter().map(|c| c.partner).collect();
            Tables::Host(Arc::new(HostTables { cos, sin, partner }))
        } else if let Some(tables) = Self::kernel_tables(&cos, &sin, channels, device) {
            Tables::Kernel(Box::new(tables))
        } else {
            Tables::Device(Box::new(DeviceTables {
                cos: uploaded(cos, [tokens, 1, d]),
                sin: uploaded(sin, [tokens, 1, d]),
                partner: partners(channels, device),
            }))
        };
        Self { tables, half: false }
    }

    fn kernel_tables(cos: &[f32], sin: &[f32], channels: &[Channel], device: &Device) -> Option<rotary::Tables> {
        Variant::of(device)?;
        let pairs: Vec<f32> = cos.iter().zip(sin).flat_map(|(c, s)| [*c, *s]).collect();
        let (tokens, d) = (cos.len() / channels.len().max(1), channels.len());
        let table: Tensor<2> = Tensor::from_data(TensorData::new(pairs, [tokens, 2 * d]), device);
        let partner = Buffer::of_int(partners(channels, device))?;
        Some(rotary::Tables { table: Buffer::of(table)?, partner, width: d })
    }

    /// Tables for the kernels, where those run.
    pub(crate) fn kernel(&self) -> Option<(&rotary::Tables, bool)> {
        match &self.tables {
            Tables::Kernel(tables) => Some((tables, self.half)),
            _ => None,
        }
    }

    /// Turns `[tokens, heads, d]` queries or keys.
    pub(crate) fn apply(&self, t: Tensor<3>) -> Tensor<3> {
        if let Tables::Kernel(tables) = &self.tables {
            let [tokens, heads, d] = t.dims();
            // In place on a copy: the caller may hold the tensor.
            let copy = Buffer::of(t.clone().mul_scalar(1.0));
            return copy.map_or(t, |copy| {
                tables.turn(&copy, tokens, heads, heads * d, self.half);
                copy.tensor()
            });
        }
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
            // Done above.
            Tables::Kernel(_) => t,
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

/// Tables of positions in space, hierarchical continuous 3-D rotary: chunks of the channels turn with x, y and z,
/// averaged over several bases. What does not depend on positions is made once.
#[derive(Debug, Clone)]
pub(crate) struct SpaceRotary {
    channels: Vec<Channel>,
    /// By base, axis and frequency.
    frequencies: Vec<Vec<Vec<f32>>>,
    device: Device,
    kernel: Option<rotary::SpaceConstants>,
}

impl SpaceRotary {
    pub(crate) fn new(head_dim: usize, bases: &[f64], device: &Device) -> Self {
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
        let kernel = Self::constants(&channels, &frequencies, device);
        Self { channels, frequencies, device: device.clone(), kernel }
    }

    fn constants(
        channels: &[Channel],
        frequencies: &[Vec<Vec<f32>>],
        device: &Device,
    ) -> Option<rotary::SpaceConstants> {
        Variant::of(device)?;
        let of = |table: &Vec<Vec<f32>>, c: &Channel| {
            table.get(c.axis).and_then(|t| t.get(c.frequency)).copied().unwrap_or_default()
        };
        let by_channel: Vec<f32> = frequencies.iter().flat_map(|t| channels.iter().map(move |c| of(t, c))).collect();
        let codes: Vec<i32> = channels.iter().map(|c| code(c.axis) | if c.sign < 0.0 { 4 } else { 0 }).collect();
        let (d, bases) = (channels.len(), frequencies.len());
        let table: Tensor<1> = Tensor::from_data(TensorData::new(by_channel, [bases * d]), device);
        let codes: Tensor<1, Int> = Tensor::from_data(TensorData::new(codes, [d]), device);
        let partner = Buffer::of_int(partners(channels, device))?;
        Some(rotary::SpaceConstants {
            frequencies: Buffer::of(table)?,
            channels: Buffer::of_int(codes)?,
            partner,
            width: d,
            bases,
        })
    }

    /// Tables of tokens at `places`, after `skip` tokens without a place (the pose token), which pass unchanged.
    pub(crate) fn at(&self, places: &Places, skip: usize) -> Rotary {
        let listed = match places {
            Places::Host(listed) => listed,
            Places::Device { buffer, count, row } => {
                // Places are on the GPU only where the kernels run.
                return self
                    .at_buffer(buffer, [*count, *row], skip)
                    .unwrap_or_else(|| self.at(&Places::default(), skip));
            }
        };
        let flat = || TensorData::new(listed.as_flattened().to_vec(), [3 * listed.len()]);
        let uploaded = || Buffer::of(Tensor::<1>::from_data(flat(), &self.device));
        if !listed.is_empty()
            && self.kernel.is_some()
            && let Some(rotary) = uploaded().and_then(|buffer| self.at_buffer(&buffer, [listed.len(), 3], skip))
        {
            return rotary;
        }
        let none = std::iter::repeat_n([None; 3], skip);
        let positions: Vec<_> = none.chain(listed.iter().map(|p| p.map(Some))).collect();
        Rotary::tables(&positions, &self.channels, &self.frequencies, &self.device)
    }

    /// Tables of `count` positions on the GPU, the first three words of rows of `row`; `None` where the kernels do
    /// not run.
    pub(crate) fn at_buffer(&self, positions: &Buffer, size: [usize; 2], skip: usize) -> Option<Rotary> {
        let tables = self.kernel.as_ref()?.tables(positions, size, skip);
        Some(Rotary { tables: Tables::Kernel(Box::new(tables)), half: false })
    }
}

/// The partner of each channel.
fn partners(channels: &[Channel], device: &Device) -> Tensor<1, Int> {
    let partner: Vec<i32> = channels.iter().map(|c| code(c.partner)).collect();
    Tensor::from_data(TensorData::new(partner, [channels.len()]), device)
}

/// A small index as tensors store it.
fn code(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

/// `base^(-2k/length)` for `k` in `0..count`.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small integers; tables are f32")]
fn inverse_powers(base: f64, count: usize, length: usize) -> Vec<f32> {
    (0..count).map(|k| base.powf(-2.0 * k as f64 / length as f64) as f32).collect()
}
