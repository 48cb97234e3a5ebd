//! Pointers as diamonds, coloured by what the memory did with them.

use bytemuck::{Pod, Zeroable};

use super::{quads::Quads, ramp::Ramp};
use crate::session::PointerRecord;

/// What a pointer's colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointerColour {
    /// When it was born: old is violet, new is yellow.
    #[default]
    Age,
    /// What the last frame did: added, fused, or nothing.
    Change,
}

/// Appended by the last frame.
const ADDED: [u8; 3] = [64, 220, 110];
/// The last frame's patches were merged into it.
const FUSED: [u8; 3] = [255, 150, 40];
/// Untouched by the last frame.
const REST: [u8; 3] = [130, 140, 160];

/// Half CSS pixels.
const RADIUS: u8 = 10;
const SMALL_RADIUS: u8 = 7;

/// One diamond as the shader reads it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub(super) struct Glyph {
    position: [f32; 3],
    colour: u32,
}

/// Diamonds on the GPU.
pub(super) struct Glyphs(Quads);

impl Glyphs {
    pub(super) fn new(device: &wgpu::Device, view: &wgpu::BindGroupLayout, format: wgpu::TextureFormat) -> Self {
        Self(Quads::new(device, view, format, "glyphs", include_str!("../../shaders/glyphs.wgsl")))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    /// Replaces everything.
    pub(super) fn set(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        pointers: &[PointerRecord],
        colour: PointerColour,
    ) {
        self.0.set(device, queue, &glyphs(pointers, colour));
    }

    pub(super) fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        self.0.draw(pass);
    }
}

fn glyphs(pointers: &[PointerRecord], colour: PointerColour) -> Vec<Glyph> {
    let last = pointers.iter().map(|p| p.updated).max().unwrap_or(0);
    let finite = pointers.iter().filter(|p| p.position.iter().all(|v| v.is_finite()));
    finite
        .map(|p| {
            let ([r, g, b], radius) = match colour {
                PointerColour::Age => (Ramp::Viridis.colour(p.born as f32 / last.max(1) as f32), RADIUS),
                PointerColour::Change if p.born == last => (ADDED, RADIUS),
                PointerColour::Change if p.updated == last => (FUSED, RADIUS),
                PointerColour::Change => (REST, SMALL_RADIUS),
            };
            Glyph { position: p.position, colour: u32::from_le_bytes([r, g, b, radius]) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_say_what_the_last_frame_did() {
        let pointer = |born, updated| PointerRecord { position: [0.0; 3], born, updated };
        let pointers = [pointer(0, 0), pointer(0, 4), pointer(4, 4)];
        let colours = |mode| glyphs(&pointers, mode).iter().map(|g| g.colour & 0xff_ffff).collect::<Vec<_>>();
        let rgb = |[r, g, b]: [u8; 3]| u32::from_le_bytes([r, g, b, 0]);
        assert_eq!(colours(PointerColour::Change), [rgb(REST), rgb(FUSED), rgb(ADDED)]);
        let age = colours(PointerColour::Age);
        assert!(age[0] == age[1] && age[1] != age[2]);
    }

    #[test]
    fn pointers_without_a_place_are_not_drawn() {
        let broken = PointerRecord { position: [f32::NAN, 0.0, 0.0], born: 0, updated: 0 };
        assert!(glyphs(&[broken], PointerColour::Age).is_empty());
    }
}
