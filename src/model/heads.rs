//! World branch, pose head and the activations of all outputs (spec 5.1, 5.3).

use burn::tensor::Tensor;

use super::block::ConditionedBlock;
use super::config::Config;
use super::dpt::DenseHead;
use super::probe::Probe;
use crate::geometry::Pose;
use crate::ops::wgsl::{Buffer, map::activate};
use crate::ops::{Map, Mlp, Rotary};
use crate::pace::Pace;
use crate::weights::{Parameters, WeightsError};

/// Points `[height, width, 3]` and confidence `[height, width]`.
pub(crate) type PointMap = (Tensor<3>, Tensor<2>);

/// Everything that turns decoder tokens into outputs.
#[derive(Debug, Clone)]
pub(crate) struct Heads {
    camera: DenseHead,
    world: DenseHead,
    world_branch: Vec<ConditionedBlock>,
    pose: Mlp,
}

impl Heads {
    pub(crate) fn take(p: &mut Parameters, c: &Config) -> Result<Self, WeightsError> {
        let (dim, stack) = (c.dec_embed_dim, &c.final_transform);
        let world_branch = (0..stack.depth)
            .map(|i| {
                let prefix = format!("downstream_head.final_transform.{i}");
                ConditionedBlock::take(p, &prefix, dim, stack.heads, stack.mlp_ratio, c.layer_norm_eps)
            })
            .collect::<Result<_, _>>()?;
        let pose = ["downstream_head.pose_head.mlp.fc1", "downstream_head.pose_head.mlp.fc2"];
        Ok(Self {
            camera: DenseHead::take(p, "downstream_head.dpt_self", c)?,
            world: DenseHead::take(p, "downstream_head.dpt_cross", c)?,
            world_branch,
            pose: Mlp::take_named(p, pose, [dim, dim * c.pose_head.mlp_ratio, c.pose_head.out])?,
        })
    }

    /// The seven raw pose values of the pose token, `[1, 7]`.
    pub(crate) fn pose(&self, pose_token: Tensor<2>) -> Tensor<2> {
        self.pose.forward(pose_token)
    }

    /// Camera-frame and world-frame point maps. `hooked`: encoder tokens and the two inner decoder outputs;
    /// `tokens`: the last decoder output, all without pose token; `fine`: the stem's map, where the heads take it.
    pub(crate) async fn point_maps(
        &self,
        hooked: [Tensor<2>; 3],
        tokens: Tensor<2>,
        fine: Option<Map>,
        pose_token: &Tensor<2>,
        grid: [usize; 2],
        rotary: &Rotary,
        probe: &mut Probe,
        pace: &Pace,
    ) -> (PointMap, PointMap) {
        let mut world_tokens = tokens.clone();
        for (i, block) in self.world_branch.iter().enumerate() {
            world_tokens = block.forward(world_tokens, pose_token, rotary);
            probe.record(format!("final_transform.{i}"), &world_tokens);
            pace.breathe().await;
        }
        let [h0, h1, h2] = hooked;
        let camera = [h0.clone(), h1.clone(), h2.clone(), tokens];
        let camera = self.camera.forward(camera, fine.clone(), grid, "dpt_self", probe, pace).await;
        let world = self.world.forward([h0, h1, h2, world_tokens], fine, grid, "dpt_cross", probe, pace).await;
        (activate_points(camera), activate_points(world))
    }
}

/// `xyz / |xyz| * expm1(|xyz|)` and `1 + exp(c)` of a map of four channels.
fn activate_points(raw: Map) -> PointMap {
    let raw = match raw {
        Map::Planes(raw) => raw,
        Map::Pixels(_, map) => {
            let [height, width, _] = map.dims();
            let Some(raw) = Buffer::of(map.clone()) else { return activate_points(Map::Planes(map.unsqueeze())) };
            let (points, confidence) = activate(&raw, [height, width]);
            return (points.tensor(), confidence.tensor());
        }
    };
    let [_, _, height, width] = raw.dims();
    let raw = raw.permute([0, 2, 3, 1]).reshape([height, width, 4]);
    let xyz = raw.clone().narrow(2, 0, 3);
    let distance = (xyz.clone() * xyz.clone()).sum_dim(2).sqrt();
    // exp(d) - 1 loses relative, not absolute, precision near zero: below 1e-7 of a scene unit.
    let scale = (distance.clone().exp() - 1.0) / distance.clamp_min(1e-8);
    let confidence = raw.narrow(2, 3, 1).squeeze_dim::<2>(2).exp() + 1.0;
    (xyz * scale, confidence)
}

/// The pose of seven raw values (spec 5.3).
pub(crate) fn activate_pose([x, y, z, qw, qx, qy, qz]: [f32; 7]) -> Pose {
    let n = (x * x + y * y + z * z).sqrt();
    let scale = n.exp_m1() / n.max(1e-8);
    let norm = (qw * qw + qx * qx + qy * qy + qz * qz).sqrt().max(1e-12);
    let sign = if qw < 0.0 { -1.0 } else { 1.0 };
    let unit = sign / norm;
    Pose { translation: [x * scale, y * scale, z * scale], rotation: [qw * unit, qx * unit, qy * unit, qz * unit] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pose_has_unit_quaternion_with_positive_w() {
        let pose = activate_pose([0.0, 0.0, 0.0, -2.0, 0.0, 2.0, 0.0]);
        let h = std::f32::consts::FRAC_1_SQRT_2;
        assert_eq!(pose.translation, [0.0; 3]);
        for (a, b) in pose.rotation.into_iter().zip([h, 0.0, -h, 0.0]) {
            assert!((a - b).abs() < 1e-6);
        }
    }
}
