//! Which points a file holds, and what it says about the model that made them.

use std::sync::Arc;

use point3r::{
    cloud::{Chunk, Cloud, FLAG_EDGE, FLAG_SKY},
    export::{ExportOptions, Format, Reconstruction, estimate::estimate},
    session::ModelNote,
};

use crate::known::{self, file, files};

/// Of every ten points of the known scene two float at an edge, one is sky.
fn doubtful() -> (Reconstruction, usize) {
    let known = known::scene();
    let mut cloud = Cloud::default();
    for chunk in known.cloud.chunks() {
        let flag = |i: usize| [FLAG_EDGE, FLAG_EDGE, FLAG_SKY].get(i % 10).copied().unwrap_or(0);
        cloud.push(Chunk { flags: (0..chunk.points.len()).map(flag).collect(), ..Chunk::clone(Arc::as_ref(chunk)) });
    }
    let count = cloud.point_count();
    assert_eq!(count % 10, 0);
    (Reconstruction { cloud, ..known }, count)
}

fn number_after(text: &[u8], word: &str) -> usize {
    let text = String::from_utf8_lossy(text);
    let rest = text.split(word).nth(1).unwrap_or_else(|| panic!("no {word}"));
    rest.trim_start().split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[test]
fn points_floating_at_edges_and_sky_are_left_out_where_that_is_asked_for() {
    let (scene, count) = doubtful();
    for (hide_edges, hide_sky, tenths) in [(false, false, 10), (true, false, 8), (false, true, 9), (true, true, 7)] {
        let options = ExportOptions { hide_edges, hide_sky, max_points: usize::MAX, ..ExportOptions::default() };
        let wanted = count / 10 * tenths;
        let ply = file(&files(&scene, Format::Ply, &options).unwrap(), "cloud.ply");
        assert_eq!(number_after(&ply, "element vertex "), wanted);
        let glb = file(&files(&scene, Format::Glb, &options).unwrap(), "scene.glb");
        let read = point3r::scene::read(&glb, &point3r::scene::Limits::default()).unwrap();
        assert_eq!(read.cloud.point_count(), wanted);
        let colmap = file(&files(&scene, Format::Colmap, &options).unwrap(), "sparse/0/points3D.bin");
        assert_eq!(u64::from_le_bytes(*colmap.first_chunk().unwrap()) as usize, wanted);
        let studio = file(&files(&scene, Format::Nerfstudio, &options).unwrap(), "sparse_pc.ply");
        assert_eq!(number_after(&studio, "element vertex "), wanted);
        let bytes = estimate(&scene, Format::Ply, &options).unwrap();
        assert!((bytes - ply.len() as f64).abs() < 0.02 * bytes, "{bytes} {}", ply.len());
    }
}

#[test]
fn files_say_which_model_made_them_and_warn_of_untrained_weights() {
    let options = ExportOptions { title: "Room".to_owned(), comments: vec!["mine".to_owned()], ..Default::default() };
    let said = |model: Option<ModelNote>, format: Format, path: &str| {
        let scene = Reconstruction { model, ..known::scene() };
        String::from_utf8_lossy(&file(&files(&scene, format, &options).unwrap(), path)).into_owned()
    };
    let note = |trained| Some(ModelNote { name: "Small\nroom".to_owned(), trained });
    for (format, path) in [(Format::Ply, "cloud.ply"), (Format::Tum, "trajectory.tum"), (Format::MeshPly, "mesh.ply")] {
        let trained = said(note(Some(true)), format, path);
        assert!(trained.contains("model: Small room\n") && trained.contains("mine\n"), "{path}");
        assert!(!trained.contains("untrained"), "{path}");
        let untrained = said(note(Some(false)), format, path);
        assert!(untrained.contains("model: Small room\n") && untrained.contains("untrained weights"), "{path}");
        assert!(!said(note(None), format, path).contains("untrained"), "{path}: nobody knows");
        assert!(!said(None, format, path).contains("model:"), "{path}: no model made it");
    }
    let title = |trained| said(note(trained), Format::Glb, "scene.glb");
    assert!(title(Some(true)).contains(r#""title":"Room""#));
    assert!(title(Some(false)).contains(r#""title":"Room - untrained weights"#));
}
