//! Folder to parameters: what is written is what is loaded, and damage is found.

use half::f16;
use point3r::model::Config;
use point3r::weights::{
    Loader, MAX_SHARD_BYTES, Manifest, Source, Storage, WeightsError, check_folder, formula_values, load_folder,
    read_manifest,
};
use safetensors::SafeTensors;

use crate::support::{cpu, folder, micro, shard, take};

/// Loads a folder and compares every parameter with `expected(name, shape, values)`.
fn compare(precision: Storage, expected: impl Fn(&[usize], f32) -> f32) {
    let dir = tempfile::tempdir().unwrap();
    let config = micro();
    folder(dir.path(), &config, precision);
    let mut seen = Vec::new();
    let (manifest, mut parameters) =
        load_folder(dir.path(), &cpu(), &mut |done, total| seen.push((done, total))).unwrap();
    assert_eq!(manifest.config, config);
    assert_eq!(seen.last(), Some(&(manifest.bytes(), manifest.bytes())));
    for spec in config.parameters().into_iter().filter(|spec| spec.used) {
        let want: Vec<f32> =
            formula_values(&spec.name, &spec.shape, &config).into_iter().map(|v| expected(&spec.shape, v)).collect();
        assert_eq!(take(&mut parameters, &spec.name, &spec.shape), want, "{}", spec.name);
    }
}

#[test]
fn f32_folder_holds_the_exact_values() {
    compare(Storage::F32, |_, value| value);
}

#[test]
fn f16_folder_holds_half_rounded_matrices_and_exact_vectors() {
    compare(Storage::F16, |shape, value| if shape.len() > 1 { f16::from_f32(value).to_f32() } else { value });
}

#[test]
fn shards_are_safetensors_files_of_at_most_32_mib_that_match_the_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = folder(dir.path(), &micro(), Storage::F16);
    for (index, entry) in manifest.shards.iter().enumerate() {
        let bytes = shard(dir.path(), &manifest, index);
        assert_eq!(bytes.len() as u64, entry.bytes);
        assert!(entry.bytes <= MAX_SHARD_BYTES);
        let file = SafeTensors::deserialize(&bytes).unwrap();
        for tensor in manifest.tensors.iter().filter(|t| t.pieces[0].shard == index) {
            let [start, end] = tensor.pieces[0].range.map(|b| usize::try_from(b).unwrap());
            assert_eq!(file.tensor(&tensor.name).unwrap().data(), &bytes[start..end], "{}", tensor.name);
            assert_eq!(file.tensor(&tensor.name).unwrap().shape(), tensor.shape);
        }
    }
    check_folder(dir.path(), &manifest, &mut |_, _| {}).unwrap();
}

/// A network with one tensor larger than a shard, whose first dimension is 1.
fn wide() -> Config {
    let mut config = micro();
    config.pose_memory.slots = Some(16_384);
    (config.dec_embed_dim, config.dec_num_heads, config.memory_dec_num_heads) = (288, 1, 1);
    (config.pose_memory.dim, config.pose_memory.heads) = (Some(576), 1);
    let head = &mut config.memory_attn_head;
    (head.in_dim, head.hidden) = (320, 320);
    config.validate().unwrap();
    config
}

#[test]
fn a_tensor_larger_than_a_shard_is_cut_into_rows_and_joined_in_any_shard_order() {
    let dir = tempfile::tempdir().unwrap();
    let config = wide();
    let manifest = folder(dir.path(), &config, Storage::F32);
    let entry = manifest.tensors.iter().find(|t| t.name == "pose_retriever.mem").unwrap();
    assert!(entry.pieces.len() > 1, "{entry:?}");
    assert!(manifest.shards.iter().all(|s| s.bytes <= MAX_SHARD_BYTES));
    check_folder(dir.path(), &manifest, &mut |_, _| {}).unwrap();
    let shape = entry.shape.clone();
    let mut loader = Loader::new(manifest.clone(), &cpu());
    for index in (0..manifest.shards.len()).rev() {
        loader.add_shard(index, &shard(dir.path(), &manifest, index)).unwrap();
    }
    let (_, mut parameters) = loader.finish().unwrap();
    let want = formula_values("pose_retriever.mem", &shape, &config);
    assert!(take(&mut parameters, "pose_retriever.mem", &shape) == want);
}

/// A folder, its manifest and its first shard.
fn one_shard() -> (tempfile::TempDir, Manifest, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let manifest = folder(dir.path(), &micro(), Storage::F16);
    let bytes = shard(dir.path(), &manifest, 0);
    (dir, manifest, bytes)
}

/// Counts the largest part that is asked for.
struct Counting<'b>(&'b [u8], std::cell::Cell<usize>);

impl Source for Counting<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
        self.1.set(self.1.get().max(length));
        self.0.read_at(offset, length)
    }
}

#[test]
fn a_shard_is_read_by_windows_and_single_tensors() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = folder(dir.path(), &Config::small(), Storage::F32);
    let largest = manifest.tensors.iter().flat_map(|t| &t.pieces).map(|p| p.range[1] - p.range[0]).max().unwrap();
    let mut loader = Loader::new(manifest.clone(), &cpu());
    for index in 0..manifest.shards.len() {
        let bytes = shard(dir.path(), &manifest, index);
        let source = Counting(&bytes, std::cell::Cell::default());
        loader.add_shard_from(index, &source).unwrap();
        assert!(source.1.get() as u64 <= largest.max(1 << 20), "{}", source.1.get());
    }
    loader.finish().unwrap();
}

/// A source that lies about its length, as a file that shrinks while it is read.
struct Shrinking(u64);

impl Source for Shrinking {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, _: u64, _: usize) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }
}

#[test]
fn a_file_that_shrinks_is_an_error_and_can_be_given_again() {
    let (_dir, manifest, bytes) = one_shard();
    let mut loader = Loader::new(manifest, &cpu());
    let error = loader.add_shard_from(0, &Shrinking(bytes.len() as u64)).unwrap_err();
    assert!(matches!(error, WeightsError::Io { .. }), "{error}");
    loader.add_shard(0, &bytes).unwrap();
    loader.finish().unwrap();
}

#[test]
fn a_truncated_shard_is_refused_and_can_be_given_again() {
    let (_dir, manifest, bytes) = one_shard();
    let mut loader = Loader::new(manifest, &cpu());
    let error = loader.add_shard(0, &bytes[..bytes.len() - 1]).unwrap_err();
    assert!(matches!(error, WeightsError::ShardTruncated { .. }), "{error}");
    assert_eq!(error.code(), "shard-truncated");
    loader.add_shard(0, &bytes).unwrap();
    loader.add_shard(0, &bytes).unwrap();
    loader.finish().unwrap();
}

#[test]
fn a_flipped_bit_anywhere_in_a_shard_is_found() {
    let (_dir, manifest, bytes) = one_shard();
    for at in [0, 9, bytes.len() / 2, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let error = Loader::new(manifest.clone(), &cpu()).add_shard(0, &damaged).unwrap_err();
        assert!(matches!(error, WeightsError::HashMismatch { .. }), "{error}");
        assert_eq!(error.code(), "shard-damaged");
    }
}

#[test]
fn shards_that_do_not_exist_and_shards_that_are_missing_are_named() {
    let (_dir, manifest, bytes) = one_shard();
    let mut loader = Loader::new(manifest, &cpu());
    assert!(matches!(loader.add_shard(7, &bytes), Err(WeightsError::NoSuchShard { index: 7, .. })));
    assert!(matches!(loader.finish(), Err(WeightsError::Incomplete { missing: 1, count: 1 })));
}

#[test]
fn a_folder_without_manifest_or_shard_is_not_a_model() {
    let (dir, manifest, bytes) = one_shard();
    let path = dir.path().join(&manifest.shards[0].file);
    let load = || load_folder(dir.path(), &cpu(), &mut |_, _| {}).unwrap_err();
    std::fs::write(&path, &bytes[..100]).unwrap();
    assert_eq!(load().code(), "shard-truncated");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(load().code(), "model-not-found");
    std::fs::remove_file(dir.path().join("manifest.json")).unwrap();
    assert!(matches!(read_manifest(dir.path()), Err(WeightsError::NotFound { .. })));
}

#[test]
fn a_manifest_that_swaps_two_tensors_of_one_shape_is_found_by_the_check() {
    let (dir, mut manifest, _) = one_shard();
    let named = |name: &str| manifest.tensors.iter().position(|t| t.name == name).unwrap();
    let (a, b) = (named("enc_blocks.0.norm1.weight"), named("enc_blocks.0.norm2.weight"));
    let pieces = manifest.tensors[a].pieces.clone();
    manifest.tensors[a].pieces = std::mem::replace(&mut manifest.tensors[b].pieces, pieces);
    let swapped = Manifest::from_json(&manifest.to_json().unwrap()).unwrap();
    let error = check_folder(dir.path(), &swapped, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, WeightsError::ByteRange { .. }), "{error}");
}
