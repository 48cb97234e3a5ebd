//! Whether a model fits a device, asked before anything of it is downloaded.

use super::WeightsError;
use super::manifest::{Manifest, Needs};

/// What a device has for a model, as far as anybody knows: browsers name limits of buffers, and memory only roughly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Room {
    /// Whether the weights go to a GPU; else they stay in the program's own memory.
    pub on_gpu: bool,
    /// Largest buffer that a kernel can read, bytes; not limited on a CPU.
    pub binding_bytes: Option<u64>,
    /// Names of the features that the device has.
    pub features: Vec<String>,
    /// What the program can address, bytes: 4 GiB in wasm.
    pub address_bytes: Option<u64>,
    /// Memory of the whole machine, bytes, where it is known.
    pub memory_bytes: Option<u64>,
}

/// What the program itself takes, without any model.
const PROGRAM_MIB: u64 = 192;

impl Manifest {
    /// Compares what the model needs with what there is. What the manifest says it needs can only add to what its
    /// tensors come to.
    ///
    /// # Errors
    /// `WeightsError::DoesNotFit` with the first need that is not met.
    pub fn fits(&self, room: &Room) -> Result<(), WeightsError> {
        let own = Needs::of(&self.config, &self.tensors);
        let binding = own.max_binding_mib.max(self.needs.max_binding_mib);
        let weights = own.gpu_mib.max(self.needs.gpu_mib);
        let host = own.wasm_mib.max(self.needs.wasm_mib).saturating_add(PROGRAM_MIB);
        let does_not = |reason: String| Err(WeightsError::DoesNotFit { name: self.name.clone(), reason });
        if let Some(feature) = self.needs.features.iter().find(|feature| !room.features.contains(feature)) {
            return does_not(format!("it needs the feature {feature:?}, which this device lacks"));
        }
        let mib = |bytes: u64| bytes >> 20;
        if let Some(limit) = room.binding_bytes.map(mib).filter(|limit| room.on_gpu && binding > *limit) {
            return does_not(format!(
                "its largest tensor takes {binding} MiB, a buffer of this graphics device {limit} MiB at most"
            ));
        }
        let addressed = if room.on_gpu { host } else { host.saturating_add(weights) };
        if let Some(limit) = room.address_bytes.map(mib).filter(|limit| addressed > *limit) {
            return does_not(format!("it takes about {addressed} MiB, and a page can have {limit} MiB"));
        }
        // A quarter is left to the system and other programs.
        let all = host.saturating_add(weights);
        if let Some(limit) = room.memory_bytes.map(|bytes| mib(bytes) / 4 * 3).filter(|limit| all > *limit) {
            return does_not(format!("it takes about {all} MiB, and this device has about {limit} MiB to spare"));
        }
        Ok(())
    }
}
