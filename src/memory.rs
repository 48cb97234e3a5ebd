//! Explicit spatial pointer memory (spec 4.7, 4.8).
//!
//! Each pointer is a world position (frame-0 camera axes) and a feature of the decoder's width. Merging is
//! deterministic: a pointer hit by new patches keeps its row and takes their mean, other patches are appended
//! in patch order. A cap keeps the memory, and with it the cost of a frame, from growing for ever.
//!
//! Where the network's own kernels run, all of it lives on the GPU and is decided on there; the one readback of a frame
//! tells how many pointers there are, and their list is read only when somebody asks ([`PointerList`]). Elsewhere
//! positions are kept and decided on in plain memory. Both decide alike.

mod cap;
mod device;
mod host;

use burn::tensor::{Device, Tensor};

pub use cap::{Eviction, PointerCap};
pub(crate) use device::DevicePointers;
pub use device::PointerList;
pub(crate) use host::HostPointers;

use crate::ops::Places;

/// How a frame's patches enter the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UpdateMode {
    /// Patches near a pointer replace it, others are appended (release and evaluation).
    #[default]
    Merge,
    /// Every patch is appended (first training stage).
    Concatenate,
}

/// What one frame's patches did; indices are rows of the memory before the frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fusion {
    /// Distance from which a patch becomes a pointer of its own.
    pub threshold: f32,
    /// Per patch, the nearest pointer and its distance; empty in the first frame.
    pub nearest: Vec<(usize, f32)>,
    /// Per patch, whether it was appended.
    pub added: Vec<bool>,
}

/// When a pointer came into being and when it was last hit, in frames fused before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PointerAge {
    /// The frame that appended it.
    pub born: u32,
    /// The last frame whose patches it took the mean of; `born` if none did.
    pub updated: u32,
}

/// A pointer as shown and exported.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PointerRecord {
    /// World position.
    pub position: [f32; 3],
    /// The frame that appended it, counted from the first one that was kept.
    pub born: u32,
    /// The last frame that was merged into it; `born` if none was.
    pub updated: u32,
}

/// Positions and features of all pointers. Cloning is cheap: nothing that is shared is ever changed.
#[derive(Debug, Clone)]
pub struct PointerMemory(Store);

#[derive(Debug, Clone)]
enum Store {
    Host(Box<HostPointers>),
    Device(DevicePointers),
}

/// The memory as the next frame takes it.
pub(crate) enum Ready {
    /// To be decided on in plain memory.
    Host(Box<HostPointers>),
    /// To be decided on by the kernels.
    Device(DevicePointers),
}

impl Default for PointerMemory {
    fn default() -> Self {
        Self(Store::Host(Box::default()))
    }
}

impl PointerMemory {
    /// Given pointers, as if one frame had made them: world positions and features `[pointers, width]`.
    #[must_use]
    pub fn new(positions: &[[f32; 3]], features: Tensor<2>) -> Self {
        let mut pointers = HostPointers::default();
        pointers.fuse(positions, features, UpdateMode::Concatenate, 1);
        Self(Store::Host(Box::new(pointers)))
    }

    pub(crate) fn of_host(pointers: HostPointers) -> Self {
        Self(Store::Host(Box::new(pointers)))
    }

    pub(crate) fn of_device(pointers: DevicePointers) -> Self {
        Self(Store::Device(pointers))
    }

    /// Number of pointers.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Store::Host(pointers) => pointers.positions.len(),
            Store::Device(pointers) => pointers.len(),
        }
    }

    /// True before the first frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Features `[pointers, width]`, in row order; `None` before the first frame.
    #[must_use]
    pub fn features(&self) -> Option<Tensor<2>> {
        match &self.0 {
            Store::Host(pointers) => pointers.features.clone(),
            Store::Device(pointers) => pointers.features(),
        }
    }

    /// Positions and ages of all pointers, wherever they are; shares what it needs, not the features.
    #[must_use]
    pub fn list(&self) -> PointerList {
        match &self.0 {
            Store::Host(pointers) => PointerList::of_host(&pointers.positions, &pointers.ages),
            Store::Device(pointers) => pointers.list(),
        }
    }

    /// Positions, as rotary tables take them.
    pub(crate) fn places(&self) -> Places {
        match &self.0 {
            Store::Host(pointers) => Places::Host(pointers.positions.clone()),
            Store::Device(pointers) => pointers.places(),
        }
    }

    /// The memory where frames of `device`, with features `width` wide, are fused: moved there if it has to be.
    pub(crate) fn ready(&self, device: &Device, width: usize) -> Ready {
        match &self.0 {
            Store::Device(pointers) => Ready::Device(pointers.clone()),
            Store::Host(pointers) => match DevicePointers::uploaded(pointers, device, width) {
                Some(pointers) => Ready::Device(pointers),
                None => Ready::Host(pointers.clone()),
            },
        }
    }
}
