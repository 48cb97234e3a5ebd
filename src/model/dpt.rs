//! Dense prediction head: tokens of four depths to a full-size map (spec 5.2).

use burn::tensor::{Tensor, activation};

use super::config::Config;
use super::probe::Probe;
use crate::ops::{Conv, Linear, UpConv, tokens_to_map, upsample2};
use crate::pace::Pace;
use crate::weights::{Parameters, WeightsError};

/// Residual unit: `x + conv2(relu(conv1(relu(x))))`.
#[derive(Debug, Clone)]
struct ResidualUnit([Conv; 2]);

impl ResidualUnit {
    fn take(p: &mut Parameters, prefix: &str, dim: usize) -> Result<Self, WeightsError> {
        let conv = |p: &mut Parameters, i: usize| Conv::take(p, &format!("{prefix}.conv{i}"), [dim, dim], 3, 1, true);
        Ok(Self([conv(p, 1)?, conv(p, 2)?]))
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let Self([one, two]) = self;
        x.clone() + two.forward(activation::relu(one.forward(activation::relu(x))))
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
    fn take(p: &mut Parameters, prefix: &str, dim: usize, coarsest: bool) -> Result<Self, WeightsError> {
        let unit = |p: &mut Parameters, i: usize| ResidualUnit::take(p, &format!("{prefix}.resConfUnit{i}"), dim);
        let lateral = if coarsest { None } else { Some(unit(p, 1)?) };
        let out = Conv::take(p, &format!("{prefix}.out_conv"), [dim, dim], 1, 1, true)?;
        Ok(Self { lateral, refine: unit(p, 2)?, out })
    }

    /// The pointwise `out` commutes with upsampling and costs a quarter before it.
    fn forward(&self, x: Option<Tensor<4>>, level: Tensor<4>) -> Tensor<4> {
        let x = match (&self.lateral, x) {
            (Some(lateral), Some(x)) => x + lateral.forward(level),
            _ => level,
        };
        upsample2(self.out.forward(self.refine.forward(x)))
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
}

impl DenseHead {
    pub(crate) fn take(p: &mut Parameters, prefix: &str, c: &Config) -> Result<Self, WeightsError> {
        let dims @ [d0, d1, d2, d3] = c.dpt.layer_dims;
        let (enc, dec, f, last) = (c.enc_embed_dim, c.dec_embed_dim, c.dpt.feature_dim, c.dpt.last_dim);
        let act = format!("{prefix}.act_postprocess");
        let project = |p: &mut Parameters, i: usize, dim: usize| {
            Conv::take(p, &format!("{prefix}.scratch.layer{i}_rn"), [dim, f], 3, 1, false)
        };
        let fusion =
            |p: &mut Parameters, i: usize| Fusion::take(p, &format!("{prefix}.scratch.refinenet{i}"), f, i == 4);
        let [p0, p1, p2, p3] = dims;
        let skip = match c.stem {
            Some([_, fine, ..]) if c.dense_skip => {
                Some(Conv::take(p, &format!("{prefix}.skip"), [fine, f], 3, 1, true)?)
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
            up4: UpConv::take(p, &format!("{act}.0.1"), d0, 4)?,
            up2: UpConv::take(p, &format!("{act}.1.1"), d1, 2)?,
            down2: Conv::take(p, &format!("{act}.3.1"), [d3, d3], 3, 2, true)?,
            project: [project(p, 1, p0)?, project(p, 2, p1)?, project(p, 3, p2)?, project(p, 4, p3)?],
            fusion: [fusion(p, 1)?, fusion(p, 2)?, fusion(p, 3)?, fusion(p, 4)?],
            out: [
                Conv::take(p, &format!("{prefix}.head.0"), [f, f / 2], 3, 1, true)?,
                Conv::take(p, &format!("{prefix}.head.2"), [f / 2, last], 3, 1, true)?,
                Conv::take(p, &format!("{prefix}.head.4"), [last, 4], 1, 1, true)?,
            ],
        })
    }

    /// Four token lists `[height * width, channels]` to `[1, 4, 16 * height, 16 * width]`, not activated. `fine`: the
    /// stem's stride-4 map, where the network has the skip.
    pub(crate) async fn forward(
        &self,
        tokens: [Tensor<2>; 4],
        fine: Option<Tensor<4>>,
        grid @ [height, width]: [usize; 2],
        names: &str,
        probe: &mut Probe,
        pace: &Pace,
    ) -> Tensor<4> {
        let [t0, t1, t2, t3] = tokens;
        let [r0, r1, r2, r3] = &self.reassemble;
        let [p0, p1, p2, p3] = &self.project;
        let mut l0 = p0.forward(self.up4.forward(r0.forward(t0), grid));
        if let (Some(skip), Some(fine)) = (&self.skip, fine) {
            l0 = l0 + skip.forward(fine);
        }
        pace.breathe().await;
        let l1 = p1.forward(self.up2.forward(r1.forward(t1), grid));
        let l2 = p2.forward(tokens_to_map(r2.forward(t2), grid));
        let l3 = p3.forward(self.down2.forward(tokens_to_map(r3.forward(t3), grid)));
        pace.breathe().await;
        for (i, level) in [&l0, &l1, &l2, &l3].into_iter().enumerate() {
            probe.record(format!("{names}.layer_rn.{i}"), level);
        }

        let [f1, f2, f3, f4] = &self.fusion;
        let path = f4.forward(None, l3);
        probe.record(format!("{names}.refinenet4"), &path);
        // Odd grids: the coarsest level was rounded up.
        let path = f3.forward(Some(path.narrow(2, 0, height).narrow(3, 0, width)), l2);
        probe.record(format!("{names}.refinenet3"), &path);
        let path = f2.forward(Some(path), l1);
        probe.record(format!("{names}.refinenet2"), &path);
        pace.breathe().await;
        let path = f1.forward(Some(path), l0);
        probe.record(format!("{names}.refinenet1"), &path);
        pace.breathe().await;

        let [first, second, third] = &self.out;
        let x = upsample2(first.forward(path));
        pace.breathe().await;
        let x = third.forward(activation::relu(second.forward(x)));
        probe.record(format!("{names}.raw"), &x);
        pace.breathe().await;
        x
    }
}
