//! `point3r eval` as a user meets it: every layout is read, known predictions score what they must, and unusable
//! data is one sentence that names the file.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use image::{ImageBuffer, Luma, Rgb, RgbImage};
use point3r::eval::layout::Layout;
use serde_json::Value;

const SIZE: (u32, u32) = (64, 48);

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn picture(path: &Path, size: (u32, u32)) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_fn(size.0, size.1, |x, y| Rgb([x as u8, y as u8, 9])).save(path).unwrap();
}

/// A 16-bit picture of `value(x, y)`.
fn depth(path: &Path, size: (u32, u32), value: impl Fn(u32, u32) -> u16) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    ImageBuffer::from_fn(size.0, size.1, |x, y| Luma([value(x, y)])).save(path).unwrap();
}

/// Depth of frame `i`, millimetres.
fn millimetres(i: u32, x: u32, y: u32) -> u16 {
    let bump = 150.0 * (f64::from(x) / 7.0 + f64::from(i)).sin() + 100.0 * (f64::from(y) / 5.0).cos();
    (1500.0 + 20.0 * f64::from(x) + bump) as u16
}

fn centre(i: u32) -> [f64; 3] {
    let t = f64::from(i);
    [0.1 * t, 0.05 * (1.3 * t).sin(), 0.02 * t * t]
}

/// Turned about y by 10 degrees per frame.
fn matrix(i: u32) -> String {
    let (s, c) = (10.0 * f64::from(i)).to_radians().sin_cos();
    let [x, y, z] = centre(i);
    format!("{c} 0 {s} {x}\n0 1 0 {y}\n{} 0 {c} {z}\n0 0 0 1\n", -s)
}

/// A `posed-rgbd` folder of `count` frames.
fn posed(folder: &Path, count: u32) {
    for i in 0..count {
        picture(&folder.join(format!("color/f{i}.png")), SIZE);
        depth(&folder.join(format!("depth/f{i}.png")), SIZE, |x, y| if x == 3 { 0 } else { millimetres(i, x, y) });
        write(&folder.join(format!("pose/f{i}.txt")), matrix(i));
    }
    write(&folder.join("intrinsics.txt"), "60 0 31.5\n0 60 23.5\n0 0 1\n");
}

/// Predictions that are the truth times `scale`, with the world turned upside down.
fn predictions(folder: &Path, count: u32, scale: f64) {
    let mut trajectory = String::from("# generated\n");
    let mut points = Vec::new();
    for i in 0..count {
        let scaled = |x, y| (f64::from(millimetres(i, x, y)) * scale).round() as u16;
        depth(&folder.join(format!("depth/{i:06}.png")), SIZE, scaled);
        let half = (5.0 * f64::from(i)).to_radians();
        let [x, y, z] = centre(i).map(|v| v * scale);
        trajectory += &format!("{} {x} {y} {z} 0 {} 0 {}\n", f64::from(i) / 30.0, half.sin(), half.cos());
        let (s, c) = (10.0 * f64::from(i)).to_radians().sin_cos();
        for (v, u) in (0..SIZE.1).flat_map(|v| (0..SIZE.0).map(move |u| (v, u))) {
            let z = f64::from(millimetres(i, u, v)) / 1000.0;
            let [a, b] = [(f64::from(u) - 31.5) / 60.0 * z, (f64::from(v) - 23.5) / 60.0 * z];
            let [x, y, t] = centre(i);
            let world = [c * a + s * z + x, b + y, -s * a + c * z + t];
            points.extend(world.iter().flat_map(|v| ((v * scale) as f32).to_le_bytes()));
            points.extend(i.to_le_bytes());
        }
    }
    write(&folder.join("trajectory.tum"), trajectory);
    let header = format!(
        "ply\nformat binary_little_endian 1.0\nelement vertex {}\nproperty float x\nproperty float y\n\
         property float z\nproperty int frame\nend_header\n",
        points.len() / 16
    );
    write(&folder.join("cloud.ply"), [header.as_bytes(), &points].concat());
}

fn eval(arguments: &[&str]) -> Output {
    let directory = std::env::temp_dir(); // no default model there
    Command::new(env!("CARGO_BIN_EXE_point3r")).arg("eval").args(arguments).current_dir(directory).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = eval(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = eval(arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let line = text.lines().last().unwrap_or_default().to_owned();
    assert!(line.starts_with("error: ") && !text.contains("panicked"), "{text}");
    line
}

/// The metrics of the row whose name begins so.
fn row<'a>(report: &'a Value, name: &str) -> &'a Value {
    let rows = report["overall"].as_array().unwrap();
    let found = rows.iter().find(|row| row["name"].as_str().unwrap().starts_with(name));
    &found.unwrap_or_else(|| panic!("no row {name}: {report}"))["metrics"]
}

fn number(metrics: &Value, name: &str) -> f64 {
    metrics[name].as_f64().unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

#[test]
fn the_scaled_truth_scores_zero_in_every_task_and_baselines_do_not() {
    let temporary = tempfile::tempdir().unwrap();
    let (data, pred, plots) =
        (temporary.path().join("room"), temporary.path().join("pred"), temporary.path().join("plots"));
    posed(&data, 6);
    predictions(&pred, 6, 0.5);
    let common =
        ["--data", data.to_str().unwrap(), "--pred", pred.to_str().unwrap(), "--plots", plots.to_str().unwrap()];
    let run = |task: &str| json(&[&[task][..], &common].concat());

    let depth = run("depth");
    assert!(number(row(&depth, "prediction"), "AbsRel") < 1e-3); // millimetres
    assert_eq!(number(row(&depth, "prediction"), "covered"), 1.0);
    for baseline in ["constant per image", "constant per sequence", "mean map of the other frames"] {
        assert!(number(row(&depth, baseline), "AbsRel") > 0.02, "{baseline}");
    }
    let video = run("video-depth");
    assert!(number(row(&video, "prediction, scale"), "AbsRel") < 1e-3);
    assert!((number(row(&video, "prediction, metric"), "AbsRel") - 0.5).abs() < 1e-3);
    let pose = run("pose");
    for name in ["ATE m", "RPE trans m", "RPE rot deg", "rot vs frame 0 deg"] {
        assert!(number(row(&pose, "prediction"), name) < 1e-5, "{name}: {pose}");
    }
    assert!(number(row(&pose, "prediction"), "same, depth-scaled m") < 1e-3);
    assert!(number(row(&pose, "prediction"), "trans vs frame 0 m") > 0.1);
    assert!((number(row(&pose, "no motion"), "rot vs frame 0 deg") - 30.0).abs() < 1e-5); // mean of 10 to 50
    assert!((number(row(&pose, "no motion"), "RPE rot deg") - 10.0).abs() < 1e-5);
    let points = run("reconstruction");
    assert!(number(row(&points, "prediction"), "Acc mean m") < 1e-4, "{points}");
    assert!(number(row(&points, "prediction"), "NC mean") > 0.99);
    assert!(number(row(&points, "flat planes"), "Acc mean m") > 0.01);
    for file in ["room-depth-error.svg", "room-video-depth-error.svg", "room-trajectory.svg"] {
        assert!(fs::read_to_string(plots.join(file)).unwrap().contains("polyline"), "{file}");
    }
}

#[test]
fn our_own_run_is_scored_and_says_that_it_is_untrained() {
    let temporary = tempfile::tempdir().unwrap();
    let data = temporary.path().join("room");
    posed(&data, 3);
    for task in ["depth", "video-depth", "pose", "reconstruction"] {
        let arguments = [task, "--data", data.to_str().unwrap(), "--device", "cpu", "--size", "32"];
        let output = eval(&arguments);
        let (text, warnings) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{task}: {warnings}");
        assert!(
            warnings.contains("UNTRAINED") && text.contains("UNTRAINED") && text.contains("| **prediction"),
            "{text}"
        );
        assert_eq!(json(&arguments)["trained"], false);
    }
}

#[test]
fn unusable_frames_are_named_or_skipped_and_counted() {
    let temporary = tempfile::tempdir().unwrap();
    let pred = temporary.path().join("pred");
    predictions(&pred, 6, 1.0);
    type Damage = fn(&Path);
    let cases: [(&str, &str, &str, Damage); 7] = [
        ("missing depth", "video-depth", "depth/f2.png", |d| fs::remove_file(d.join("depth/f2.png")).unwrap()),
        ("damaged depth", "depth", "depth/f2.png", |d| fs::write(d.join("depth/f2.png"), "no picture").unwrap()),
        ("8-bit depth", "depth", "16-bit", |d| picture(&d.join("depth/f2.png"), SIZE)),
        ("wrong pose size", "pose", "pose/f2.txt: a pose has 4x4", |d| {
            fs::write(d.join("pose/f2.txt"), "1 0 0\n0 1 0\n0 0 1\n").unwrap();
        }),
        ("NaN pose", "pose", "pose/f2.txt: the pose is not finite", |d| {
            fs::write(d.join("pose/f2.txt"), matrix(2).replace("0 1 0", "0 nan 0")).unwrap();
        }),
        ("mixed pictures", "pose", "color/f2.png is (80, 48)", |d| picture(&d.join("color/f2.png"), (80, 48))),
        ("mixed depths", "depth", "depth/f2.png is (32, 24)", |d| depth(&d.join("depth/f2.png"), (32, 24), |_, _| 900)),
    ];
    for (name, task, message, damage) in cases {
        let data = temporary.path().join(name.replace(' ', "-"));
        posed(&data, 6);
        damage(&data);
        let arguments = [task, "--data", data.to_str().unwrap(), "--pred", pred.to_str().unwrap()];
        let error = refused(&arguments);
        assert!(error.contains(message), "{name}: {error}");
        let report = json(&[&arguments[..], &["--skip-bad"]].concat());
        let sequence = &report["sequences"][0];
        assert_eq!((&sequence["frames"], sequence["skipped"].as_array().unwrap().len()), (&5.into(), 1), "{name}");
        assert!(sequence["skipped"][0].as_str().unwrap().contains("f2."), "{name}");
    }
}

#[test]
fn unusable_folders_and_predictions_are_one_sentence() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let (data, pred) = (folder.join("room"), folder.join("pred"));
    posed(&data, 4);
    predictions(&pred, 3, 1.0);
    let path = |p: &Path| p.to_str().unwrap().to_owned();
    let error = |task: &str, data: &Path, pred: &Path, more: &[&str]| {
        refused(&[&[task, "--data", &path(data), "--pred", &path(pred)][..], more].concat())
    };
    assert!(error("depth", &folder.join("none"), &pred, &[]).contains("check the path"));
    assert!(error("depth", &data, &pred, &["--layout", "kitti"]).contains("holds no sequence of layout kitti"));
    assert!(error("depth", &data, &pred, &[]).contains("000003.png: no depth for frame 3"));
    assert!(error("pose", &data, &pred, &[]).contains("no pose for frame 3"));
    assert!(error("depth", &data, &folder.join("nothing"), &[]).contains("000000.png"));
    fs::write(pred.join("trajectory.tum"), "0 0 0 0 0 0 0 1\n").unwrap();
    assert!(error("pose", &data, &pred, &[]).contains("1 poses, but 3 depth pictures"));
    fs::write(pred.join("cloud.ply"), "ply\nformat ascii 1.0\n").unwrap();
    assert!(error("reconstruction", &data, &pred, &["--frames", "3"]).contains("cloud.ply"));
    depth(&pred.join("depth/000000.png"), (48, 48), |_, _| 1000);
    assert!(error("depth", &data, &pred, &[]).contains("cut-out"));
    fs::remove_file(data.join("intrinsics.txt")).unwrap();
    assert!(error("reconstruction", &data, &pred, &[]).contains("no camera intrinsics"));
    fs::remove_dir_all(data.join("pose")).unwrap();
    assert!(error("pose", &data, &pred, &[]).contains("no poses"));
    fs::remove_dir_all(data.join("depth")).unwrap();
    assert!(error("depth", &data, &pred, &[]).contains("no depth, which depth evaluation needs"));
}

#[test]
fn tum_and_bonn_are_paired_by_time_or_by_order() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("rgbd_dataset_freiburg3_desk");
    for (i, time) in ["1.000000", "1.033000", "9.000000"].iter().enumerate() {
        picture(&folder.join(format!("rgb/{time}.png")), SIZE);
        depth(&folder.join(format!("depth/1.0{}0000.png", i * 3 + 1)), SIZE, |_, _| 10_000);
    }
    write(&folder.join("groundtruth.txt"), "# time\n1.001 1 2 3 0 0 0 1\n1.03 4 5 6 0 0 0 1\n");
    let sequences = Layout::Tum.sequences(temporary.path()).unwrap();
    let sequence = &sequences[0];
    assert_eq!((sequence.frames.len(), sequence.notes.len()), (2, 1)); // the third has no pose in time
    assert_eq!(sequence.frames[1].pose().unwrap().centre, [4.0, 5.0, 6.0]);
    assert!((sequence.frames[0].depth.as_ref().unwrap().read().unwrap().at(5, 5) - 2.0).abs() < 1e-6);
    assert!((sequence.camera.unwrap().focal[0] - 535.4).abs() < 1e-9);

    let bonn = temporary.path().join("bonn/rgbd_bonn_crowd");
    for i in 0..2 {
        picture(&bonn.join(format!("rgb_110/{i}.png")), SIZE);
        depth(&bonn.join(format!("depth_110/{i}.png")), SIZE, |_, _| 5000);
    }
    write(&bonn.join("groundtruth_110.txt"), "5 1 2 3 0 0 0 1\n6 4 5 6 0 0 0 1\n");
    let sequences = Layout::Bonn.sequences(&temporary.path().join("bonn")).unwrap();
    assert_eq!((sequences[0].name.as_str(), sequences[0].limits.below), ("rgbd_bonn_crowd", Some(70.0)));
    assert_eq!(sequences[0].frames[1].pose().unwrap().centre, [4.0, 5.0, 6.0]);
    assert!((sequences[0].frames[1].depth.as_ref().unwrap().read().unwrap().at(0, 0) - 1.0).abs() < 1e-6);
}

#[test]
fn scanned_rooms_are_read() {
    let temporary = tempfile::tempdir().unwrap();
    let root = temporary.path();
    let chess = root.join("7scenes/chess/seq-03");
    for i in 0..2 {
        let base = format!("frame-{i:06}");
        picture(&chess.join(format!("{base}.color.png")), SIZE);
        depth(&chess.join(format!("{base}.depth.png")), SIZE, |_, _| 3000);
        write(&chess.join(format!("{base}.pose.txt")), matrix(i));
    }
    depth(&chess.join("frame-000000.depth.proj.png"), SIZE, |_, _| 2000);
    write(&root.join("7scenes/chess/TestSplit.txt"), "sequence5\n");
    let sequences = Layout::SevenScenes.sequences(&root.join("7scenes")).unwrap();
    let sequence = &sequences[0];
    assert_eq!((sequence.name.as_str(), sequence.frames.len(), sequence.notes.len()), ("chess/seq-03", 2, 1));
    assert!((sequence.frames[0].depth.as_ref().unwrap().read().unwrap().at(1, 1) - 2.0).abs() < 1e-6);
    let missing = sequence.frames[1].depth.as_ref().unwrap().read().unwrap_err().to_string();
    assert!(missing.contains("frame-000001.depth.proj.png") && missing.contains("not registered"), "{missing}");

    let room = root.join("nrgbd/kitchen");
    let mut poses = String::new();
    for i in 0..2 {
        picture(&room.join(format!("images/img{i}.png")), SIZE);
        depth(&room.join(format!("depth/depth{i}.png")), SIZE, |_, _| 1500);
        poses += if i == 0 {
            "1 0 0 7\n0 -1 0 8\n0 0 -1 9\n0 0 0 1\n"
        } else {
            "nan nan nan nan\n0 0 0 0\n0 0 0 0\n0 0 0 1\n"
        };
    }
    write(&room.join("poses.txt"), poses);
    let sequences = Layout::Nrgbd.sequences(&root.join("nrgbd")).unwrap();
    let frames = &sequences[0].frames;
    let pose = frames[0].pose().unwrap();
    assert_eq!((pose.centre, pose.rotation[2][2].round(), pose.rotation[1][1].round()), ([7.0, 8.0, 9.0], 1.0, 1.0));
    let error = frames[1].pose().unwrap_err().to_string();
    assert!(error.contains("poses.txt, line 5") && error.contains("not finite"), "{error}");

    let scene = root.join("scannet/scene0707_00");
    picture(&scene.join("color_90/frame_0001.jpg"), SIZE);
    write(&scene.join("pose_90.txt"), matrix(0).replace('\n', " "));
    let sequences = Layout::Scannet.sequences(&root.join("scannet")).unwrap();
    assert_eq!(sequences[0].frames[0].pose().unwrap().centre, centre(0));
    assert!(sequences[0].frames[0].depth.is_none());
}

#[test]
fn sintel_kitti_and_nyu_are_read() {
    let temporary = tempfile::tempdir().unwrap();
    let root = temporary.path();
    for name in ["alley_1", "alley_2"] {
        let training = root.join("sintel/training");
        picture(&training.join(format!("final/{name}/frame_0001.png")), (3, 2));
        let mut bytes = 202_021.25_f32.to_le_bytes().to_vec();
        bytes.extend([3_i32, 2].iter().flat_map(|v| v.to_le_bytes()));
        bytes.extend([1.0_f32, 2.0, 3.0, 4.0, 5.0, 60.0].iter().flat_map(|v| v.to_le_bytes()));
        write(&training.join(format!("depth/{name}/frame_0001.dpt")), &bytes);
        let mut camera = 202_021.25_f32.to_le_bytes().to_vec();
        let numbers = [1120.0, 0.0, 511.5, 0.0, 1120.0, 217.5, 0.0, 0.0, 1.0];
        // World to camera: turned by 90 degrees about z, then moved by (1, 2, 3).
        let extrinsics = [0.0, -1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0, 3.0_f64];
        camera.extend(numbers.iter().chain(&extrinsics).flat_map(|v: &f64| v.to_le_bytes()));
        write(&training.join(format!("camdata_left/{name}/frame_0001.cam")), &camera);
    }
    let sequences = Layout::Sintel.sequences(&root.join("sintel")).unwrap();
    assert_eq!(sequences.iter().map(|s| s.pose_list).collect::<Vec<_>>(), [false, true]);
    let frame = &sequences[1].frames[0];
    assert_eq!(frame.depth.as_ref().unwrap().read().unwrap().values, [1.0, 2.0, 3.0, 4.0, 5.0, 60.0]);
    let expected = [-2.0, 1.0, -3.0]; // -R^T t
    assert!(frame.pose().unwrap().centre.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
    assert_eq!(sequences[0].limits.clip, Some(70.0));

    let kitti = root.join("kitti");
    picture(&kitti.join("image_gathered/drive_02/a.png"), SIZE);
    depth(&kitti.join("groundtruth_depth_gathered/drive_02/a.png"), SIZE, |x, _| if x == 0 { 0 } else { 512 });
    let sequences = Layout::Kitti.sequences(&kitti).unwrap();
    let map = sequences[0].frames[0].depth.as_ref().unwrap().read().unwrap();
    assert!(map.at(0, 0).is_nan() && (map.at(1, 0) - 2.0).abs() < 1e-6);
    depth(&kitti.join("groundtruth_depth_gathered/drive_02/b.png"), SIZE, |_, _| 1);
    assert!(Layout::Kitti.sequences(&kitti).unwrap_err().to_string().contains("2 depths for 1 pictures"));

    let nyu = root.join("nyu");
    picture(&nyu.join("nyu_images/0001.png"), (3, 2));
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend([1.0_f32; 6].iter().flat_map(|v| v.to_le_bytes()));
    write(&nyu.join("nyu_depths/0001.npy"), &bytes);
    let sequences = Layout::Nyu.sequences(&nyu).unwrap();
    assert_eq!(sequences[0].frames[0].depth.as_ref().unwrap().read().unwrap().values, [1.0; 6]);
}
