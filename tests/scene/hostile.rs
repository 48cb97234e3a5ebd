//! Hostile bytes: whatever they are, the answer is a named error or a bounded scene, at once, in bounded memory.

use std::time::{Duration, Instant};

use point3r::{
    export::{ExportOptions, ply},
    scene::{
        self, Limits,
        share::{ShareOptions, pack},
    },
};

use crate::support::{glb_of, glb_of_text, json_of, room, scene, written};

/// Far above what any takes, far below a hang: a load of other work must not fail the test.
const HANG: Duration = Duration::from_secs(20);
const CODES: [&str; 5] = ["unsupported-file", "scene-damaged", "scene-too-large", "scene-empty", "bad-request"];

struct Random(u32);

impl Random {
    fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize
    }
}

/// FNV-1a, as links carry it: a hostile link has the right checksum.
fn sealed(mut content: Vec<u8>) -> Vec<u8> {
    let hash = |h: u32, b: &u8| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193);
    let sum = content.iter().fold(0x811c_9dc5, hash);
    content.extend(sum.to_le_bytes());
    content
}

/// Flips, cuts, repeats and swaps bytes.
fn spoil(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.next() % 6 {
        let at = random.next() % bytes.len().max(1);
        match random.next() % 5 {
            0 => bytes.truncate(at.max(8)),
            1 => bytes[at] = random.next() as u8,
            2 => bytes.iter_mut().skip(at).take(4).for_each(|b| *b = 0xff),
            3 => bytes[at] ^= 1 << (random.next() % 8),
            _ => {
                let piece: Vec<u8> = bytes.iter().skip(at).take(random.next() % 64).copied().collect();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// Files made to hurt, each with the error it must end in (`None`: whatever is bounded).
fn crafted() -> Vec<(String, Vec<u8>, Option<&'static str>)> {
    let mut all: Vec<(String, Vec<u8>, Option<&'static str>)> = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>, code| all.push((name.to_owned(), bytes, code));
    add("nothing", Vec::new(), Some("scene-damaged"));
    add("html", b"<!doctype html><script>alert(1)</script>".to_vec(), Some("unsupported-file"));
    add("zeros", vec![0; 1 << 20], Some("unsupported-file"));

    let xyz = "property float x\nproperty float y\nproperty float z\n";
    let head = |count: &str, properties: &str| {
        format!("ply\nformat binary_little_endian 1.0\nelement vertex {count}\n{properties}end_header\n")
    };
    add("ply with 10^9 points", head("1000000000", xyz).into_bytes(), Some("scene-too-large"));
    add("ply with 10^7 points and no bytes", head("10000000", xyz).into_bytes(), Some("scene-damaged"));
    add("ply with 2^64 points", head("18446744073709551615", xyz).into_bytes(), Some("scene-too-large"));
    add("ply with -1 points", head("-1", xyz).into_bytes(), Some("scene-damaged"));
    add("ply without properties", head("9999999", "").into_bytes(), Some("scene-damaged"));
    add(
        "ply without a format",
        b"ply\nelement vertex 1\nproperty float x\nend_header\n".to_vec(),
        Some("scene-damaged"),
    );
    add(
        "ply header without end",
        [b"ply\n".as_slice(), &b"comment x\n".repeat(100_000)].concat(),
        Some("scene-damaged"),
    );
    add("ply one endless line", [b"ply\n".as_slice(), &vec![b'a'; 1 << 20]].concat(), Some("scene-damaged"));
    add("ply 10^6 elements", [b"ply\n".as_slice(), &b"element e 0\n".repeat(5_000)].concat(), Some("scene-damaged"));
    let list = head("1", &format!("{xyz}property list uint double l\n"));
    add("ply list of 2^32", [list.as_bytes(), &[0; 12], &[0xff; 4], &[0; 64]].concat(), Some("scene-damaged"));
    let float = head("1", &format!("{xyz}property list float double l\n"));
    add(
        "ply list of NaN",
        [float.as_bytes(), &[0; 12], &f32::NAN.to_le_bytes(), &[0; 64]].concat(),
        Some("scene-damaged"),
    );
    let other = format!("ply\nformat ascii 1.0\nelement a 4000000000\nelement vertex 1\n{xyz}end_header\n0 0 0\n");
    add("ply empty elements before", other.into_bytes(), Some("scene-damaged"));
    add(
        "ply all NaN",
        [head("1000", xyz).into_bytes(), f32::NAN.to_le_bytes().repeat(3000)].concat(),
        Some("scene-damaged"),
    );
    let ascii = format!("ply\nformat ascii 1.0\nelement vertex 2\n{xyz}end_header\n{}", "9".repeat(1 << 20));
    add("ply a number of a million digits", ascii.into_bytes(), Some("scene-damaged"));

    let good = json_of(&written(&scene(), 0.0));
    let body = vec![0; 28 * 4800 + 12 * 3];
    let mut with = |name: &str, path: &str, value: serde_json::Value, code| {
        let mut json = good.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        match json.pointer_mut(parent).unwrap() {
            serde_json::Value::Object(o) => drop(o.insert(key.to_owned(), value)),
            serde_json::Value::Array(a) => a[key.parse::<usize>().unwrap()] = value,
            _ => panic!("{path}"),
        }
        add(name, glb_of(&json, &body), code);
    };
    use serde_json::json;
    with("glb with 10^9 points", "/accessors/0/count", json!(1_000_000_000), Some("scene-damaged"));
    with("glb with 2^64 points", "/accessors/0/count", json!(u64::MAX), Some("scene-damaged"));
    with("glb with -1 points", "/accessors/0/count", json!(-1), Some("scene-damaged"));
    with("glb offset past the end", "/accessors/0/byteOffset", json!(u64::MAX), Some("scene-damaged"));
    with("glb view past the end", "/bufferViews/0/byteLength", json!(u64::MAX), Some("scene-damaged"));
    with("glb view offset overflows", "/bufferViews/0/byteOffset", json!(u64::MAX), Some("scene-damaged"));
    with("glb stride 0", "/bufferViews/0/byteStride", json!(0), Some("scene-damaged"));
    with("glb stride 2^63", "/bufferViews/0/byteStride", json!(1_u64 << 63), Some("scene-damaged"));
    with("glb fewer colours than points", "/accessors/1/count", json!(1), Some("scene-damaged"));
    with("glb matrix positions", "/accessors/0/type", json!("MAT4"), Some("scene-damaged"));
    with("glb scalar positions", "/accessors/0/type", json!("SCALAR"), Some("scene-damaged"));
    with("glb unknown component", "/accessors/0/componentType", json!(5130), Some("scene-damaged"));
    with("glb missing mesh", "/nodes/0/mesh", json!(99), Some("scene-damaged"));
    with("glb missing node", "/scenes/0/nodes", json!([123_456]), Some("scene-damaged"));
    with("glb no nodes", "/scenes/0/nodes", json!([]), Some("scene-empty"));
    with("glb a node inside itself", "/nodes/0/children", json!([0]), Some("scene-damaged"));
    with(
        "glb infinite matrix",
        "/nodes/0/matrix",
        json!([
            1e308, 1e308, 1e308, 1e308, 1e308, 1e308, 1e308, 1e308, 1e308, 1e308, 1e308, 1e308, 1e308, 1e308, 1e308,
            1e308
        ]),
        Some("scene-damaged"),
    );
    with("glb short matrix", "/nodes/0/matrix", json!([1]), Some("scene-damaged"));
    with("glb javascript buffer", "/buffers/0/uri", json!("javascript:alert(1)"), Some("unsupported-file"));
    with(
        "glb data buffer",
        "/buffers/0/uri",
        json!("data:application/octet-stream;base64,AAAA"),
        Some("unsupported-file"),
    );
    with("glb a million nodes", "/nodes", json!(vec![json!({}); 1_000_000]), Some("scene-damaged"));
    with("glb deep extras", "/scenes/0/extras", (0..100).fold(json!(0), |inner, _| json!([inner])), None);
    with("glb wide extras", "/scenes/0/extras", json!(vec![0; 1_000_000]), None);
    with(
        "glb extras of another shape",
        "/scenes/0/extras",
        json!({ "point3r": { "title": 7 } }),
        Some("scene-damaged"),
    );
    with(
        "glb viewpoint of two",
        "/scenes/0/extras",
        json!({ "point3r": { "eye": [1e38, 0, 0], "target": [0, 0] } }),
        Some("scene-damaged"),
    );
    // Each node shows the next mesh twice: 2^15 copies of everything.
    let twice: Vec<_> = (1..=15).map(|i| json!({ "children": [i, i] })).chain([json!({ "mesh": 0 })]).collect();
    with("glb nodes that double", "/nodes", json!(twice), Some("scene-too-large"));
    let many: Vec<_> = (0..15_000).map(|_| json!({ "mesh": 0 })).collect();
    let mut crowd = good.clone();
    crowd["nodes"] = json!(many);
    crowd["scenes"][0]["nodes"] = json!((0..15_000).collect::<Vec<_>>());
    add("glb one mesh 15,000 times", glb_of(&crowd, &body), Some("scene-too-large"));
    let nan = [f32::NAN.to_le_bytes().repeat(7 * 4800), vec![0; 36]].concat();
    add("glb NaN 15,000 times", glb_of(&crowd, &nan), Some("scene-too-large"));
    add("glb all NaN", glb_of(&good, &nan), Some("scene-damaged"));
    add("glb deep JSON", glb_of_text(&b"[".repeat(1 << 20), &[]), Some("scene-damaged"));
    add("glb huge JSON", glb_of_text(&vec![b' '; 20 << 20], &[]), Some("scene-too-large"));
    add("glb not JSON", glb_of_text(b"{\"nodes\":", &[]), Some("scene-damaged"));
    add("glb version 1", [b"glTF".as_slice(), &1_u32.to_le_bytes(), &[0; 20]].concat(), Some("unsupported-file"));
    add("glb cut in its header", b"glTF\x02".to_vec(), Some("scene-damaged"));
    add(
        "glb chunk of 4 GiB",
        [b"glTF".as_slice(), &[2, 0, 0, 0, 20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], b"JSON"].concat(),
        Some("scene-damaged"),
    );

    let link = pack(&room(), ShareOptions::default()).unwrap().bytes;
    let content = &link[..link.len() - 4];
    let mut set = |name: &str, at: usize, value: &[u8], code| {
        let mut bytes = content.to_vec();
        bytes[at..at + value.len()].copy_from_slice(value);
        add(name, sealed(bytes), code);
    };
    set("link with 10^9 points", 8, &1_000_000_000_u32.to_le_bytes(), Some("scene-too-large"));
    set("link with too many points", 8, &200_000_u32.to_le_bytes(), Some("scene-damaged"));
    set("link with too few points", 8, &20_u32.to_le_bytes(), Some("scene-damaged"));
    set("link with no points", 8, &0_u32.to_le_bytes(), Some("scene-damaged"));
    set("link with 10^9 cameras", 12, &1_000_000_000_u32.to_le_bytes(), Some("scene-too-large"));
    set("link at NaN", 16, &f32::NAN.to_le_bytes(), Some("scene-damaged"));
    set("link far away", 20, &1e30_f32.to_le_bytes(), Some("scene-damaged"));
    set("link voxel 0", 28, &0_f32.to_le_bytes(), Some("scene-damaged"));
    set("link voxel infinite", 28, &f32::INFINITY.to_le_bytes(), Some("scene-damaged"));
    set("link depth 0", 5, &[0], Some("scene-damaged"));
    set("link depth 255", 5, &[255], Some("scene-damaged"));
    set("link colours 0", 6, &[0], Some("scene-damaged"));
    set("link unknown flags", 4, &[0xf0], Some("scene-damaged"));
    set("link of a later version", 3, b"9", Some("unsupported-file"));
    // A few bytes that decode to "everything is there", up to as many points as the bytes may announce.
    for (name, byte) in [("link bomb of ones", 0xff_u8), ("link bomb of zeros", 0)] {
        let mut bomb = content[..32].to_vec();
        bomb[4..8].copy_from_slice(&[0, 16, 0x88, 0]);
        bomb[8..12].copy_from_slice(&1_000_000_u32.to_le_bytes());
        bomb[12..16].copy_from_slice(&0_u32.to_le_bytes());
        bomb.extend(vec![byte; 60_000]);
        add(name, sealed(bomb), Some("scene-damaged"));
    }
    all
}

#[test]
fn hostile_files_end_in_a_named_error_at_once() {
    let crafted = crafted();
    for (name, bytes, code) in &crafted {
        let begin = Instant::now();
        let answer = scene::read(bytes, &Limits::default());
        let took = begin.elapsed();
        println!(
            "{name}: {:.0} ms, {}",
            took.as_secs_f64() * 1e3,
            answer.as_ref().map_or_else(ToString::to_string, |_| "read".to_owned())
        );
        assert!(took < HANG, "{name} took {took:?}");
        match (answer, code) {
            (Err(error), Some(code)) => assert_eq!(error.code(), *code, "{name}: {error}"),
            (Ok(_), Some(_)) => panic!("{name} was read"),
            (answer, None) => {
                assert!(answer.is_ok_and(|s| s.cloud.point_count() <= Limits::default().points), "{name}")
            }
        }
    }
    assert!(crafted.len() >= 65, "{}", crafted.len());
}

#[test]
fn spoiled_files_never_panic_and_stay_within_the_limits() {
    let mut ascii = String::from(
        "ply\nformat ascii 1.0\nelement vertex 40\nproperty float x\nproperty float y\nproperty float z\nend_header\n",
    );
    (0..40).for_each(|i| ascii.push_str(&format!("{i} {} 0.5\n", i * 2)));
    let mut binary = Vec::new();
    ply::write(&scene().cloud, &ExportOptions::default(), &mut binary).unwrap();
    let link = pack(&room(), ShareOptions { budget: 4000, ..ShareOptions::default() }).unwrap().bytes;
    let originals = [ascii.into_bytes(), binary, written(&scene(), 0.0), link.clone(), link[..link.len() - 4].to_vec()];
    let limits = Limits { points: 100_000, bytes: 1 << 20, cameras: 100 };
    let mut random = Random(11);
    let mut refused = 0;
    for round in 0..1500 {
        let which = round % originals.len();
        let mut bytes = spoil(&originals[which], &mut random);
        if which == 4 {
            bytes = sealed(bytes); // what lies behind the checksum must hold by itself
        }
        match scene::read(&bytes, &limits) {
            Ok(scene) => assert!(scene.cloud.point_count() <= limits.points && scene.cameras.len() <= limits.cameras),
            Err(error) => {
                refused += 1;
                assert!(CODES.contains(&error.code()) && error.to_string().len() > 20, "{error}");
            }
        }
    }
    println!("{refused} of 1500 spoiled files were refused, seed 11");
    assert!(refused > 300);
}
