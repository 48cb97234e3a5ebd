//! Square patches of pixels: of the picture that the encoder starts from, and of the points that pointers are made of.

use burn::tensor::{Device, Tensor, TensorData};

use super::wgsl::{Buffer, Variant, patches as kernel};
use crate::preprocess::RgbImage;

/// A `[height, width, 3]` map cut into flattened square patches `[patches, 3 * side * side]`, and the mean point of
/// each, `[patches, 3]`.
pub(crate) fn patches_of_map(map: Tensor<3>, side: usize) -> (Tensor<2>, Tensor<2>) {
    let [height, width, channels] = map.dims();
    let grid @ [rows, columns] = [height / side, width / side];
    if Variant::of(&map.device()).is_some()
        && let Some(map) = Buffer::of(map.clone())
    {
        return (kernel::cut(&map, grid, side, false).tensor(), kernel::means(&map, grid, side).tensor());
    }
    let tiles: Tensor<5> = map.reshape([rows, side, columns, side, channels]);
    let patches: Tensor<2> = tiles.permute([0, 2, 4, 1, 3]).reshape([rows * columns, channels * side * side]);
    let by_axis: Tensor<3> = patches.clone().reshape([rows * columns, channels, side * side]);
    (patches, by_axis.mean_dim(2).squeeze_dim(2))
}

/// The patches of a picture whose sides are multiples of `side`, values -1 to 1, `[patches, 3 * side * side]`.
pub(crate) fn image_patches(image: &RgbImage, grid: [usize; 2], side: usize, device: &Device) -> Tensor<2> {
    if Variant::of(device).is_some()
        && let Some(anything) = Buffer::of(Tensor::<1>::empty([1], device))
    {
        let bytes =
            image.rgb.chunks(4).map(|four| four.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)));
        let words: Vec<u32> = bytes.collect();
        return kernel::cut(&anything.words_beside(&words), grid, side, true).tensor();
    }
    let [rows, columns] = grid;
    let shape = [rows * columns, 3 * side * side];
    Tensor::from_data(TensorData::new(normalised_patches(image, grid, side), shape), device)
}

/// `(u8 / 255 - 0.5) / 0.5` (spec section 2).
pub(crate) fn normalised(value: u8) -> f32 {
    (f32::from(value) / 255.0 - 0.5) / 0.5
}

/// Normalised pixels, patch by patch, channel by channel.
pub(crate) fn normalised_patches(image: &RgbImage, [rows, columns]: [usize; 2], side: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(image.rgb.len());
    for patch in 0..rows * columns {
        let (top, left) = (patch / columns * side, patch % columns * side);
        for channel in 0..3 {
            for y in top..top + side {
                let row = (y * image.width + left) * 3;
                let pixels = image.rgb.get(row..row + 3 * side).unwrap_or_default();
                values.extend(pixels.iter().skip(channel).step_by(3).map(|&u| normalised(u)));
            }
        }
    }
    values
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ops::wgsl::tests::{gpu, random, worst};

    fn values(t: Tensor<2>) -> Vec<f32> {
        t.into_data().try_into_vec().unwrap()
    }

    #[test]
    fn patches_and_their_means_are_alike_on_the_gpu_for_any_grid() {
        let Some(device) = gpu() else { return };
        for (rows, columns, side) in [(1, 1, 16), (3, 4, 16), (4, 3, 16), (5, 7, 8), (1, 9, 2), (24, 32, 16)] {
            let (height, width) = (rows * side, columns * side);
            let map = |device: &Device| -> Tensor<3> {
                let points = random(height * width * 3, 4).iter().map(|v| v * 5.0 + 3.0).collect::<Vec<_>>();
                Tensor::from_data(TensorData::new(points, [height, width, 3]), device)
            };
            let (patches, means) = patches_of_map(map(&device), side);
            let (expected, expected_means) = patches_of_map(map(&Device::flex()), side);
            assert_eq!(values(patches), values(expected), "{rows}x{columns} of {side}");
            assert!(worst(&values(means), &values(expected_means)) < 5e-6, "{rows}x{columns} of {side}");

            let image = RgbImage::noise(width, height, 3);
            let on = |device: &Device| values(image_patches(&image, [rows, columns], side, device));
            assert!(worst(&on(&device), &on(&Device::flex())) < 5e-7, "picture, {rows}x{columns} of {side}");
        }
    }
}
