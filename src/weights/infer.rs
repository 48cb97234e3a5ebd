//! The config of a checkpoint that came without one.
//!
//! Widths, depths and slots are visible in the tensor shapes. Head counts, hooks and the image size are not:
//! they are read, as text, from the checkpoint's `args` where it says them (`enc_num_heads=16`), and otherwise
//! follow the standard head widths of this family (64, memory decoder 48, pose memory 128).

use std::collections::BTreeMap;

use super::WeightsError;
use crate::model::{Config, Stack, canonical_key};

/// Head widths of the released model, which all known models of the family share.
const HEAD: usize = 64;
const MEMORY_HEAD: usize = 48;
const POSE_MEMORY_HEAD: usize = 128;
/// Longest stack that is counted.
const MAX_BLOCKS: usize = 256;

/// A config told from a checkpoint, and how each invisible value was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// The network.
    pub config: Config,
    /// One line per value that shapes do not show.
    pub notes: Vec<String>,
}

/// Shapes by canonical key.
struct Shapes<'k>(BTreeMap<String, &'k [usize]>);

impl Shapes<'_> {
    fn dim(&self, key: &str, axis: usize) -> Result<usize, WeightsError> {
        self.0
            .get(key)
            .and_then(|shape| shape.get(axis))
            .copied()
            .ok_or_else(|| WeightsError::UnknownConfig { reason: format!("{key} is missing") })
    }

    /// Blocks `prefix.0`, `prefix.1`, ...
    fn depth(&self, prefix: &str, suffix: &str) -> usize {
        (0..MAX_BLOCKS).take_while(|i| self.0.contains_key(&format!("{prefix}.{i}.{suffix}"))).count()
    }

    fn mlp_ratio(&self, block: &str) -> Result<usize, WeightsError> {
        let fc1 = format!("{block}.mlp.fc1.weight");
        Ok(self.dim(&fc1, 0)? / self.dim(&fc1, 1)?.max(1))
    }
}

/// Tells the config from tensor shapes, with `args` (the checkpoint's model text) for what shapes do not show.
///
/// # Errors
/// When a tensor that fixes a size is missing, or the sizes are not a network.
pub fn infer_config<'k>(
    keys: impl IntoIterator<Item = (&'k str, &'k [usize])>,
    args: Option<&str>,
) -> Result<Inferred, WeightsError> {
    let shapes = Shapes(keys.into_iter().map(|(key, shape)| (canonical_key(key).0, shape)).collect());
    let mut notes = Vec::new();
    let mut heads = |name: &str, said: Option<&str>, width: usize, head: usize| {
        let value = said.and_then(|name| number(args?, name));
        if let Some(value) = value {
            notes.push(format!("{name} = {value} (from the checkpoint's args)"));
            return value;
        }
        let value = (width / head).max(1);
        notes.push(format!("{name} = {value} (standard head width {head}; not visible in the tensors)"));
        value
    };

    let e = shapes.dim("patch_embed.proj.weight", 0)?;
    let d = shapes.dim("decoder_embed.weight", 0)?;
    let released = Config::released();
    let channels = |i: usize| shapes.dim(&format!("patch_embed.convs.{i}.weight"), 0);
    let stem = match channels(0) {
        Ok(first) => Some([first, channels(1)?, channels(2)?, channels(3)?]),
        Err(_) => None,
    };
    let mut config = Config {
        patch_size: if stem.is_some() { released.patch_size } else { shapes.dim("patch_embed.proj.weight", 2)? },
        enc_embed_dim: e,
        enc_depth: shapes.depth("enc_blocks", "norm1.weight"),
        enc_num_heads: heads("enc_num_heads", Some("enc_num_heads"), e, HEAD),
        dec_embed_dim: d,
        dec_depth: shapes.depth("dec_blocks", "norm1.weight"),
        dec_num_heads: heads("dec_num_heads", Some("dec_num_heads"), d, HEAD),
        memory_dec_num_heads: heads("memory_dec_num_heads", Some("memory_dec_num_heads"), d, MEMORY_HEAD),
        mlp_ratio: shapes.mlp_ratio("enc_blocks.0")?,
        ..released.clone()
    };

    let value = shapes.dim("value_norm.weight", 0)?;
    config.value_encoder = Stack {
        depth: shapes.depth("value_encoder", "norm1.weight"),
        dim: Some(value),
        heads: heads("value_encoder.heads", Some("value_heads"), value, HEAD),
        mlp_ratio: shapes.mlp_ratio("value_encoder.0")?,
        slots: None,
    };
    let pose = shapes.dim("pose_retriever.mem", 2)?;
    config.pose_memory = Stack {
        depth: shapes.depth("pose_retriever.write_blocks", "norm1.weight"),
        dim: Some(pose),
        heads: heads("pose_memory.heads", Some("pose_memory_heads"), pose, POSE_MEMORY_HEAD),
        mlp_ratio: shapes.mlp_ratio("pose_retriever.write_blocks.0")?,
        slots: Some(shapes.dim("pose_retriever.mem", 1)?),
    };
    config.final_transform = Stack {
        depth: shapes.depth("downstream_head.final_transform", "attn.qkv.weight"),
        dim: None,
        heads: heads("final_transform.heads", Some("final_transform_heads"), d, HEAD),
        mlp_ratio: shapes.mlp_ratio("downstream_head.final_transform.0")?,
        slots: None,
    };

    let dense = "downstream_head.dpt_self";
    for (level, dim) in config.dpt.layer_dims.iter_mut().enumerate() {
        *dim = shapes.dim(&format!("{dense}.act_postprocess.{level}.0.weight"), 0)?;
    }
    config.dpt.feature_dim = shapes.dim(&format!("{dense}.scratch.layer1_rn.weight"), 0)?;
    config.dpt.last_dim = shapes.dim(&format!("{dense}.head.2.weight"), 0)?;
    let depth = config.dec_depth;
    config.dpt.hooks = [0, depth / 2, depth * 3 / 4, depth];
    notes.push(format!("dpt.hooks_decoder = {:?} (half, three quarters and all of dec_depth)", config.dpt.hooks));

    config.pose_head.mlp_ratio = shapes.mlp_ratio("downstream_head.pose_head")?;
    config.pose_head.out = shapes.dim("downstream_head.pose_head.mlp.fc2.weight", 0)?;
    config.memory_attn_head.in_dim = shapes.dim("memory_attn_head.0.weight", 1)?;
    config.memory_attn_head.hidden = shapes.dim("memory_attn_head.0.weight", 0)?;
    config.memory_attn_head.out = shapes.dim("memory_attn_head.2.weight", 0)?;

    match args.and_then(image_size) {
        Some(size) => {
            config.image_size = size;
            notes.push(format!("image_size = {size} (from the checkpoint's args)"));
        }
        None => notes.push(format!("image_size = {} (that of the released model)", config.image_size)),
    }
    config.encoder_position = shapes.dim("enc_pos.weight", 0).is_ok();
    config.dense_skip = shapes.dim(&format!("{dense}.skip.weight"), 0).is_ok();
    config.stem = stem;
    config.validate()?;
    Ok(Inferred { config, notes })
}

/// The integer in `name=12`, where `name` is a whole word.
fn number(text: &str, name: &str) -> Option<usize> {
    text.match_indices(name).find_map(|(at, _)| {
        let before = text.get(..at)?.chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return None;
        }
        leading_number(text.get(at + name.len()..)?.trim_start().strip_prefix('=')?)
    })
}

/// The longer side in `img_size=(512, 384)`.
fn image_size(text: &str) -> Option<usize> {
    let (_, rest) = text.split_once("img_size=(")?;
    let (inner, _) = rest.split_once(')')?;
    inner.split(',').filter_map(leading_number).max()
}

fn leading_number(text: &str) -> Option<usize> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_model_text_by_whole_name() {
        let text = "M(C(memory_dec_num_heads=4, dec_num_heads = 3, img_size=(512, 384), enc_num_heads=x))";
        assert_eq!(number(text, "dec_num_heads"), Some(3));
        assert_eq!(number(text, "memory_dec_num_heads"), Some(4));
        assert_eq!(number(text, "enc_num_heads"), None);
        assert_eq!(image_size(text), Some(512));
    }

    #[test]
    fn released_shapes_give_the_released_config() {
        let specs = Config::released().parameters();
        let inferred = infer_config(specs.iter().map(|s| (s.name.as_str(), s.shape.as_slice())), None).unwrap();
        assert_eq!(inferred.config, Config::released());
    }

    #[test]
    fn small_shapes_and_its_model_text_give_the_small_config() {
        let specs = Config::small().parameters();
        let text = "P(C(img_size=(128, 128), enc_num_heads=4, dec_num_heads=4, memory_dec_num_heads=4, \
                    value_heads=4, pose_memory_heads=4, final_transform_heads=4))";
        let found = infer_config(specs.iter().map(|s| (s.name.as_str(), s.shape.as_slice())), Some(text)).unwrap();
        assert_eq!(found.config, Config { weight_generator: None, ..Config::small() });
    }
}
