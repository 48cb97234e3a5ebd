//! Manifests that lie: each lie has its name, and none of them panics or allocates what it claims.

use std::sync::LazyLock;

use point3r::weights::{Manifest, Storage, WeightsError};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{folder, micro};

static GOOD: LazyLock<Value> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let manifest = folder(dir.path(), &micro(), Storage::F16);
    serde_json::to_value(manifest).unwrap()
});

/// The error of a good manifest after one change.
fn error(change: impl FnOnce(&mut Value)) -> WeightsError {
    let mut manifest = GOOD.clone();
    change(&mut manifest);
    Manifest::from_json(&manifest.to_string()).expect_err("the change must be noticed")
}

macro_rules! assert_error {
    ($error:expr, $pattern:pat, $code:literal) => {
        let error = $error;
        assert!(matches!(error, $pattern), "{error:?}");
        assert_eq!(error.code(), $code);
    };
}

#[test]
fn a_written_manifest_reads_back_equal() {
    let text = GOOD.to_string();
    let manifest = Manifest::from_json(&text).unwrap();
    assert_eq!(serde_json::to_value(&manifest).unwrap(), *GOOD);
    assert!(manifest.needs.gpu_mib > 0 && manifest.needs.wasm_mib > 0 && manifest.needs.max_binding_mib > 0);
}

#[test]
fn formats_and_storages_of_newer_programs_are_named_as_such() {
    assert_error!(error(|m| m["format"] = json!(2)), WeightsError::NewerProgram { .. }, "unsupported-file");
    assert_error!(error(|m| m["precision"] = json!("int2")), WeightsError::Manifest { .. }, "manifest-invalid");
    assert_error!(
        error(|m| m["tensors"][0]["storage"] = json!("int2")),
        WeightsError::Manifest { .. },
        "manifest-invalid"
    );
    // A newer format need not even have today's fields.
    assert!(matches!(Manifest::from_json(r#"{"format": 9}"#), Err(WeightsError::NewerProgram { .. })));
}

#[test]
fn tensors_that_are_not_those_of_the_config_are_refused() {
    assert_error!(
        error(|m| m["tensors"][0]["shape"] = json!([32, 3, 16, 17])),
        WeightsError::Shape { .. },
        "tensor-shape"
    );
    assert_error!(
        error(|m| m["tensors"][0]["shape"] = json!([u64::MAX, u64::MAX, 2])),
        WeightsError::Shape { .. },
        "tensor-shape"
    );
    let missing = error(|m| drop(m["tensors"].as_array_mut().unwrap().pop()));
    assert_error!(missing, WeightsError::Missing { .. }, "tensor-shape");
    let twice = error(|m| {
        let first = m["tensors"][0].clone();
        m["tensors"].as_array_mut().unwrap().push(first);
    });
    assert_error!(twice, WeightsError::Duplicate { .. }, "manifest-invalid");
    let renamed = error(|m| m["tensors"][0]["name"] = json!("no.such.tensor\u{1b}[2J"));
    assert!(!renamed.to_string().contains('\u{1b}'), "names from files must not reach the terminal raw");
    assert_error!(renamed, WeightsError::Unexpected { .. }, "tensor-shape");
    // A config of another size makes every shape a lie.
    assert_error!(error(|m| m["config"]["dpt"]["feature_dim"] = json!(16)), WeightsError::Shape { .. }, "tensor-shape");
}

#[test]
fn shard_names_cannot_leave_the_folder() {
    for name in [
        "../model.safetensors",
        "/etc/model.safetensors",
        "a/b.safetensors",
        "a\\b.safetensors",
        "..\\..\\x.safetensors",
        "C:x.safetensors",
        ".hidden.safetensors",
        "x..safetensors/../y.safetensors",
        "",
        "passwd",
        "nul\u{0}.safetensors",
        "https://example.org/x.safetensors",
    ] {
        assert_error!(
            error(|m| m["shards"][0]["file"] = json!(name)),
            WeightsError::ShardName { .. },
            "manifest-invalid"
        );
    }
}

#[test]
fn byte_ranges_must_lie_in_the_shard_and_fit_the_shape() {
    let end = GOOD["shards"][0]["bytes"].as_u64().unwrap();
    let [start, stop] = [0, 1].map(|i| GOOD["tensors"][0]["pieces"][0]["range"][i].as_u64().unwrap());
    let ranges = [
        [0, stop - start],
        [start, end + 2],
        [end, u64::MAX],
        [stop, start],
        [start, start],
        [start, stop - 1],
        [start, stop - 32],
        [start, stop + 32],
    ];
    for range in ranges {
        let wrong = error(|m| m["tensors"][0]["pieces"][0]["range"] = json!(range));
        assert_error!(wrong, WeightsError::ByteRange { .. }, "manifest-invalid");
    }
    let elsewhere = error(|m| m["tensors"][0]["pieces"][0]["shard"] = json!(99));
    assert_error!(elsewhere, WeightsError::ByteRange { .. }, "manifest-invalid");
    assert_error!(error(|m| m["tensors"][0]["pieces"] = json!([])), WeightsError::ByteRange { .. }, "manifest-invalid");
    let blocked = error(|m| m["tensors"][0]["block"] = json!(32));
    assert_error!(blocked, WeightsError::ByteRange { .. }, "manifest-invalid");
    let overlapping = error(|m| {
        let stolen = m["tensors"][2]["pieces"].clone();
        let shape = m["tensors"][2]["shape"].clone();
        let other = m["tensors"].as_array().unwrap().iter().rposition(|t| t["shape"] == shape).unwrap();
        assert_ne!(other, 2);
        m["tensors"][other]["pieces"] = stolen;
    });
    assert_error!(overlapping, WeightsError::ByteRange { .. }, "manifest-invalid");
}

#[test]
fn sizes_beyond_any_model_are_refused() {
    assert_error!(
        error(|m| m["shards"][0]["bytes"] = json!(u64::MAX)),
        WeightsError::TooLarge { .. },
        "manifest-invalid"
    );
    let many = error(|m| {
        let shard = m["shards"][0].clone();
        m["shards"] = Value::Array(vec![shard; 5000]);
    });
    assert_error!(many, WeightsError::TooLarge { .. }, "manifest-invalid");
    assert_error!(error(|m| m["name"] = json!("x".repeat(100_000))), WeightsError::TooLarge { .. }, "manifest-invalid");
    assert_error!(
        error(|m| m["config"]["enc_depth"] = json!(1e18 as u64)),
        WeightsError::Config(_),
        "manifest-invalid"
    );
    let long = format!("{}{}", " ".repeat(17 << 20), *GOOD);
    assert!(matches!(Manifest::from_json(&long), Err(WeightsError::TooLarge { .. })));
}

#[test]
fn texts_hashes_and_needs_are_checked() {
    for change in [
        json!({ "name": "" }),
        json!({ "name": "a\u{1b}[31m" }),
        json!({ "source_sha256": "abc" }),
        json!({ "needs": { "gpu_mib": 0, "max_binding_mib": 0, "features": [], "wasm_mib": 0 } }),
        json!({ "tensors": { "a": 1 } }),
        json!({ "trained": "yes" }),
        json!({ "format": 0 }),
        json!({ "format": -1 }),
    ] {
        let wrong = error(|m| m.as_object_mut().unwrap().extend(change.as_object().unwrap().clone()));
        assert_error!(wrong, WeightsError::Manifest { .. }, "manifest-invalid");
    }
    assert_error!(
        error(|m| m["shards"][0]["sha256"] = json!("ABC")),
        WeightsError::Manifest { .. },
        "manifest-invalid"
    );
    let twice = error(|m| {
        let shard = m["shards"][0].clone();
        m["shards"].as_array_mut().unwrap().push(shard);
    });
    assert_error!(twice, WeightsError::Manifest { .. }, "manifest-invalid");
    for text in ["", "null", "[]", "{", "\u{feff}{}", &"[".repeat(100_000)] {
        assert!(matches!(Manifest::from_json(text), Err(WeightsError::Manifest { .. })));
    }
}

/// Every place in a JSON value, by path.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, v)| places(v, &format!("{path}/{key}"), found)),
        // The first entries of a list stand for all.
        Value::Array(list) => {
            list.iter().take(3).enumerate().for_each(|(i, v)| places(v, &format!("{path}/{i}"), found))
        }
        _ => {}
    }
}

static PLACES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut found = Vec::new();
    places(&GOOD, "", &mut found);
    found
});

fn strange_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0u64..70_000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::collection::vec(any::<u64>(), 0..6).prop_map(Value::from),
        Just(json!({})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replaced_values_never_panic(at in any::<prop::sample::Index>(), value in strange_value()) {
        let mut manifest = GOOD.clone();
        *manifest.pointer_mut(at.get(PLACES.as_slice()).as_str()).unwrap() = value;
        // An accepted change must still describe itself consistently.
        if let Ok(manifest) = Manifest::from_json(&manifest.to_string()) {
            prop_assert!(manifest.bytes() < 1 << 35 && manifest.parameters() < 1 << 33);
        }
    }

    #[test]
    fn mutated_bytes_never_panic(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut text = GOOD.to_string().into_bytes();
        let start = at.index(text.len());
        let end = (start + bytes.len()).min(text.len());
        text.splice(start..end, bytes);
        let _ = Manifest::from_json(&String::from_utf8_lossy(&text));
        let _ = Manifest::from_json(&String::from_utf8_lossy(&text[..start]));
    }
}
