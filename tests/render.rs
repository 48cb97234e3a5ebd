//! The renderer draws what its CPU twin says, off screen, on any adapter (a software one will do).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use point3r::{
    device::Gpu,
    geometry::Pose,
    render::{Background, Renderer},
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

fn packed(points: &[([f32; 3], [u8; 3], u8)]) -> Vec<u8> {
    let words = |(p, [r, g, b], code): &([f32; 3], [u8; 3], u8)| {
        [p[0].to_bits(), p[1].to_bits(), p[2].to_bits(), u32::from_le_bytes([*r, *g, *b, *code])]
    };
    points.iter().flat_map(words).flat_map(u32::to_le_bytes).collect()
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
    stage.renderer.set_poses(&[pose(-0.5), pose(0.5)], 0.1);
    let picture = stage.shoot();
    assert_eq!(picture[0], [246, 247, 249]);
    assert_eq!(stage.at(&picture, [0.0, 0.0, 1.0]), [0xf2, 0x9b, 0x2e], "middle of the path");
}
