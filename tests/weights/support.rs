//! Small networks, folders and files for the tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use point3r::model::Config;
use point3r::weights::{About, Manifest, Mix, Parameters, Storage, convert_formula, formula_preset, formula_values};
use safetensors::tensor::{Dtype, TensorView};

/// Reference material: `POINT3R_SHARED`, or `shared` beside the checkout. Prints why a test is skipped.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("POINT3R_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is absent (set POINT3R_SHARED)", path.display());
    None
}

/// The smallest network with every kind of tensor: half a million values.
pub(crate) fn micro() -> Config {
    let mut config = formula_preset("tiny").unwrap();
    (config.enc_embed_dim, config.enc_depth, config.enc_num_heads) = (32, 1, 1);
    (config.dec_embed_dim, config.dec_num_heads, config.memory_dec_num_heads) = (48, 1, 1);
    (config.value_encoder.dim, config.value_encoder.depth, config.value_encoder.heads) = (Some(32), 1, 1);
    (config.pose_memory.dim, config.pose_memory.heads) = (Some(96), 1);
    config.final_transform.heads = 1;
    config.dpt.layer_dims = [6, 8, 10, 12];
    (config.dpt.feature_dim, config.dpt.last_dim) = (8, 4);
    let head = &mut config.memory_attn_head;
    (head.in_dim, head.hidden, head.out) = (80, 80, 32);
    if let Some(generator) = &mut config.weight_generator {
        generator.rounded_to = None;
    }
    config.validate().unwrap();
    config
}

pub(crate) fn about(config: &Config, precision: Storage) -> About {
    About {
        name: "test".into(),
        licence: "MIT OR Apache-2.0".into(),
        source: "weight formula".into(),
        source_sha256: None,
        trained: false,
        config: config.clone(),
        precision,
        mix: Mix::of(precision),
    }
}

/// A model folder of formula weights.
pub(crate) fn folder(dir: &Path, config: &Config, precision: Storage) -> Manifest {
    convert_formula(about(config, precision), dir, false, &mut |_, _| {}).unwrap().manifest
}

/// The bytes of shard `index`.
pub(crate) fn shard(dir: &Path, manifest: &Manifest, index: usize) -> Vec<u8> {
    std::fs::read(dir.join(&manifest.shards[index].file)).unwrap()
}

/// The values of one loaded parameter.
pub(crate) fn take(parameters: &mut Parameters, name: &str, shape: &[usize]) -> Vec<f32> {
    macro_rules! read {
        ($($dim:ident),*) => {
            parameters.take(name, [$(*$dim),*]).unwrap().into_data().try_to_vec::<f32>().unwrap()
        };
    }
    match shape {
        [a] => read!(a),
        [a, b] => read!(a, b),
        [a, b, c] => read!(a, b, c),
        [a, b, c, d] => read!(a, b, c, d),
        _ => panic!("rank of {name}"),
    }
}

pub(crate) fn cpu() -> Device {
    Device::flex()
}

/// A tensor to be written into a `.safetensors` checkpoint.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

impl Stored {
    pub(crate) fn f32(shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { dtype: Dtype::F32, shape: shape.to_vec(), bytes }
    }
}

/// Every parameter of `config`, unused ones included, by the weight formula.
pub(crate) fn all_tensors(config: &Config) -> BTreeMap<String, Stored> {
    config
        .parameters()
        .into_iter()
        .map(|spec| {
            let values = formula_values(&spec.name, &spec.shape, config);
            (spec.name, Stored::f32(&spec.shape, &values))
        })
        .collect()
}

/// Writes a `.safetensors` checkpoint.
pub(crate) fn write_checkpoint(path: &Path, tensors: &BTreeMap<String, Stored>) {
    let views = tensors.iter().map(|(name, t)| (name, TensorView::new(t.dtype, t.shape.clone(), &t.bytes).unwrap()));
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}
