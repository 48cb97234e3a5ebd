//! What the network produced in one frame, under the names of the reference set.

use burn::tensor::Tensor;

use super::Reference;
use crate::memory::Fusion;
use crate::model::{ModelError, Prediction, Probe, State};

/// Tensors of one frame by name.
pub(crate) struct Produced {
    tensors: Vec<(String, Reference)>,
    /// Largest coordinate of the pointers.
    extent: f32,
}

impl Produced {
    /// Reads everything recorded and predicted back from the device.
    pub(crate) async fn collect(
        mut probe: Probe,
        prediction: &Prediction,
        fusion: &Fusion,
        state: &State,
    ) -> Result<Self, ModelError> {
        let mut all = Vec::new();
        for (name, tensor, shape) in probe.take() {
            all.push((name, read(tensor, shape).await?));
        }
        let p = prediction;
        for (name, map) in [("pts3d_in_self_view", &p.points_camera), ("pts3d_in_other_view", &p.points_world)] {
            all.push((format!("out.{name}"), read(map.clone().reshape([-1]), map.dims().to_vec()).await?));
        }
        for (name, map) in [("conf_self", &p.confidence_camera), ("conf", &p.confidence_world)] {
            all.push((format!("out.{name}"), read(map.clone().reshape([-1]), map.dims().to_vec()).await?));
        }
        let mut host = |name: &str, values: Vec<f32>| {
            let shape = vec![values.len()];
            all.push((name.to_owned(), Reference { values, shape }));
        };
        let pose = &p.pose;
        let pointers = state.memory().list().read().await?;
        let positions: Vec<f32> = pointers.iter().flat_map(|pointer| pointer.position).collect();
        host("out.camera_pose", pose.translation.into_iter().chain(pose.rotation).collect());
        host("out.c2w", pose.matrix().concat());
        host("ptr_pos", positions.clone());
        if !fusion.nearest.is_empty() {
            host("merge_threshold", vec![fusion.threshold]);
            host("merge_nn_dist", fusion.nearest.iter().map(|(_, d)| *d).collect());
            #[expect(clippy::cast_precision_loss, reason = "row numbers stay far below 2^24")]
            host("merge_nn_index", fusion.nearest.iter().map(|(m, _)| *m as f32).collect());
            host("merge_is_add", fusion.added.iter().map(|a| f32::from(u8::from(*a))).collect());
        }
        Ok(Self { tensors: all, extent: positions.iter().fold(0.0, |m: f32, v| m.max(v.abs())) })
    }

    /// Name, tensor and the magnitude its error is relative to, where that is not the tensor's own: a distance
    /// is a difference of positions and inherits their rounding.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (&str, &Reference, Option<f32>)> {
        let scale = |name: &str| name.starts_with("merge_").then_some(self.extent);
        self.tensors.iter().map(move |(name, tensor)| (name.as_str(), tensor, scale(name)))
    }
}

/// Reads one tensor back.
pub(crate) async fn read(tensor: Tensor<1>, shape: Vec<usize>) -> Result<Reference, ModelError> {
    let data = tensor.into_data_async().await?;
    let values = data.try_into_vec::<f32>().map_err(|e| ModelError::Device(format!("{e:?}")))?;
    Ok(Reference { values, shape })
}
