//! Packed folders: what is written is what is loaded, wherever shards are cut, and every lie has a name.

use std::path::Path;

use point3r::model::Config;
use point3r::quant::{Bits, quantise};
use point3r::weights::{
    Loader, Manifest, Matrix, Mix, Rule, Storage, WeightsError, check_folder, convert_formula, formula_values,
    load_folder,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{about, cpu, folder, micro, shard, take};

/// A folder where every matrix has the same storage.
fn uniform(dir: &Path, config: &Config, precision: Storage) -> Manifest {
    let mut about = about(config, precision);
    about.mix = Mix::uniform(precision);
    convert_formula(about, dir, false, &mut |_, _| {}).unwrap().manifest
}

#[test]
fn packed_matrices_load_as_they_were_packed_and_everything_else_as_before() {
    for (precision, bits) in [(Storage::Int8, Bits::Int8), (Storage::Int4, Bits::Int4)] {
        let dir = tempfile::tempdir().unwrap();
        let config = micro();
        let manifest = uniform(dir.path(), &config, precision);
        check_folder(dir.path(), &manifest, &mut |_, _| {}).unwrap();
        let (_, mut parameters) = load_folder(dir.path(), &cpu(), &mut |_, _| {}).unwrap();
        let mut packed = 0;
        for tensor in &manifest.tensors {
            let values = formula_values(&tensor.name, &tensor.shape, &config);
            if let [rows, input] = tensor.shape[..] {
                assert_eq!((tensor.storage, tensor.block), (precision, Some(32)));
                let Matrix::Packed(found) = parameters.take_matrix(&tensor.name, [rows, input]).unwrap() else {
                    panic!("{} is dense", tensor.name)
                };
                let expected = quantise(&values, input, bits);
                assert_eq!(found.q.into_data().try_into_vec::<u32>().unwrap(), expected.words);
                let scales: Vec<f32> = expected.scales.iter().map(|s| s.to_f32()).collect();
                assert_eq!(found.scale.into_data().try_into_vec::<f32>().unwrap(), scales);
                packed += 1;
            } else {
                assert!(matches!(tensor.storage, Storage::F32 | Storage::F16) && tensor.block.is_none());
                assert_eq!(take(&mut parameters, &tensor.name, &tensor.shape).len(), values.len());
            }
        }
        assert!(packed > 30);
    }
}

#[test]
fn rules_choose_the_storage_of_a_part() {
    let config = micro();
    let rules: Vec<Rule> = ["pose heads=f16", "enc_blocks.0.mlp=int8"].map(|r| r.parse().unwrap()).to_vec();
    let mix = Mix::uniform(Storage::Int4).with(&rules);
    let storage = |name: &str| {
        let spec = config.parameters().into_iter().find(|spec| spec.name == name).unwrap();
        mix.storage(&spec, &[])
    };
    assert_eq!(storage("downstream_head.pose_head.mlp.fc1.weight"), Storage::F16);
    assert_eq!(storage("enc_blocks.0.mlp.fc1.weight"), Storage::Int8);
    assert_eq!(storage("enc_blocks.0.attn.qkv.weight"), Storage::Int4);
    assert_eq!(storage("enc_blocks.0.mlp.fc1.bias"), Storage::F32);
    assert_eq!(storage("patch_embed.proj.weight"), Storage::F16);
    assert!("encoder".parse::<Rule>().is_err() && "encoder=int5".parse::<Rule>().is_err());
}

/// A packed folder, its manifest as JSON, and the place of its first packed tensor.
fn packed() -> (tempfile::TempDir, Value, usize) {
    let dir = tempfile::tempdir().unwrap();
    let manifest = uniform(dir.path(), &micro(), Storage::Int4);
    let at = manifest.tensors.iter().position(|t| t.storage == Storage::Int4).unwrap();
    (dir, serde_json::to_value(manifest).unwrap(), at)
}

#[test]
fn lies_about_packing_have_names() {
    let (_dir, good, at) = packed();
    let error = |change: &dyn Fn(&mut Value)| {
        let mut manifest = good.clone();
        change(&mut manifest["tensors"][at]);
        Manifest::from_json(&manifest.to_string()).expect_err("the change must be noticed")
    };
    for block in [json!(16), json!(64), json!(0), Value::Null] {
        let wrong = error(&|t| t["block"] = block.clone());
        assert!(matches!(wrong, WeightsError::Block { .. }), "{wrong}");
        assert_eq!(wrong.code(), "manifest-invalid");
    }
    // Other widths, no scales, scales cut short, an empty piece, values that claim to be dense.
    let [start, end] = [0, 1].map(|i| good["tensors"][at]["scale"][0]["range"][i].as_u64().unwrap());
    let lies: [&dyn Fn(&mut Value); 6] = [
        &|t| t["storage"] = json!("int8"),
        &|t| t["scale"] = json!([]),
        &|t| t["scale"][0]["range"] = json!([start, end - 2]),
        &|t| t["scale"][0]["range"] = json!([start, start]),
        &|t| t["pieces"][0]["range"] = json!([start, end]),
        &|t| t["storage"] = json!("f16"),
    ];
    for lie in lies {
        let wrong = error(lie);
        assert!(matches!(wrong, WeightsError::ByteRange { .. }), "{wrong}");
    }
    // Another network's manifest.
    let mut other = good.clone();
    other["config"]["enc_embed_dim"] = json!(64);
    assert!(Manifest::from_json(&other.to_string()).is_err());
    // A packed vector or kernel.
    let mut vector = good.clone();
    let name = |t: &Value| t["shape"].as_array().unwrap().len();
    let index = good["tensors"].as_array().unwrap().iter().position(|t| name(t) == 4).unwrap();
    vector["tensors"][index]["storage"] = json!("int4");
    vector["tensors"][index]["block"] = json!(32);
    let wrong = Manifest::from_json(&vector.to_string()).unwrap_err();
    assert!(wrong.to_string().contains("only matrices"), "{wrong}");
}

#[test]
fn scales_that_are_negative_or_not_numbers_are_refused() {
    let (dir, good, at) = packed();
    let manifest = Manifest::from_json(&good.to_string()).unwrap();
    let bytes = shard(dir.path(), &manifest, 0);
    let place = usize::try_from(manifest.tensors[at].scale[0].range[0]).unwrap();
    for scale in [half::f16::NAN, half::f16::INFINITY, half::f16::from_f32(-0.5)] {
        let mut damaged = bytes.clone();
        damaged[place..place + 2].copy_from_slice(&scale.to_le_bytes());
        let mut manifest = manifest.clone();
        manifest.shards[0].sha256 = Sha256::digest(&damaged).iter().map(|b| format!("{b:02x}")).collect();
        let error = Loader::new(manifest, &cpu()).add_shard(0, &damaged).unwrap_err();
        assert!(matches!(error, WeightsError::Scale { .. }), "{error}");
        assert_eq!(error.code(), "damaged-file");
    }
}

#[test]
fn a_truncated_packed_shard_is_refused_and_can_be_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = folder(dir.path(), &micro(), Storage::Int8);
    let bytes = shard(dir.path(), &manifest, 0);
    let mut loader = Loader::new(manifest, &cpu());
    assert_eq!(loader.add_shard(0, &bytes[..bytes.len() - 4]).unwrap_err().code(), "shard-truncated");
    loader.add_shard(0, &bytes).unwrap();
    loader.finish().unwrap();
}
