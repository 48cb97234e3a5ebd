//! What a model needs is known before it is loaded, and how large a checkpoint becomes before it is converted.

use point3r::weights::{About, Manifest, Mix, Room, Storage, WeightsError};

use crate::support::{about, folder, micro};

fn manifest() -> Manifest {
    folder(&tempfile::tempdir().unwrap().path().join("model"), &micro(), Storage::Int8)
}

fn refused(manifest: &Manifest, room: &Room) -> String {
    match manifest.fits(room) {
        Ok(()) => panic!("{room:?} should be too small"),
        Err(error @ WeightsError::DoesNotFit { .. }) => {
            assert_eq!(error.code(), "model-too-large");
            error.to_string()
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_device_of_which_nothing_is_known_is_tried() {
    manifest().fits(&Room::default()).unwrap();
    manifest().fits(&Room { on_gpu: true, ..Room::default() }).unwrap();
}

#[test]
fn buffers_address_space_memory_and_features_are_compared() {
    let mut manifest = manifest();
    let room = Room {
        on_gpu: true,
        binding_bytes: Some(128 << 20),
        address_bytes: Some(4 << 30),
        memory_bytes: Some(8 << 30),
        features: vec!["shader-f16".into()],
    };
    manifest.fits(&room).unwrap();
    manifest.needs.max_binding_mib = 129;
    assert!(refused(&manifest, &room).contains("129 MiB"));
    manifest.fits(&Room { on_gpu: false, ..room.clone() }).unwrap();
    manifest.needs.max_binding_mib = 1;
    manifest.needs.gpu_mib = 5000;
    // On the GPU the weights are not in the program's own memory.
    manifest.fits(&room).unwrap();
    assert!(refused(&manifest, &Room { on_gpu: false, ..room.clone() }).contains("4096 MiB"));
    assert!(refused(&manifest, &Room { memory_bytes: Some(4 << 30), ..room.clone() }).contains("3072 MiB"));
    manifest.needs.gpu_mib = 1;
    manifest.needs.features = vec!["subgroups".into()];
    assert!(refused(&manifest, &room).contains("subgroups"));
}

#[test]
fn a_manifest_cannot_say_that_it_needs_less_than_its_tensors() {
    let mut manifest = manifest();
    manifest.needs = point3r::weights::Needs::default();
    refused(&manifest, &Room { on_gpu: true, binding_bytes: Some(1000), ..Room::default() });
    refused(&manifest, &Room { memory_bytes: Some(1 << 20), ..Room::default() });
}

#[test]
fn the_size_told_before_a_conversion_is_that_of_the_tensors_after_it() {
    for precision in [Storage::F32, Storage::F16, Storage::Int8, Storage::Int4] {
        let dir = tempfile::tempdir().unwrap();
        let config = micro();
        let told = About::of_checkpoint(config.clone(), "micro.pth", precision);
        assert_eq!((told.name.as_str(), told.source.as_str(), &told.mix), ("micro", "micro.pth", &Mix::of(precision)));
        let manifest = folder(dir.path(), &config, precision);
        assert_eq!(about(&config, precision).stored_bytes(), told.stored_bytes());
        // The rest are the headers of the shards.
        let headers = manifest.bytes() - told.stored_bytes();
        assert!(headers < 300 * manifest.tensors.len() as u64, "{headers}");
    }
}
