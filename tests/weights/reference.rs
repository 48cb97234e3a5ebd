//! The reference files: tiny checkpoint, tiny weights, and the tensor list of the released model.

use std::collections::BTreeMap;

use half::f16;
use point3r::model::Config;
use point3r::weights::{
    Accounting, Checkpoint, Storage, convert_checkpoint, formula_preset, formula_values, infer_config, load_folder,
};

use crate::support::{about, cpu, shared, take};

fn tiny_config() -> Option<Config> {
    Some(Config::from_json(&std::fs::read_to_string(shared("golden/tiny/config.json")?).unwrap()).unwrap())
}

#[test]
fn the_formula_makes_the_reference_weights() {
    let (Some(config), Some(path)) = (tiny_config(), shared("golden/tiny/weights.safetensors")) else { return };
    let preset = formula_preset("tiny").unwrap();
    assert_eq!(Config { image_size: config.image_size, ..preset.clone() }, config);
    let reference = Checkpoint::open(&path).unwrap();
    let specs = preset.parameters();
    assert_eq!(reference.tensors().len(), specs.len());
    for spec in specs {
        let want = reference.values(&spec.name).unwrap();
        assert!(formula_values(&spec.name, &spec.shape, &preset) == want, "{}", spec.name);
    }
}

#[test]
fn the_tiny_checkpoint_converts_to_the_reference_weights_tensor_by_tensor() {
    let (Some(config), Some(pth), Some(weights)) =
        (tiny_config(), shared("golden/tiny/checkpoint.pth"), shared("golden/tiny/weights.safetensors"))
    else {
        return;
    };
    let checkpoint = Checkpoint::open(&pth).unwrap();
    let reference = Checkpoint::open(&weights).unwrap();
    let accounting = Accounting::new(&config, checkpoint.keys()).unwrap();
    accounting.require(false).unwrap();
    assert_eq!(accounting.aliases.len(), 8);
    assert_eq!(accounting.total, accounting.used.len() + accounting.unused.len() + accounting.aliases.len());
    // The reference weights are half precision already, so both precisions must give them exactly.
    for precision in [Storage::F32, Storage::F16] {
        let dir = tempfile::tempdir().unwrap();
        let about = about(&config, precision);
        let converted = convert_checkpoint(&checkpoint, &accounting, about, dir.path(), false, &mut |_, _| {}).unwrap();
        assert!(converted.kept_f32.is_empty());
        let (manifest, mut parameters) = load_folder(dir.path(), &cpu(), &mut |_, _| {}).unwrap();
        assert_eq!(manifest.tensors.len(), accounting.used.len());
        for tensor in &manifest.tensors {
            let want = reference.values(&tensor.name).unwrap();
            assert!(take(&mut parameters, &tensor.name, &tensor.shape) == want, "{}", tensor.name);
        }
    }
}

#[test]
fn the_tiny_config_is_told_from_the_checkpoint_alone() {
    let (Some(config), Some(pth)) = (tiny_config(), shared("golden/tiny/checkpoint.pth")) else { return };
    let checkpoint = Checkpoint::open(&pth).unwrap();
    for text in [checkpoint.model_text(), None] {
        let inferred = infer_config(checkpoint.keys(), text).unwrap();
        let found = Config {
            image_size: config.image_size,
            weight_generator: config.weight_generator.clone(),
            ..inferred.config
        };
        assert_eq!(found, config);
    }
    assert!(checkpoint.model_text().is_some_and(|text| text.contains("img_size=(64, 64)")));
}

/// Shapes by name, and aliases, of the released checkpoint.
fn released_list() -> Option<(BTreeMap<String, Vec<usize>>, usize)> {
    let text = std::fs::read_to_string(shared("spec/point3r-512-tensors.csv")?).unwrap();
    let mut shapes = BTreeMap::new();
    let mut aliases = 0;
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let shape = fields[1].split('x').map(|d| d.parse().unwrap()).collect();
        aliases += usize::from(!fields[4].is_empty());
        assert!(shapes.insert(fields[0].to_owned(), shape).is_none(), "{line}");
    }
    Some((shapes, aliases))
}

#[test]
fn the_released_config_accounts_for_every_key_of_the_released_checkpoint() {
    let Some((shapes, aliases)) = released_list() else { return };
    assert_eq!((shapes.len(), aliases), (1231, 8));
    let config = Config::released();
    let accounting = Accounting::new(&config, shapes.iter().map(|(k, s)| (k.as_str(), s.as_slice()))).unwrap();
    accounting.require(false).unwrap();
    assert_eq!(accounting.used.len() + accounting.unused.len(), 1223);
    assert_eq!(accounting.aliases.len(), 8);
    for spec in config.parameters() {
        assert_eq!(shapes.get(&spec.name), Some(&spec.shape), "{}", spec.name);
    }
    // The released file has no config beside it: its shapes are enough.
    let inferred = infer_config(shapes.iter().map(|(k, s)| (k.as_str(), s.as_slice())), None).unwrap();
    assert_eq!(inferred.config, config);
}

#[test]
fn values_beyond_half_precision_are_kept_as_f32() {
    use crate::support::{Stored, all_tensors, micro, write_checkpoint};
    let config = micro();
    let mut tensors = all_tensors(&config);
    let big = "enc_blocks.0.mlp.fc1.weight";
    let shape = tensors[big].shape.clone();
    let mut values = vec![0.5f32; shape.iter().product()];
    values[3] = 1e6;
    tensors.insert(big.into(), Stored::f32(&shape, &values));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    write_checkpoint(&path, &tensors);
    let checkpoint = Checkpoint::open(&path).unwrap();
    let accounting = Accounting::new(&config, checkpoint.keys()).unwrap();
    let out = dir.path().join("out");
    let about = about(&config, Storage::F16);
    let converted = convert_checkpoint(&checkpoint, &accounting, about, &out, false, &mut |_, _| {}).unwrap();
    assert_eq!(converted.kept_f32, [big]);
    let (_, mut parameters) = load_folder(&out, &cpu(), &mut |_, _| {}).unwrap();
    assert_eq!(take(&mut parameters, big, &shape), values);
    assert!(f16::from_f32(1e6).is_infinite());
}
