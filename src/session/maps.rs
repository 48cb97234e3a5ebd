//! The maps of one frame on the host, read back from the compute device in one transfer.

use burn::tensor::Tensor;

use super::SessionError;
use crate::{
    cloud::{Chunk, PackedPoint, flags_of},
    model::Prediction,
    preprocess::RgbImage,
};

/// Per-pixel outputs of one frame, row order.
#[derive(Debug, Clone)]
pub struct Maps {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// World points (3 per pixel), camera points (3), world confidence (1), camera confidence (1), one after another.
    values: Vec<f32>,
}

impl Maps {
    /// Reads a prediction back. The tensors are let go of.
    pub(super) async fn read(
        points_world: Tensor<3>,
        points_camera: Tensor<3>,
        confidence_world: Tensor<2>,
        confidence_camera: Tensor<2>,
    ) -> Result<Self, SessionError> {
        let [height, width, _] = points_world.dims();
        let flat = vec![
            points_world.flatten::<1>(0, 2),
            points_camera.flatten(0, 2),
            confidence_world.flatten(0, 1),
            confidence_camera.flatten(0, 1),
        ];
        let read = Tensor::cat(flat, 0).into_data_async().await;
        let values = read.map_err(|e| SessionError::Device(first_line(&e.to_string())))?;
        let values = values.try_into_vec::<f32>().map_err(|e| SessionError::Device(first_line(&format!("{e:?}"))))?;
        Self::new(width, height, values)
    }

    fn new(width: usize, height: usize, values: Vec<f32>) -> Result<Self, SessionError> {
        if values.len() != width * height * 8 {
            return Err(SessionError::Device("maps of unexpected size".to_owned()));
        }
        Ok(Self { width, height, values })
    }

    /// From the parts of a prediction.
    pub(super) async fn of(prediction: Prediction) -> Result<Self, SessionError> {
        let Prediction { points_world, points_camera, confidence_world, confidence_camera, .. } = prediction;
        Self::read(points_world, points_camera, confidence_world, confidence_camera).await
    }

    fn part(&self, from: usize, to: usize) -> &[f32] {
        let pixels = self.width * self.height;
        self.values.get(from * pixels..to * pixels).unwrap_or_default()
    }

    /// Points in the world, x y z per pixel.
    #[must_use]
    pub fn points_world(&self) -> &[f32] {
        self.part(0, 3)
    }

    /// Points in the frame's own camera, x y z per pixel.
    #[must_use]
    pub fn points_camera(&self) -> &[f32] {
        self.part(3, 6)
    }

    /// Confidence of the world points.
    #[must_use]
    pub fn confidence_world(&self) -> &[f32] {
        self.part(6, 7)
    }

    /// Confidence of the camera points.
    #[must_use]
    pub fn confidence_camera(&self) -> &[f32] {
        self.part(7, 8)
    }

    /// Depth per pixel: z of the camera points, metres where the model is metric.
    pub fn depth(&self) -> impl Iterator<Item = f32> {
        self.points_camera().iter().skip(2).step_by(3).copied()
    }

    /// Number of values that are not finite among the world points, which the memory is built from.
    pub(super) fn broken_world_values(&self) -> usize {
        self.points_world().iter().filter(|v| !v.is_finite()).count()
    }

    /// The points worth keeping, with the colours of `image` and what is doubtful about them: confident enough and
    /// finite.
    pub(super) fn chunk(&self, frame: u32, image: &RgbImage, least: f32) -> Chunk {
        let mut points = Vec::new();
        let mut flags = Vec::new();
        let depth: Vec<f32> = self.depth().collect();
        let doubts = flags_of(self.width, self.height, &image.rgb, &depth);
        let doubts = doubts.into_iter().chain(std::iter::repeat(0));
        let pixels = self.points_world().chunks_exact(3).zip(image.rgb.chunks_exact(3)).zip(self.confidence_world());
        for (((point, color), &confidence), doubt) in pixels.zip(doubts) {
            let ([x, y, z], [r, g, b]) = (point, color) else { continue };
            // A confidence that is not a number is not enough.
            if confidence >= least.max(0.0) && x.is_finite() && y.is_finite() && z.is_finite() {
                points.push(PackedPoint::new([*x, *y, *z], [*r, *g, *b], confidence));
                flags.push(doubt);
            }
        }
        if flags.iter().all(|flag| *flag == 0) {
            flags = Vec::new();
        }
        Chunk { frame, points, flags }
    }
}

/// The part of a device's error text that fits a sentence.
fn first_line(text: &str) -> String {
    text.split("Caused by:").last().unwrap_or(text).trim().lines().next().unwrap_or("unknown reason").to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn maps() -> (Maps, RgbImage) {
        let mut values = vec![0.5; 4 * 3];
        values.extend([1.0; 12]);
        values.extend([1.0, 2.0, 3.0, 4.0]);
        values.extend([1.0; 4]);
        (Maps::new(2, 2, values).unwrap(), RgbImage { width: 2, height: 2, rgb: (0..12).collect() })
    }

    #[test]
    fn chunks_hold_confident_points_with_their_colours() {
        let (maps, image) = maps();
        let chunk = maps.chunk(5, &image, 2.5);
        assert_eq!((chunk.frame, chunk.points.len()), (5, 2));
        assert_eq!(chunk.points[0].color(), [6, 7, 8]);
    }

    #[test]
    fn values_that_are_no_numbers_are_counted_and_never_packed() {
        let (mut maps, image) = maps();
        maps.values[0] = f32::NAN;
        maps.values[4] = f32::INFINITY;
        maps.values[24 + 3] = f32::NAN; // confidence of the last pixel
        assert_eq!(maps.broken_world_values(), 2);
        assert_eq!(maps.chunk(0, &image, 0.0).points.len(), 1);
        assert_eq!(maps.chunk(0, &image, f32::NAN).points.len(), 1);
    }

    #[test]
    fn maps_of_another_size_are_refused() {
        assert!(Maps::new(2, 2, vec![0.0; 31]).is_err());
    }
}
