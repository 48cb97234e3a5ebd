//! Checkpoints that are incomplete, foreign, damaged or hostile.

use std::io::Write;
use std::path::Path;

use point3r::weights::{Accounting, Checkpoint, Storage, WeightsError, convert_checkpoint};
use safetensors::tensor::Dtype;

use crate::support::{Stored, about, all_tensors, micro, shared, write_checkpoint};

/// Opens a checkpoint of the micro network after one change, accounts for it and converts it.
fn convert(change: impl FnOnce(&mut std::collections::BTreeMap<String, Stored>)) -> Result<Accounting, WeightsError> {
    let dir = tempfile::tempdir().unwrap();
    let config = micro();
    let mut tensors = all_tensors(&config);
    change(&mut tensors);
    let path = dir.path().join("checkpoint.safetensors");
    write_checkpoint(&path, &tensors);
    let checkpoint = Checkpoint::open(&path)?;
    let accounting = Accounting::new(&config, checkpoint.keys())?;
    accounting.require(false)?;
    let about = about(&config, Storage::F32);
    convert_checkpoint(&checkpoint, &accounting, about, &dir.path().join("out"), false, &mut |_, _| {})?;
    Ok(accounting)
}

const ALIAS: &str = "downstream_head.dpt_self.scratch.layer_rn.0.weight";
const CANONICAL: &str = "downstream_head.dpt_self.scratch.layer1_rn.weight";

#[test]
fn prefixed_keys_and_second_names_are_understood() {
    let accounting = convert(|tensors| {
        let copy = tensors[CANONICAL].clone();
        tensors.insert(ALIAS.into(), copy);
        *tensors = std::mem::take(tensors).into_iter().map(|(k, t)| (format!("module.{k}"), t)).collect();
    })
    .unwrap();
    assert_eq!(accounting.aliases.len(), 1);
    assert_eq!(accounting.source_of(CANONICAL), Some(format!("module.{CANONICAL}").as_str()));
    // The second name alone is enough.
    convert(|tensors| {
        let only = tensors.remove(CANONICAL).unwrap();
        tensors.insert(ALIAS.into(), only);
    })
    .unwrap();
}

#[test]
fn a_second_name_with_other_values_is_an_error() {
    let error = convert(|tensors| {
        let mut copy = tensors[CANONICAL].clone();
        copy.bytes[0] ^= 1;
        tensors.insert(ALIAS.into(), copy);
    })
    .unwrap_err();
    assert!(matches!(error, WeightsError::AliasDiffers { .. }), "{error}");
}

#[test]
fn the_same_tensor_with_and_without_prefix_is_an_error() {
    let error = convert(|tensors| {
        let copy = tensors[CANONICAL].clone();
        tensors.insert(format!("module.{CANONICAL}"), copy);
    })
    .unwrap_err();
    assert!(matches!(error, WeightsError::Duplicate { .. }), "{error}");
}

#[test]
fn missing_foreign_and_misshapen_tensors_are_counted() {
    let error = convert(|tensors| {
        tensors.remove("enc_norm.bias");
        tensors.insert("extra".into(), Stored::f32(&[1], &[0.0]));
        tensors.insert("enc_norm.weight".into(), Stored::f32(&[2], &[0.0; 2]));
    })
    .unwrap_err();
    assert!(matches!(error, WeightsError::Accounting { missing: 1, wrong_shape: 1, unexpected: 1 }), "{error}");
    assert_eq!(error.code(), "tensor-shape");
}

#[test]
fn parameters_that_cannot_matter_may_be_absent() {
    let accounting = convert(|tensors| drop(tensors.remove("dec_norm_memory.bias"))).unwrap();
    assert!(accounting.missing.is_empty());
    assert!(!accounting.unused.contains(&"dec_norm_memory.bias".to_owned()));
}

#[test]
fn bf16_and_f16_are_weights_and_integers_are_not() {
    let stored = |dtype: Dtype| {
        move |tensors: &mut std::collections::BTreeMap<String, Stored>| {
            let bias = tensors.get_mut("enc_norm.bias").unwrap();
            bias.dtype = dtype;
            bias.bytes.truncate(bias.bytes.len() / 2);
            bias.bytes.fill(0);
        }
    };
    convert(stored(Dtype::BF16)).unwrap();
    convert(stored(Dtype::F16)).unwrap();
    let error = convert(stored(Dtype::I16)).unwrap_err();
    assert!(matches!(error, WeightsError::Dtype { .. }), "{error}");
}

#[test]
fn values_that_are_not_numbers_are_refused() {
    for value in [f32::NAN, f32::INFINITY] {
        let error = convert(|tensors| {
            tensors.get_mut("enc_norm.bias").unwrap().bytes[..4].copy_from_slice(&value.to_le_bytes());
        })
        .unwrap_err();
        assert!(matches!(error, WeightsError::NotFinite { .. }), "{error}");
    }
}

/// Writes a zip file with one pickle, as `torch.save` lays it out.
fn write_pickle(path: &Path, pickle: &[u8]) {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("checkpoint/data.pkl", options).unwrap();
    archive.write_all(pickle).unwrap();
    archive.finish().unwrap();
}

fn open_error(path: &Path) -> WeightsError {
    match Checkpoint::open(path) {
        Ok(_) => panic!("{} must be refused", path.display()),
        Err(error) => error,
    }
}

#[test]
fn pickles_that_ask_for_calls_are_refused_and_nothing_runs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hostile.pth");
    let witness = dir.path().join("ran");
    let command = format!("touch {}", witness.display());
    let with_length = |text: &str| [&u32::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat();
    let argument = [b"X".to_vec(), with_length(&command), vec![0x85]].concat();
    let pickles: [(&str, Vec<u8>); 4] = [
        // The classic: GLOBAL, argument, REDUCE.
        ("os.system", [b"\x80\x02cos\nsystem\n".to_vec(), argument.clone(), b"R.".to_vec()].concat()),
        // Dropped from the stack before the innocent result.
        ("posix.system", [b"\x80\x02cposix\nsystem\n".to_vec(), argument.clone(), b"R0}.".to_vec()].concat()),
        // Protocol 4 spelling.
        (
            "subprocess.call",
            [b"\x80\x04\x8c\x0asubprocess\x8c\x04call\x93".to_vec(), argument.clone(), b"R.".to_vec()].concat(),
        ),
        // Built-in function as a dictionary value beside the weights.
        (
            "builtins.eval",
            [b"\x80\x02}X\x05\x00\x00\x00modelcbuiltins\neval\n".to_vec(), argument, b"Rs.".to_vec()].concat(),
        ),
    ];
    for (name, pickle) in pickles {
        write_pickle(&path, &pickle);
        match open_error(&path) {
            WeightsError::UnsafePickle { global, .. } => assert_eq!(global, name),
            other => panic!("{name}: {other}"),
        }
        assert!(!witness.exists(), "{name} was run");
    }
}

#[test]
fn pickles_that_lie_about_lengths_or_loop_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hostile.pth");
    let nested = [vec![b']'; 100_000], vec![b'a'; 99_999], vec![b'.']].concat();
    for pickle in [
        &b"\x80\x02X\xff\xff\xff\xffabc."[..],
        b"\x80\x02\x8e\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"\x80\x02h\x07.",
        b"\x80\x02",
        b"",
        b"\x80\x02}.",
        b"\x80\x02\x97.",
        &nested,
    ] {
        write_pickle(&path, pickle);
        let error = open_error(&path);
        assert!(matches!(error, WeightsError::Checkpoint { .. }), "{error}");
        assert_eq!(error.code(), "unsupported-file");
    }
}

#[test]
fn files_that_are_no_checkpoints_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.pth");
    for bytes in [
        &b""[..],
        b"<!DOCTYPE html><html>",
        b"PK\x05\x06",
        b"PK\x03\x04garbage",
        &[0x80; 64],
        b"\xff\xff\xff\xff\xff\xff\xff\xff{}",
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = open_error(&path);
        assert!(matches!(error, WeightsError::Checkpoint { .. }), "{error}");
    }
    assert!(matches!(open_error(&dir.path().join("absent.pth")), WeightsError::NotFound { .. }));
}

#[test]
fn truncated_safetensors_and_wrong_offsets_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    write_checkpoint(&path, &all_tensors(&micro()));
    let whole = std::fs::read(&path).unwrap();
    for length in [9, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(open_error(&path), WeightsError::Checkpoint { .. }), "{length}");
    }
    for header in [
        r#"{"a":{"dtype":"F32","shape":[18446744073709551615,4],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}}"#,
        r#"{"a":{"dtype":"XX","shape":[1],"data_offsets":[0,4]}}"#,
    ] {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&[0; 8]);
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(open_error(&path), WeightsError::Checkpoint { .. }), "{header}");
    }
}

#[test]
fn a_truncated_or_flipped_pth_is_refused() {
    let Some(pth) = shared("golden/tiny/checkpoint.pth") else { return };
    let whole = std::fs::read(pth).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint.pth");
    for length in [4, 1000, whole.len() / 2, whole.len() - 10] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(open_error(&path), WeightsError::Checkpoint { .. }), "{length}");
    }
    // A flipped bit inside a storage: its checksum in the zip file tells.
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0x10;
    std::fs::write(&path, &flipped).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    let outcome = checkpoint.tensors().keys().try_for_each(|key| checkpoint.bytes(key).map(drop));
    assert!(matches!(outcome, Err(WeightsError::Checkpoint { .. })));
}
