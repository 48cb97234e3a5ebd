//! From an image to the tokens that the encoder starts from (spec section 2).
//!
//! The released model embeds each 16x16 patch by one linear map. Small networks may use a convolutional stem
//! instead, add the place of a patch in the image to its token, and hand the stem's stride-4 map to the dense heads.

use std::f32::consts::PI;

use burn::tensor::{Device, Tensor, TensorData};

use super::config::Config;
use crate::ops::{Conv, Linear, Map, MapNorm, gelu, image_patches, normalised};
use crate::preprocess::RgbImage;
use crate::weights::{Parameters, WeightsError};

/// Half turns across the image's longer half, of the position added to encoder tokens.
const FREQUENCIES: [f32; 4] = [0.5, 1.0, 2.0, 4.0];
/// Values that describe a place: y and x, then sine and cosine of both at every frequency.
pub(super) const POSITION_INPUTS: usize = 2 + 4 * FREQUENCIES.len();

/// What an image is at the start of the encoder.
pub(super) struct Embedded {
    /// `[patches, encoder width]`, before the position is added.
    pub(super) tokens: Tensor<2>,
    /// At a quarter of the image's size, where the dense heads take it.
    pub(super) fine: Option<Map>,
}

/// The image embedding of a network.
#[derive(Debug, Clone)]
pub(super) struct ImageEmbedding {
    kind: Kind,
    position: Option<Linear>,
    /// Whether the dense heads take the stem's fine map.
    skip: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    Patches(Linear),
    Stem(Stem),
}

/// Four 3x3 convolutions of stride 2, each followed by a norm over all its values and GELU; then a pointwise map.
#[derive(Debug, Clone)]
struct Stem {
    layers: Vec<(Conv, MapNorm)>,
    project: Linear,
}

impl ImageEmbedding {
    pub(super) fn take(p: &mut Parameters, c: &Config) -> Result<Self, WeightsError> {
        let dim = c.enc_embed_dim;
        let kind = match c.stem {
            None => Kind::Patches(Linear::take_patch(p, "patch_embed.proj", c.patch_size, dim)?),
            Some(channels) => {
                let [.., last] = channels;
                let mut layers = Vec::with_capacity(channels.len());
                let mut input = 3;
                for (i, output) in channels.into_iter().enumerate() {
                    let conv = Conv::take(p, &format!("patch_embed.convs.{i}"), [input, output], 3, 2, false, None)?;
                    layers.push((conv, MapNorm::take(p, &format!("patch_embed.norms.{i}"), output)?));
                    input = output;
                }
                Kind::Stem(Stem { layers, project: Linear::take_pointwise(p, "patch_embed.proj", last, dim)? })
            }
        };
        let position = if c.encoder_position { Some(Linear::take(p, "enc_pos", POSITION_INPUTS, dim)?) } else { None };
        Ok(Self { kind, position, skip: c.dense_skip })
    }

    /// Embeds an image whose sides are multiples of `side`.
    pub(super) fn forward(&self, image: &RgbImage, grid: [usize; 2], side: usize, device: &Device) -> Embedded {
        match &self.kind {
            Kind::Patches(linear) => {
                Embedded { tokens: linear.forward(image_patches(image, grid, side, device)), fine: None }
            }
            Kind::Stem(stem) => {
                let shape = [1, 3, image.height, image.width];
                let map = Tensor::from_data(TensorData::new(normalised_map(image), shape), device);
                let (tokens, fine) = stem.forward(map);
                Embedded { tokens, fine: fine.filter(|_| self.skip) }
            }
        }
    }

    /// What is added to the tokens of images of this grid, `[patches, encoder width]`.
    pub(super) fn positions(&self, grid @ [rows, columns]: [usize; 2], device: &Device) -> Option<Tensor<2>> {
        let table = TensorData::new(position_table(grid), [rows * columns, POSITION_INPUTS]);
        self.position.as_ref().map(|linear| linear.forward(Tensor::from_data(table, device)))
    }
}

impl Stem {
    /// Tokens, and the map after the second convolution.
    fn forward(&self, map: Tensor<4>) -> (Tensor<2>, Option<Map>) {
        let (mut x, mut fine) = (map, None);
        for (i, (conv, norm)) in self.layers.iter().enumerate() {
            x = gelu(norm.forward(conv.forward(Map::Planes(x)).planes()));
            if i == 1 {
                fine = Some(Map::Planes(x.clone()));
            }
        }
        let [_, channels, height, width] = x.dims();
        let tokens: Tensor<2> = x.reshape([channels, height * width]).transpose();
        (self.project.forward(tokens), fine)
    }
}

/// Normalised pixels, channel by channel.
fn normalised_map(image: &RgbImage) -> Vec<f32> {
    let channel = |c| image.rgb.iter().skip(c).step_by(3).map(|&u| normalised(u));
    (0..3).flat_map(channel).collect()
}

/// y and x of patch centres (the longer side spans -1 to 1), then sines and cosines of both, `[patches, 18]`.
#[expect(clippy::cast_precision_loss, reason = "grids are small")]
fn position_table([rows, columns]: [usize; 2]) -> Vec<f32> {
    let longest = rows.max(columns) as f32;
    let centre = |i: usize, n: usize| (i as f32 + 0.5 - n as f32 / 2.0) * 2.0 / longest;
    let mut table = Vec::with_capacity(rows * columns * POSITION_INPUTS);
    for row in 0..rows {
        for column in 0..columns {
            let place = [centre(row, rows), centre(column, columns)];
            table.extend(place);
            for frequency in FREQUENCIES {
                table.extend(place.map(|p| (p * PI * frequency).sin()));
                table.extend(place.map(|p| (p * PI * frequency).cos()));
            }
        }
    }
    table
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn position_table_is_symmetric_about_the_centre() {
        let table = position_table([2, 4]);
        let (first, last) = (&table[..POSITION_INPUTS], &table[7 * POSITION_INPUTS..]);
        assert_eq!(first[..2], [-0.25, -0.75]);
        assert_eq!(last[..2], [0.25, 0.75]);
        // The cosines of opposite places agree, the sines are negated.
        for i in (2..POSITION_INPUTS).step_by(4) {
            assert!((first[i] + last[i]).abs() < 1e-6 && (first[i + 2] - last[i + 2]).abs() < 1e-6);
        }
    }

    #[test]
    fn map_and_patches_hold_the_same_pixels() {
        let rgb: Vec<u8> = (0..16 * 32 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let image = RgbImage { width: 32, height: 16, rgb };
        let patches = image_patches(&image, [1, 2], 16, &Device::flex());
        let (map, patches) = (normalised_map(&image), patches.into_data().try_into_vec::<f32>().unwrap());
        // Second patch, blue, row 3, column 5.
        assert_eq!(map[2 * 512 + 3 * 32 + 21], patches[768 + 512 + 3 * 16 + 5]);
    }
}
