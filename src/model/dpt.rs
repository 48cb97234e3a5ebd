//! Dense prediction head: tokens of four depths to a full-size map (spec 5.2).

use burn::tensor::Tensor;

use super::config::Config;
use super::probe::Probe;
use crate::ops::wgsl::Variant;
use crate::ops::{Conv, Linear, Map, UpConv};
use crate::pace::Pace;
use crate::weights::{Parameters, WeightsError};

/// Residual unit: `x + conv2(relu(conv1(relu(x))))`.
#[derive(Debug, Clone)]
struct ResidualUnit([Conv; 2]);

impl ResidualUnit {
    fn take(p: &mut Parameters, prefix: &str, dim: usize, variant: Option<Variant>) -> Result<Self, WeightsError> {
        let conv =
            |p: &mut Parameters, i: usize| Conv::take(p, &format!("{prefix}.conv{i}"), [dim, dim], 3, 1, true, variant);
        Ok(Self([conv(p, 1)?, conv(p, 2)?]))
    }

    fn forward(&self, x: Map) -> Map {
        let Self([one, two]) = self;
        two.forward_relu_onto(x.clone(), one.forward_relu(x))
    }

    /// `sum` plus the unit of `x`.
    fn forward_onto(&self, sum: Map, x: Map) -> Map {
        sum.plus(self.forward(x))
    }
}

/// One step of the coarse-to-fine path.
#[derive(Debug, Clone)]
struct Fusion {
    /// Absent at the coarsest level, which has nothing to add.
    lateral: Option<ResidualUnit>,
    refine: ResidualUnit,
    out: Conv,
}

impl Fusion {
    fn take(
        p: &mut Parameters,
        prefix: &str,
        dim: usize,
        coarsest: bool,
        variant: Option<Variant>,
    ) -> Result<Self, WeightsError> {
        let unit =
            |p: &mut Parameters, i: usize| ResidualUnit::take(p, &format!("{prefix}.resConfUnit{i}"), dim, variant);
        let lateral = if coarsest { None } else { Some(unit(p, 1)?) };
        let out = Conv::take(p, &format!("{prefix}.out_conv"), [dim, dim], 1, 1, true, variant)?;
        Ok(Self { lateral, refine: unit(p, 2)?, out })
    }

    /// The pointwise `out` commutes with upsampling and costs a quarter before it.
    fn forward(&self, x: Option<Map>, level: Map) -> Map {
        let x = match (&self.lateral, x) {
            (Some(lateral), Some(x)) => lateral.forward_onto(x, level),
            _ => level,
        };
        self.out.forward(self.refine.forward(x)).upsample2()
    }
}

/// A dense head with four output channels.
#[derive(Debug, Clone)]
pub(crate) struct DenseHead {
    reassemble: [Linear; 4],
    up4: UpConv,
    up2: UpConv,
    down2: Conv,
    /// Per level to the common width.
    project: [Conv; 4],
    /// From the stem's stride-4 map to the finest level.
    skip: Option<Conv>,
    /// Fine to coarse.
    fusion: [Fusion; 4],
    out: [Conv; 3],
    /// The kernels that run, if they take these widths.
    variant: Option<Variant>,
}

/// Largest band of the full-size map that is made at once, in bytes: well below the smallest binding limit.
const BAND: usize = 32 << 20;

impl DenseHead {
    pub(crate) fn take(p: &mut Parameters, prefix: &str, c: &Config) -> Result<Self, WeightsError> {
        let dims @ [d0, d1, d2, d3] = c.dpt.layer_dims;
        let (enc, dec, f, last) = (c.enc_embed_dim, c.dec_embed_dim, c.dpt.feature_dim, c.dpt.last_dim);
        let act = format!("{prefix}.act_postprocess");
        let widths = [enc, dec, d0, d1, d2, d3, f, f / 2, last, c.stem.map_or(0, |[_, fine, ..]| fine)];
        let variant = Variant::of(p.device()).filter(|_| widths.iter().all(|w| w.is_multiple_of(4)));
        let project = |p: &mut Parameters, i: usize, dim: usize| {
            Conv::take(p, &format!("{prefix}.scratch.layer{i}_rn"), [dim, f], 3, 1, false, variant)
        };
        let fusion = |p: &mut Parameters, i: usize| {
            Fusion::take(p, &format!("{prefix}.scratch.refinenet{i}"), f, i == 4, variant)
        };
        let [p0, p1, p2, p3] = dims;
        let skip = match c.stem {
            Some([_, fine, ..]) if c.dense_skip => {
                Some(Conv::take(p, &format!("{prefix}.skip"), [fine, f], 3, 1, true, variant)?)
            }
            _ => None,
        };
        Ok(Self {
            skip,
            reassemble: [
                Linear::take_pointwise(p, &format!("{act}.0.0"), enc, d0)?,
                Linear::take_pointwise(p, &format!("{act}.1.0"), dec, d1)?,
                Linear::take_pointwise(p, &format!("{act}.2.0"), dec, d2)?,
                Linear::take_pointwise(p, &format!("{act}.3.0"), dec, d3)?,
            ],
            up4: UpConv::take(p, &format!("{act}.0.1"), d0, 4, variant)?,
            up2: UpConv::take(p, &format!("{act}.1.1"), d1, 2, variant)?,
            down2: Conv::take(p, &format!("{act}.3.1"), [d3, d3], 3, 2, true, variant)?,
            project: [project(p, 1, p0)?, project(p, 2, p1)?, project(p, 3, p2)?, project(p, 4, p3)?],
            fusion: [fusion(p, 1)?, fusion(p, 2)?, fusion(p, 3)?, fusion(p, 4)?],
            out: [
                Conv::take(p, &format!("{prefix}.head.0"), [f, f / 2], 3, 1, true, variant)?,
                Conv::take(p, &format!("{prefix}.head.2"), [f / 2, last], 3, 1, true, variant)?,
                Conv::take(p, &format!("{prefix}.head.4"), [last, 4], 1, 1, true, variant)?,
            ],
            variant,
        })
    }

    /// Four token lists `[height * width, channels]` to a map of four channels, 16 times the grid, not activated. `fine`:
    /// the stem's stride-4 map, where the network has the skip.
    pub(crate) async fn forward(
        &self,
        tokens: [Tensor<2>; 4],
        fine: Option<Map>,
        grid @ [height, width]: [usize; 2],
        names: &str,
        probe: &mut Probe,
        pace: &Pace,
    ) -> Map {
        let [t0, t1, t2, t3] = tokens;
        let [r0, r1, r2, r3] = &self.reassemble;
        let [p0, p1, p2, p3] = &self.project;
        let mut l0 = p0.forward(self.up4.forward(r0.forward(t0), grid));
        if let (Some(skip), Some(fine)) = (&self.skip, fine) {
            l0 = l0.plus(skip.forward(fine.in_form(self.variant)));
        }
        pace.breathe().await;
        let l1 = p1.forward(self.up2.forward(r1.forward(t1), grid));
        let l2 = p2.forward(Map::of_tokens(r2.forward(t2), grid, self.variant));
        let l3 = p3.forward(self.down2.forward(Map::of_tokens(r3.forward(t3), grid, self.variant)));
        pace.breathe().await;
        for (i, level) in [&l0, &l1, &l2, &l3].into_iter().enumerate() {
            probe.record_with(format!("{names}.layer_rn.{i}"), || level.planes());
        }

        let [f1, f2, f3, f4] = &self.fusion;
        let path = f4.forward(None, l3);
        probe.record_with(format!("{names}.refinenet4"), || path.planes());
        // Odd grids: the coarsest level was rounded up.
        let path = f3.forward(Some(path.crop([height, width])), l2);
        probe.record_with(format!("{names}.refinenet3"), || path.planes());
        let path = f2.forward(Some(path), l1);
        probe.record_with(format!("{names}.refinenet2"), || path.planes());
        pace.breathe().await;
        let path = f1.forward(Some(path), l0);
        probe.record_with(format!("{names}.refinenet1"), || path.planes());
        pace.breathe().await;

        let x = self.full_size(path, pace).await;
        probe.record_with(format!("{names}.raw"), || x.planes());
        pace.breathe().await;
        x
    }

    /// The last convolutions, on twice the pixels. Where the kernels run, in bands of rows: the map between them
    /// would be the largest tensor of the network.
    async fn full_size(&self, path: Map, pace: &Pace) -> Map {
        let [first, second, third] = &self.out;
        let x = first.forward(path);
        pace.breathe().await;
        let Map::Pixels(variant, half) = &x else {
            return third.forward_relu(second.forward(x.upsample2()));
        };
        let [height, width, channels] = half.dims();
        let (height, row_bytes) = (2 * height, 2 * width * channels * size_of::<f32>());
        let rows = (BAND / row_bytes).max(1).min(height);
        let mut bands = Vec::with_capacity(height.div_ceil(rows));
        for from in (0..height).step_by(rows) {
            let to = (from + rows).min(height);
            // One row more on both sides, for the convolution.
            let (top, bottom) = (from.saturating_sub(1), (to + 1).min(height));
            let band = second.forward_band(x.clone().upsampled_rows([top, bottom]), height, top, [from, to]);
            if let Map::Pixels(_, band) = third.forward_relu(band) {
                bands.push(band);
            }
            pace.breathe().await;
        }
        Map::Pixels(*variant, if bands.len() == 1 { bands.swap_remove(0) } else { Tensor::cat(bands, 0) })
    }
}
