//! The renderer draws what its CPU twin says, off screen, on any adapter (a software one will do).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use point3r::{
    cloud::{Chunk, Cloud, FLAG_EDGE, FLAG_SKY, PackedPoint},
    device::Gpu,
    geometry::Pose,
    keyframes::KeyframeMaps,
    preprocess::RgbImage,
    render::{Background, ColourMode, FrameView, PointerColour, Renderer, Timeline, ramp::Ramp},
    session::PointerRecord,
};

const SIZE: [u32; 2] = [320, 240];
const DARK: [u8; 3] = [14, 16, 20];

struct Stage {
    gpu: Gpu,
    renderer: Renderer,
    format: wgpu::TextureFormat,
}

impl Stage {
    fn open(format: wgpu::TextureFormat) -> Option<Self> {
        match pollster::block_on(Gpu::open(Gpu::instance(), None)) {
            Ok(gpu) => {
                println!("adapter: {}", gpu.name());
                let mut renderer = Renderer::new(&gpu.device, &gpu.queue, format);
                renderer.resize(SIZE[0], SIZE[1], 1.0);
                renderer.settings_mut().point_size = 5.0;
                Some(Self { gpu, renderer, format })
            }
            Err(error) => {
                println!("skipped: {error}");
                None
            }
        }
    }

    /// Draws and reads the picture back, RGB rows top to bottom.
    fn shoot(&mut self) -> Vec<[u8; 3]> {
        let [width, height] = SIZE;
        let texture = self.gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: self.format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        self.renderer.draw(&texture.create_view(&wgpu::TextureViewDescriptor::default()));
        let buffer = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: u64::from(width * height * 4),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(width * 4), rows_per_image: None },
            },
            wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        );
        self.gpu.queue.submit([encoder.finish()]);
        buffer.map_async(wgpu::MapMode::Read, .., |result| result.unwrap());
        self.gpu.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: None }).unwrap();
        let bytes = buffer.get_mapped_range(..).unwrap();
        assert_eq!(self.gpu.events.take_error(), None);
        bytes.as_chunks::<4>().0.iter().map(|p| [p[0], p[1], p[2]]).collect()
    }

    fn at(&self, picture: &[[u8; 3]], point: [f32; 3]) -> [u8; 3] {
        let p = self.renderer.camera().project(point, SIZE[0] as f32, SIZE[1] as f32).expect("in front of the eye");
        assert!((0.0..SIZE[0] as f32).contains(&p.x) && (0.0..SIZE[1] as f32).contains(&p.y), "{point:?}: {p:?}");
        picture[p.y as usize * SIZE[0] as usize + p.x as usize]
    }
}

/// Points of one frame with exact confidence codes.
fn packed(points: &[([f32; 3], [u8; 3], u8)]) -> Chunk {
    let point = |(position, [r, g, b], code): &([f32; 3], [u8; 3], u8)| PackedPoint {
        position: *position,
        rgba: u32::from_le_bytes([*r, *g, *b, *code]),
    };
    Chunk::new(0, points.iter().map(point).collect())
}

/// A coarse lattice with a colour of its own per point, no two on the same pixel from the views used here.
fn lattice() -> Vec<([f32; 3], [u8; 3], u8)> {
    let mut points = Vec::new();
    for (i, x) in [-0.9f32, -0.31, 0.27, 0.88].into_iter().enumerate() {
        for (j, y) in [-0.7f32, -0.05, 0.66].into_iter().enumerate() {
            points.push((
                [x, y, 2.0 + 0.1 * (i as f32) - 0.13 * (j as f32)],
                [60 + 50 * i as u8, 90 * j as u8, 200],
                200,
            ));
        }
    }
    points
}

#[test]
fn every_point_has_its_colour_at_the_pixel_the_cpu_twin_names() {
    for format in [wgpu::TextureFormat::Rgba8Unorm, wgpu::TextureFormat::Rgba8UnormSrgb] {
        let Some(mut stage) = Stage::open(format) else { return };
        let points = lattice();
        stage.renderer.push_chunk(&packed(&points));
        for (yaw, pitch) in [(0.0, 0.0), (0.35, 0.0), (6.0, 0.25)] {
            stage.renderer.camera_mut().yaw = yaw;
            stage.renderer.camera_mut().pitch = pitch;
            let picture = stage.shoot();
            for (position, colour, _) in &points {
                let found = stage.at(&picture, *position);
                let off = (0..3).map(|k| found[k].abs_diff(colour[k])).max().unwrap();
                // One step: the sRGB target goes through linear light and back.
                assert!(off <= 1, "{format:?} yaw {yaw} {position:?}: {found:?}, not {colour:?}");
            }
            assert_eq!(picture[0], DARK, "{format:?}: background");
        }
    }
}

#[test]
fn nearer_points_hide_farther_ones_in_either_order() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    let near = ([0.0, 0.0, 1.0], [255, 0, 0], 255);
    let far = ([0.0, 0.0, 3.0], [0, 255, 0], 255);
    for order in [[near, far], [far, near]] {
        stage.renderer.truncate_chunks(0);
        stage.renderer.push_chunk(&packed(&order));
        let picture = stage.shoot();
        assert_eq!(stage.at(&picture, near.0), [255, 0, 0]);
    }
}

#[test]
fn points_below_the_confidence_code_vanish_and_undo_drops_the_last_chunk() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    let sure = ([-0.4, 0.0, 2.0], [250, 250, 0], 120);
    let unsure = ([0.4, 0.0, 2.0], [0, 250, 250], 119);
    stage.renderer.push_chunk(&packed(&[sure]));
    stage.renderer.push_chunk(&packed(&[unsure]));
    stage.renderer.settings_mut().min_code = 120;
    let picture = stage.shoot();
    assert_eq!((stage.at(&picture, sure.0), stage.at(&picture, unsure.0)), (sure.1, DARK));

    stage.renderer.settings_mut().min_code = 0;
    let picture = stage.shoot();
    assert_eq!(stage.at(&picture, unsure.0), unsure.1);

    stage.renderer.truncate_chunks(1);
    let picture = stage.shoot();
    assert_eq!((stage.renderer.chunks(), stage.renderer.point_count()), (1, 1));
    assert_eq!((stage.at(&picture, sure.0), stage.at(&picture, unsure.0)), (sure.1, DARK));
}

#[test]
fn chunks_cross_pages_and_the_last_point_is_drawn() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    let behind = ([0.0, 0.0, -9.0], [0, 0, 0], 255);
    let mut points = vec![behind; 700_000];
    let last = ([0.3, -0.3, 2.0], [9, 200, 90], 255);
    points.push(last);
    stage.renderer.push_chunk(&packed(&points));
    let picture = stage.shoot();
    assert_eq!(stage.at(&picture, last.0), last.1);
    let two_pages = stage.renderer.bytes();
    stage.renderer.truncate_chunks(0);
    assert!(stage.renderer.bytes() + (16 << 20) <= two_pages, "pages are given back");
    assert_eq!(stage.renderer.point_count(), 0);
}

#[test]
fn path_and_frusta_are_drawn_through_the_camera_centres() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    stage.renderer.settings_mut().background = Background::Light;
    let pose = |x: f32| Pose { translation: [x, 0.0, 1.0], ..Pose::IDENTITY };
    stage.renderer.set_frames(vec![FrameView::new(pose(-0.5)), FrameView::new(pose(0.5))], 0.1);
    let picture = stage.shoot();
    assert_eq!(picture[0], [246, 247, 249]);
    assert_eq!(stage.at(&picture, [0.0, 0.0, 1.0]), [0xf2, 0x9b, 0x2e], "middle of the path");
}

#[test]
fn colours_say_depth_confidence_frame_and_height_as_the_ramps_do() {
    for format in [wgpu::TextureFormat::Rgba8Unorm, wgpu::TextureFormat::Rgba8UnormSrgb] {
        let Some(mut stage) = Stage::open(format) else { return };
        // The second camera stands elsewhere and looks along +x.
        let half = std::f32::consts::FRAC_1_SQRT_2;
        let turned = Pose { translation: [-2.0, 0.0, 2.0], rotation: [half, 0.0, half, 0.0] };
        stage.renderer.set_frames(vec![FrameView::new(Pose::IDENTITY), FrameView::new(turned)], 0.1);
        stage.renderer.settings_mut().cameras = false;
        let points = lattice();
        let (first, second) = points.split_at(5);
        stage.renderer.push_chunk(&packed(first));
        stage.renderer.push_chunk(&packed(second));
        let value = |mode, i: usize| {
            let ([x, y, z], _, code) = points[i];
            match mode {
                ColourMode::Depth if i < 5 => z,
                ColourMode::Depth => x + 2.0,
                ColourMode::Confidence => f32::from(code),
                ColourMode::Frame => f32::from(u8::from(i >= 5)),
                ColourMode::Height => -y,
                ColourMode::Rgb => unreachable!(),
            }
        };
        for (mode, range, ramp) in [
            (ColourMode::Depth, [0.5, 3.0], Ramp::Turbo),
            (ColourMode::Confidence, [100.0, 255.0], Ramp::Viridis),
            (ColourMode::Frame, [0.0, 1.0], Ramp::Viridis),
            (ColourMode::Height, [-1.0, 1.0], Ramp::Turbo),
        ] {
            (stage.renderer.settings_mut().colour, stage.renderer.settings_mut().range) = (mode, range);
            let picture = stage.shoot();
            for (i, (position, ..)) in points.iter().enumerate() {
                let expected = ramp.colour((value(mode, i) - range[0]) / (range[1] - range[0]));
                let found = stage.at(&picture, *position);
                let off = (0..3).map(|k| found[k].abs_diff(expected[k])).max().unwrap();
                assert!(off <= 2, "{format:?} {mode:?} point {i}: {found:?}, not {expected:?}"); // rounding, and sRGB
            }
        }
    }
}

#[test]
fn doubtful_points_are_hidden_by_kind_and_come_back() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    let points =
        [([-0.5, 0.0, 2.0], [255, 0, 0], 9), ([0.0, 0.3, 2.0], [0, 255, 0], 9), ([0.5, 0.0, 2.0], [0, 0, 255], 9)];
    let mut chunk = packed(&points);
    chunk.flags = vec![FLAG_EDGE, FLAG_SKY, 0];
    stage.renderer.push_chunk(&chunk);
    for (hidden, shown) in
        [(0, [true; 3]), (FLAG_EDGE, [false, true, true]), (FLAG_SKY, [true, false, true]), (3, [false, false, true])]
    {
        stage.renderer.settings_mut().hidden_flags = hidden;
        let picture = stage.shoot();
        for ((position, colour, _), shown) in points.iter().zip(shown) {
            let expected = if shown { *colour } else { DARK };
            assert_eq!(stage.at(&picture, *position), expected, "flags {hidden} hidden");
        }
    }
}

#[test]
fn the_timeline_shows_this_frame_up_to_here_or_all() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    let points: Vec<_> = [-0.6f32, 0.0, 0.6].map(|x| ([x, 0.0, 2.0], [200, 200, 10], 9)).to_vec();
    for point in &points {
        stage.renderer.push_chunk(&packed(std::slice::from_ref(point)));
    }
    for colour in [ColourMode::Rgb, ColourMode::Frame] {
        stage.renderer.settings_mut().colour = colour;
        for (timeline, shown) in [
            (Timeline::All, [true; 3]),
            (Timeline::UpTo(1), [true, true, false]),
            (Timeline::Only(1), [false, true, false]),
            (Timeline::Only(9), [false; 3]),
        ] {
            stage.renderer.settings_mut().timeline = timeline;
            let picture = stage.shoot();
            let found: Vec<bool> = points.iter().map(|(p, ..)| stage.at(&picture, *p) != DARK).collect();
            assert_eq!(found, shown, "{timeline:?} {colour:?}");
        }
    }
}

#[test]
fn points_keep_their_size_without_attenuation() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    stage.renderer.settings_mut().point_size = 20.0;
    let mut area = |z: f32, attenuation: bool| {
        stage.renderer.truncate_chunks(0);
        stage.renderer.push_chunk(&packed(&[([0.0, 0.0, z], [255; 3], 9)]));
        stage.renderer.settings_mut().attenuation = attenuation;
        stage.shoot().iter().filter(|c| **c != DARK).count() as f32
    };
    let disc = std::f32::consts::PI * 100.0;
    // Eye at -1, pivot 3 in front of it: at z = 5 twice as far.
    assert!((area(2.0, true) / disc - 1.0).abs() < 0.1);
    assert!((area(5.0, true) * 4.0 / disc - 1.0).abs() < 0.2);
    assert!((area(5.0, false) / disc - 1.0).abs() < 0.1);
    // At least a voxel of 0.5 at depth 3, on a screen whose half height is tan(0.45) there.
    let across = 0.5 / 3.0 * 0.5 * SIZE[1] as f32 / 0.45f32.tan();
    stage.renderer.settings_mut().least_size = 0.5;
    stage.renderer.truncate_chunks(0);
    stage.renderer.push_chunk(&packed(&[([0.0, 0.0, 2.0], [255; 3], 9)]));
    let drawn = stage.shoot().iter().filter(|c| **c != DARK).count() as f32;
    assert!((drawn / (std::f32::consts::FRAC_PI_4 * across * across) - 1.0).abs() < 0.1, "{drawn}");
}

/// Eye-dome lighting of a pixel at `depth` whose neighbours lie at `neighbours` (`None`: background).
fn eye_dome(colour: u8, edl: f32, depth: f32, neighbours: [Option<f32>; 8]) -> u8 {
    let nearer: f32 = neighbours.iter().flatten().map(|n| (depth / n).log2().max(0.0)).sum();
    (f32::from(colour) * (-100.0 * edl * nearer / 8.0).exp()).round() as u8
}

#[test]
fn eye_dome_lighting_darkens_the_far_side_of_a_step_as_the_cpu_says() {
    for format in [wgpu::TextureFormat::Rgba8Unorm, wgpu::TextureFormat::Rgba8UnormSrgb] {
        let Some(mut stage) = Stage::open(format) else { return };
        stage.renderer.settings_mut().point_size = 60.0;
        stage.renderer.settings_mut().attenuation = false;
        stage.renderer.settings_mut().edl = 0.2;
        // Two discs of one depth each: the near one (depth 3) over the far one (depth 3.1).
        stage.renderer.push_chunk(&packed(&[([0.0, 0.0, 2.1], [200; 3], 9), ([0.2, 0.0, 2.0], [90; 3], 9)]));
        let picture = stage.shoot();
        let at = |x: usize, y: usize| picture[y * SIZE[0] as usize + x];
        assert_eq!(stage.at(&picture, [0.2, 0.0, 2.0]), [90; 3], "the near disc is not shaded");
        assert_eq!(at(140, 120), [200; 3], "flat parts of the far disc are not shaded");
        let y = 120;
        let first = (100..200).find(|&x| at(x, y) == [90; 3]).expect("the near disc");
        let near = |x: usize, y: usize| at(x, y) == [90; 3];
        let around = [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)];
        let neighbours = around.map(|(dx, dy)| {
            let there = near((first as i32 - 1 + dx) as usize, (y as i32 + dy) as usize);
            Some(if there { 3.0 } else { 3.1 })
        });
        let found = at(first - 1, y)[0];
        if format == wgpu::TextureFormat::Rgba8Unorm {
            let expected = eye_dome(200, 0.2, 3.1, neighbours);
            assert!(expected < 190 && found.abs_diff(expected) <= 1, "{found}, not {expected}");
        } else {
            assert!(found < 195, "{found}");
        }
        stage.renderer.settings_mut().edl = 0.0;
        let plain = stage.shoot();
        assert_eq!(plain[y * SIZE[0] as usize + first - 1], [200; 3], "without it nothing is shaded");
    }
}

#[test]
fn what_is_picked_is_what_is_drawn() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    let mut seed = 11u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let mut cloud = Cloud::default();
    for chunk in 0..3u8 {
        // The colour is the point's number: chunk, index.
        let points: Vec<_> = (0..250)
            .map(|i: u8| ([3.0 * random(), 2.0 * random(), 2.0 + 2.0 * random()], [chunk * 100 + 50, i, 77], i))
            .collect();
        let mut chunk = packed(&points);
        chunk.flags = (0..250).map(|i| u8::from(i % 7 == 0) * FLAG_EDGE).collect();
        stage.renderer.push_chunk(&chunk);
        cloud.push(chunk);
    }
    let settings = stage.renderer.settings_mut();
    (settings.point_size, settings.min_code, settings.hidden_flags) = (9.0, 40, FLAG_EDGE);
    settings.timeline = Timeline::UpTo(1);
    stage.renderer.camera_mut().yaw = 0.3;
    let picture = stage.shoot();
    let (mut checked, mut off) = (0, 0);
    for y in (2..SIZE[1]).step_by(5) {
        for x in (2..SIZE[0]).step_by(5) {
            let drawn = picture[(y * SIZE[0] + x) as usize];
            if drawn == DARK {
                continue;
            }
            let picked =
                stage.renderer.point_at(&cloud, [x as f32 + 0.5, y as f32 + 0.5]).expect("a point is drawn here");
            checked += 1;
            off += usize::from(drawn != [picked.chunk as u8 * 100 + 50, picked.index as u8, 77]);
        }
    }
    assert!(checked > 200, "{checked} pixels with points");
    assert!(off * 200 <= checked, "{off} of {checked} differ"); // the rim of a disc is a matter of rounding
}

#[test]
fn frames_show_their_pictures_and_are_hit_where_these_are() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    let rgb = (0..32 * 24).flat_map(|i| if i % 32 < 16 { [250, 20, 20] } else { [20, 20, 250] }).collect();
    let image = RgbImage { width: 32, height: 24, rgb };
    let maps = Arc::new(KeyframeMaps::new(&image, std::iter::repeat_n(1.0, 32 * 24), &[1.0; 32 * 24]));
    let pose = Pose { translation: [0.0, 0.0, 1.0], ..Pose::IDENTITY };
    let frame = FrameView::with_maps(pose, Some(32.0), Some(maps));
    assert_eq!(frame.half, [0.5, 0.375]);
    stage.renderer.set_frames(vec![frame], 1.0);
    let without = stage.shoot();
    stage.renderer.settings_mut().thumbnails = true;
    let picture = stage.shoot();
    // The far side lies at z = 2, from -0.5 to 0.5.
    let (left, right) = ([-0.3, 0.2, 2.0], [0.3, 0.2, 2.0]);
    assert_eq!((stage.at(&without, left), stage.at(&without, right)), (DARK, DARK));
    assert_eq!((stage.at(&picture, left), stage.at(&picture, right)), ([250, 20, 20], [20, 20, 250]));
    let project = |p| stage.renderer.camera().project(p, SIZE[0] as f32, SIZE[1] as f32).unwrap();
    for (point, hit) in [(left, Some(0)), ([0.49, 0.36, 2.0], Some(0)), ([0.51, 0.0, 2.0], None)] {
        let spot = project(point);
        assert_eq!(stage.renderer.frame_at([spot.x, spot.y]), hit, "{point:?}");
    }
}

#[test]
fn pointers_are_drawn_in_the_colour_of_what_happened_to_them() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    let pointer = |x, born, updated| PointerRecord { position: [x, 0.0, 2.0], born, updated };
    let pointers = [pointer(-0.5, 0, 0), pointer(0.0, 0, 3), pointer(0.5, 3, 3)];
    // A point at the same place does not hide its pointer, one well in front does.
    stage.renderer.push_chunk(&packed(&[([0.0, 0.0, 2.0], [9, 9, 9], 9), ([0.25, 0.0, 0.5], [7, 7, 7], 9)]));
    stage.renderer.set_pointers(&pointers, PointerColour::Change);
    let picture = stage.shoot();
    assert_eq!(stage.at(&picture, pointers[0].position), DARK, "off unless asked for");
    stage.renderer.settings_mut().pointers = true;
    let picture = stage.shoot();
    let found: Vec<_> = pointers.iter().map(|p| stage.at(&picture, p.position)).collect();
    assert_eq!(found, [[130, 140, 160], [255, 150, 40], [7, 7, 7]]);
    stage.renderer.set_pointers(&pointers, PointerColour::Age);
    let picture = stage.shoot();
    assert_eq!(stage.at(&picture, pointers[0].position), Ramp::Viridis.colour(0.0));
}

#[test]
fn what_is_measured_is_drawn_as_a_line() {
    let Some(mut stage) = Stage::open(wgpu::TextureFormat::Rgba8Unorm) else { return };
    stage.renderer.set_measured(&[[-0.5, 0.0, 2.0], [0.5, 0.0, 2.0]]);
    let picture = stage.shoot();
    assert_eq!(stage.at(&picture, [0.1, 0.0, 2.0]), [0xff, 0xe0, 0x3a]);
    stage.renderer.set_measured(&[]);
    let picture = stage.shoot();
    assert_eq!(stage.at(&picture, [0.1, 0.0, 2.0]), DARK);
}
#[test]
fn a_captured_picture_shows_the_view_at_another_size_and_leaves_it_as_it_was() {
    for format in [wgpu::TextureFormat::Rgba8Unorm, wgpu::TextureFormat::Bgra8Unorm] {
        let Some(mut stage) = Stage::open(format) else { return };
        stage.renderer.push_chunk(&packed(&[([0.0, 0.0, 2.0], [250, 10, 20], 9)]));
        let before = stage.shoot();
        // A row of 100 pixels is no multiple of what a copy wants.
        let rgba = pollster::block_on(stage.renderer.capture(100, 75, 0.0).unwrap().read()).unwrap();
        assert_eq!(rgba.len(), 100 * 75 * 4);
        let at = |x: usize, y: usize| &rgba[4 * (100 * y + x)..][..4];
        assert_eq!((at(50, 37), at(3, 3)), (&[250, 10, 20, 255][..], &[14, 16, 20, 255][..]));
        assert_eq!(stage.renderer.size(), SIZE);
        assert!(stage.shoot() == before, "the view has changed");
        // Half a turn about the pivot: still there, seen from behind. Of no size: refused.
        let behind = pollster::block_on(stage.renderer.capture(100, 75, std::f32::consts::PI).unwrap().read()).unwrap();
        assert_eq!(behind[4 * (100 * 37 + 50)..][..3], [250, 10, 20]);
        assert!(stage.renderer.capture(0, 75, 0.0).is_none() && stage.renderer.capture(64, 64, f32::NAN).is_none());
    }
}
