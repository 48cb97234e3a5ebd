//! Everything that is compiled on first use, compiled while the model loads.

use burn::tensor::Tensor;
use burn_cubecl::cubecl::dry_run::DryRun;

use super::{ModelError, Point3r, State};
use crate::kernels::Variant;
use crate::memory::PointerCap;
use crate::pace::Pace;
use crate::preprocess::RgbImage;

impl Point3r {
    /// Compiles the kernels of a first and of a later frame, without running them: of `[height, width]`, upright and
    /// across, and of an odd number of patches, because burn's kernels come in forms for odd and even sizes. On the
    /// CPU there is nothing to compile. While it runs, nothing else of this process computes on a GPU.
    ///
    /// # Errors
    /// When the device is lost meanwhile.
    pub async fn warm_up(&self, [height, width]: [usize; 2], pace: &Pace) -> Result<(), ModelError> {
        if Variant::of(self.device()).is_none() {
            return Ok(());
        }
        let _dry = DryRun::new();
        let patch = self.config().patch_size;
        let odd = |side: usize| ((side / patch) | 1) * patch;
        for [height, width] in [[height, width], [width, height], [odd(height), odd(width)]] {
            let image = RgbImage { width, height, rgb: vec![128; width.saturating_mul(height).saturating_mul(3)] };
            for mut state in [self.start(), self.after_one_frame(&image)?] {
                match self.step(&mut state, &image, pace).await {
                    // Nothing was computed: what is read back is whatever the buffers held.
                    Ok(_) | Err(ModelError::NotFinite) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Height and width of most frames: landscape 4:3, or the square that the smallest released size means.
    #[must_use]
    pub fn usual_size(&self) -> [usize; 2] {
        let (side, patch) = (self.config().image_size, self.config().patch_size);
        let height = if side == 224 { side } else { (side * 3 / 4).next_multiple_of(patch) };
        [height, side.next_multiple_of(patch)]
    }

    /// A state as after a frame, with made-up pointers.
    fn after_one_frame(&self, image: &RgbImage) -> Result<State, ModelError> {
        let state = self.start();
        let geometry = self.geometry(&state, image)?;
        let count = geometry.patches();
        #[expect(clippy::cast_precision_loss, reason = "made-up places")]
        let positions: Vec<[f32; 3]> = (0..count).map(|i| [i as f32, 0.0, 1.0]).collect();
        let features = Tensor::zeros([count, self.config().dec_embed_dim], self.device());
        // With fewer pointers than there will be, so that what makes room is compiled too.
        let cap = PointerCap { pointers: count, ..PointerCap::default() };
        Ok(state.with_cap(cap).remembering(&positions, features, geometry))
    }
}
