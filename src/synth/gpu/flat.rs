//! A world and its frames as flat buffers, in the layout of `shaders/synth/scene.wgsl`.
//!
//! Solids keep the order of their hierarchy, so a solid's identity is its index. The moving thing's solids and hierarchy
//! follow once per frame; an identity from `Params::solids` on is the moving thing's.

use bytemuck::{Pod, Zeroable};

use crate::synth::bvh::Bvh;
use crate::synth::camera::{Camera, Lens};
use crate::synth::math::{Rng, V3, v3};
use crate::synth::render::Samples;
use crate::synth::shape::{FAR, NONE, Prim, Shape};
use crate::synth::texture::Material;
use crate::synth::world::{Light, World};

/// Most light passes of a frame: the shader holds this many shifts.
const LIGHT_PASSES: usize = 4;

type Vec3 = [f32; 3];

fn vec3(v: V3) -> Vec3 {
    [v.x, v.y, v.z]
}

fn vec4(v: V3) -> [f32; 4] {
    [v.x, v.y, v.z, 0.0]
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub(super) struct FlatParams {
    width: u32,
    height: u32,
    frames: u32,
    solids: u32,
    lights: u32,
    texture_samples: u32,
    edge_samples: u32,
    light_passes: u32,
    shadow_rays: u32,
    sky_seed: u32,
    clouds: f32,
    focal: f32,
    centre: [f32; 2],
    occlusion_reach: f32,
    unused: u32,
    ambient_up: [f32; 4],
    ambient_down: [f32; 4],
    horizon: [f32; 4],
    zenith: [f32; 4],
}

impl FlatParams {
    /// Width, height, frames.
    pub(super) fn size(&self) -> [u32; 3] {
        [self.width, self.height, self.frames]
    }
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub(super) struct FlatPrim {
    centre: Vec3,
    bits: u32,
    half: Vec3,
    unused_0: u32,
    x: Vec3,
    unused_1: u32,
    y: Vec3,
    unused_2: u32,
    z: Vec3,
    unused_3: u32,
}

impl FlatPrim {
    fn new(p: &Prim) -> Self {
        let shape = match p.shape {
            Shape::Block => 0,
            Shape::Ellipsoid => 1,
            Shape::Frustum => 2,
        };
        let flags = u32::from(p.aligned) << 2 | u32::from(p.world_uv) << 3 | u32::from(p.casts_shadow) << 4;
        let [x, y, z] = p.axes.0.map(vec3);
        Self {
            centre: vec3(p.centre),
            bits: shape | flags | u32::from(p.material) << 16,
            half: vec3(p.half),
            x,
            y,
            z,
            ..Self::zeroed()
        }
    }
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub(super) struct FlatNode {
    lo: Vec3,
    first: u32,
    hi: Vec3,
    bits: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub(super) struct FlatMaterial {
    colour_0: Vec3,
    texture: u32,
    colour_1: Vec3,
    seed: u32,
    colour_2: Vec3,
    scale: f32,
    shape: f32,
    gloss: f32,
    emission: f32,
    grime: f32,
}

impl FlatMaterial {
    fn new(m: &Material) -> Self {
        let [colour_0, colour_1, colour_2] = m.colours.map(vec3);
        Self {
            colour_0,
            texture: m.texture as u32 | u32::from(m.swapped) << 8,
            colour_1,
            seed: m.seed,
            colour_2,
            scale: m.scale,
            shape: m.shape,
            gloss: m.gloss,
            emission: m.emission,
            grime: m.grime,
        }
    }
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub(super) struct FlatLight {
    centre: Vec3,
    bits: u32,
    colour: Vec3,
    reach: f32,
    u: Vec3,
    size: f32,
    v: Vec3,
    unused_0: u32,
    normal: Vec3,
    unused_1: u32,
}

impl FlatLight {
    fn new(light: &Light) -> Self {
        let hard = u32::from(light.is_hard()) << 2;
        let none = Self::zeroed();
        match *light {
            Light::Ball { centre, radius, colour, reach } => {
                Self { centre: vec3(centre), bits: hard, colour: vec3(colour), reach, size: radius, ..none }
            }
            Light::Panel { centre, u, v, normal, colour, reach } => Self {
                centre: vec3(centre),
                bits: 1 | hard,
                colour: vec3(colour),
                reach,
                u: vec3(u),
                v: vec3(v),
                normal: vec3(normal),
                ..none
            },
            Light::Sun { direction, colour, spread } => {
                let (side, other) = Light::across_sun(direction);
                Self {
                    centre: vec3(direction),
                    bits: 2 | hard,
                    colour: vec3(colour),
                    u: vec3(side),
                    v: vec3(other),
                    size: spread,
                    ..none
                }
            }
        }
    }
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
pub(super) struct FlatFrame {
    position: Vec3,
    moving_root: u32,
    right: Vec3,
    unused_0: u32,
    down: Vec3,
    unused_1: u32,
    forward: Vec3,
    unused_2: u32,
    shifts: [[f32; 4]; LIGHT_PASSES],
}

/// What one submission renders: some frames of one world.
#[derive(Debug)]
pub(super) struct Flat {
    pub(super) params: FlatParams,
    pub(super) prims: Vec<FlatPrim>,
    pub(super) nodes: Vec<FlatNode>,
    pub(super) materials: Vec<FlatMaterial>,
    pub(super) lights: Vec<FlatLight>,
    pub(super) frames: Vec<FlatFrame>,
}

impl Flat {
    /// Frames `first..` as seen by `cameras`, each with the seed of its light samples.
    pub(super) fn new(
        world: &World,
        lens: &Lens,
        samples: Samples,
        first: usize,
        cameras: &[Camera],
        seeds: &[u64],
    ) -> Self {
        let (cx, cy) = lens.centre();
        let params = FlatParams {
            width: lens.width as u32,
            height: lens.height as u32,
            frames: cameras.len() as u32,
            solids: world.solids.prims.len() as u32,
            lights: world.lights.len() as u32,
            texture_samples: samples.texture as u32,
            edge_samples: samples.edge as u32,
            light_passes: samples.light.min(LIGHT_PASSES) as u32,
            shadow_rays: samples.shadows as u32,
            sky_seed: world.sky.seed,
            clouds: world.sky.clouds,
            focal: lens.focal,
            centre: [cx, cy],
            occlusion_reach: world.occlusion_reach,
            unused: 0,
            ambient_up: vec4(world.ambient_up),
            ambient_down: vec4(world.ambient_down),
            horizon: vec4(world.sky.horizon),
            zenith: vec4(world.sky.zenith),
        };
        let mut flat = Self {
            params,
            prims: Vec::new(),
            nodes: Vec::new(),
            materials: world.materials.iter().map(FlatMaterial::new).collect(),
            lights: world.lights.iter().map(FlatLight::new).collect(),
            frames: Vec::new(),
        };
        flat.push_solids(&world.solids);
        for (i, (camera, seed)) in cameras.iter().zip(seeds).enumerate() {
            let moving_root = world.mover.as_ref().map_or(NONE, |m| {
                let (axes, origin) = m.placement(first + i);
                flat.push_solids(&Bvh::new(m.prims.iter().map(|p| p.moved(axes, origin)).collect(), 0))
            });
            let mut r = Rng::new(*seed);
            flat.frames.push(FlatFrame {
                position: vec3(camera.position),
                moving_root,
                right: vec3(camera.right),
                down: vec3(camera.down),
                forward: vec3(camera.forward),
                shifts: std::array::from_fn(|_| [r.unit(), r.unit(), r.unit(), r.unit()]),
                ..FlatFrame::zeroed()
            });
        }
        flat
    }

    /// Appends solids with their hierarchy and returns the root's index.
    fn push_solids(&mut self, solids: &Bvh) -> u32 {
        let (root, base) = (self.nodes.len() as u32, self.prims.len() as u32);
        if solids.prims.is_empty() {
            // A box that no ray reaches.
            let (lo, hi) = (vec3(v3(FAR, FAR, FAR)), vec3(v3(-FAR, -FAR, -FAR)));
            self.nodes.push(FlatNode { lo, first: base, hi, bits: 0 });
            return root;
        }
        self.prims.extend(solids.prims.iter().map(FlatPrim::new));
        self.nodes.extend(solids.nodes.iter().map(|n| FlatNode {
            lo: vec3(n.lo),
            first: n.first + if n.count == 0 { root } else { base },
            hi: vec3(n.hi),
            bits: u32::from(n.count) | u32::from(n.axis) << 16,
        }));
        root
    }
}
