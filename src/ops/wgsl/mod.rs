//! The network's own GPU kernels: WGSL from `shaders/kernels`, launched through cubecl on burn's buffers.
//!
//! One file here per kernel (launch and contract); the text is a template (`source`) of which every instance has
//! an identity, so each is compiled once. There are two variants: *portable*, without barriers or workgroup
//! memory, for software adapters, where barriers cost more than they save; and *tiled*, with workgroup memory,
//! for real GPUs. Which one runs is decided once, when the device is opened.

pub(crate) mod attention;
pub(crate) mod linear;
pub(crate) mod map;
pub(crate) mod norm;
pub(crate) mod patches;
pub(crate) mod pointers;
pub(crate) mod record;
pub(crate) mod rotary;
mod source;
mod timer;

use std::sync::atomic::{AtomicU8, Ordering};

use burn::tensor::{DType, Device, ExecutionError, Int, Shape, Tensor};
use burn_cubecl::cubecl::prelude::KernelId;
use burn_cubecl::cubecl::server::{Handle, KernelArguments, MetadataBindingInfo};
use burn_cubecl::cubecl::{CubeCount, CubeDim, ExecutionMode};
use burn_wgpu::{CubeTensor, KernelSource, SourceKernel, SourceTemplate, Wgpu, into_contiguous};

pub use record::{Recording, StageUsage, Usage};
pub(crate) use source::{Text, with_head};
pub use timer::Timer;

/// The form of the kernels that a device runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Variant {
    /// Register tiles only: software adapters.
    Portable = 0,
    /// Workgroup memory and barriers: real GPUs.
    Tiled = 1,
    /// burn's own operations: for comparison.
    Stock = 2,
}

/// A process opens one GPU; whoever opens it says what it is. Portable kernels run everywhere.
static CHOSEN: AtomicU8 = AtomicU8::new(Variant::Portable as u8);

impl Variant {
    /// What networks that are built from now on run on a GPU.
    pub fn choose(self) {
        CHOSEN.store(self as u8, Ordering::Relaxed);
    }

    /// The kernels for tensors of `device`; `None` where burn's own operations run.
    pub(crate) fn of(device: &Device) -> Option<Self> {
        if super::is_host(device) {
            return None;
        }
        match CHOSEN.load(Ordering::Relaxed) {
            0 => Some(Self::Portable),
            1 => Some(Self::Tiled),
            _ => None,
        }
    }
}

/// One instance of a kernel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Kernel {
    /// Its file, for people.
    pub(crate) name: &'static str,
    /// Its template.
    pub(crate) text: Text,
    /// Invocations per workgroup.
    pub(crate) group: [u32; 3],
}

impl KernelSource for Kernel {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(self.text.instance())
    }

    fn id(&self) -> KernelId {
        let [x, y, z] = self.group;
        // The text keeps itself in bounds, and its loops end.
        KernelId::new::<Self>()
            .info((self.name, self.text.flags.clone(), self.text.numbers.clone()))
            .cube_dim(CubeDim::new_3d(x, y, z).0)
            .mode(ExecutionMode::Unchecked)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// A contiguous f32 buffer on the GPU.
#[derive(Debug, Clone)]
pub(crate) struct Buffer(CubeTensor);

impl Buffer {
    /// The buffer of a tensor, laid out contiguously; `None` off the GPU.
    pub(crate) fn of<const D: usize>(tensor: Tensor<D>) -> Option<Self> {
        tensor.try_into_primitive::<Wgpu>().ok().map(|t| Self(into_contiguous(t)))
    }

    /// The buffer of an integer tensor.
    pub(crate) fn of_int<const D: usize>(tensor: Tensor<D, Int>) -> Option<Self> {
        tensor.try_into_primitive::<Wgpu>().ok().map(|t| Self(into_contiguous(t)))
    }

    /// An uninitialised buffer of `shape` beside this one.
    pub(crate) fn beside<const D: usize>(&self, shape: [usize; D]) -> Self {
        let bytes = shape.iter().product::<usize>() * size_of::<f32>();
        record::allocated(bytes);
        let handle = self.0.client.empty(bytes);
        let (client, device) = (self.0.client.clone(), self.0.device.clone());
        Self(CubeTensor::new_contiguous(client, device, Shape::from(shape), handle, DType::F32))
    }

    /// Words beside this buffer, uploaded.
    pub(crate) fn words_beside(&self, words: &[u32]) -> Self {
        record::allocated(size_of_val(words));
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let handle = self.0.client.create_from_slice(&bytes);
        let (client, device) = (self.0.client.clone(), self.0.device.clone());
        Self(CubeTensor::new_contiguous(client, device, Shape::from([words.len()]), handle, DType::F32))
    }

    /// The first `rows` rows of a buffer `[rows, width]` that has at least as many, without a copy.
    pub(crate) fn first_rows(&self, rows: usize, width: usize) -> Self {
        let used = (rows * width * size_of::<f32>()) as u64;
        let handle = self.0.handle.clone();
        let spare = handle.size_in_used().saturating_sub(used);
        let (client, device) = (self.0.client.clone(), self.0.device.clone());
        Self(CubeTensor::new_contiguous(
            client,
            device,
            Shape::from([rows, width]),
            handle.offset_end(spare),
            DType::F32,
        ))
    }

    /// Its words, read back. Where it ends depends on the shape, not on the room behind it.
    pub(crate) async fn read_words(&self) -> Result<Vec<u32>, ExecutionError> {
        record::read(self.handle().size_in_used());
        let read = self.0.client.read_async(vec![self.0.handle.clone()]).await;
        let parts = read.map_err(|e| ExecutionError::WithContext { reason: format!("{e:?}") })?;
        let (words, _) = parts.first().map(|bytes| bytes.as_chunks::<4>()).unwrap_or_default();
        Ok(words.iter().map(|word| u32::from_ne_bytes(*word)).collect())
    }

    /// As a tensor of the shape it was made with.
    pub(crate) fn tensor<const D: usize>(self) -> Tensor<D> {
        Tensor::from_primitive::<Wgpu>(self.0)
    }

    fn handle(&self) -> &Handle {
        &self.0.handle
    }
}

/// Runs `kernel` over `groups` workgroups. Bindings are `inputs`, then `outputs`, then the uniform `info`.
///
/// All buffers are bound for reading and writing: burn cuts them from shared ones, which one dispatch may not
/// bind in two ways.
pub(crate) fn launch(kernel: Kernel, groups: [usize; 3], inputs: &[&Buffer], outputs: &[&Buffer], info: &[u32]) {
    use burn_cubecl::cubecl::ir::attributes::BufferIOAttr as Io;
    let Some(first) = outputs.first() else { return };
    let mut arguments = KernelArguments::new();
    for buffer in inputs {
        arguments = arguments.with_buffer_io(buffer.handle().clone().binding(), Io::ReadOnly);
    }
    for buffer in outputs {
        arguments = arguments.with_buffer_io(buffer.handle().clone().binding(), Io::ReadWrite);
    }
    // Uniform buffers are bound in units of 16 bytes.
    let words = info.len().next_multiple_of(4);
    let word = |i: usize| u64::from(info.get(i).copied().unwrap_or(0));
    let packed = (0..words / 2).map(|i| word(2 * i) | word(2 * i + 1) << 32).collect();
    arguments = arguments.with_info(MetadataBindingInfo::custom(packed));
    record::launched(&kernel, inputs.iter().chain(outputs).map(|b| b.handle().size_in_used()));
    let [x, y, z] = groups.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let [gx, gy, gz] = kernel.group;
    let dim = CubeDim::new_3d(gx, gy, gz);
    first.0.client.launch(Box::new(SourceKernel::new(kernel, dim)), CubeCount::Static(x, y, z), arguments);
}

/// A count as the 32 bits that shaders count with.
pub(crate) fn word(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
pub(crate) mod tests {
    use std::sync::OnceLock;

    use burn::tensor::TensorData;
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::*;

    /// The GPU of this machine, opened once; `None` says why on the output.
    pub(crate) fn gpu() -> Option<Device> {
        static DEVICE: OnceLock<Option<Device>> = OnceLock::new();
        let device = DEVICE.get_or_init(|| Device::wgpu_options().init().ok()).clone();
        if device.is_none() {
            println!("skipped: no GPU adapter; install a Vulkan driver (software: mesa-vulkan-drivers)");
        }
        device
    }

    /// Values in -1..1.
    pub(crate) fn random(count: usize, seed: u32) -> Vec<f32> {
        let mut x = seed.wrapping_mul(0x9E37_79B9) | 1;
        (0..count)
            .map(|_| {
                x ^= x << 13;
                x ^= x >> 17;
                x ^= x << 5;
                (x >> 8) as f32 / 8_388_608.0 - 1.0
            })
            .collect()
    }

    pub(crate) fn upload(values: &[f32], device: &Device) -> Buffer {
        let data = TensorData::new(values.to_vec(), [values.len()]);
        Buffer::of(Tensor::<1>::from_data(data, device)).unwrap()
    }

    pub(crate) fn read(buffer: Buffer) -> Vec<f32> {
        let t = buffer.0;
        let shape = Shape::from([t.meta.shape().iter().product::<usize>()]);
        let flat = CubeTensor::new_contiguous(t.client, t.device, shape, t.handle, t.dtype);
        Tensor::<1>::from_primitive::<Wgpu>(flat).into_data().try_into_vec().unwrap()
    }

    pub(crate) fn worst(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len());
        a.iter()
            .zip(b)
            .map(|(a, b)| if a.is_nan() != b.is_nan() { f32::INFINITY } else { (a - b).abs() })
            .fold(0.0, f32::max)
    }

    /// naga accepts the text.
    pub(crate) fn validate(kernel: &Kernel) {
        let source = kernel.text.instance();
        let module = naga::front::wgsl::parse_str(&source)
            .unwrap_or_else(|e| panic!("{} does not parse:\n{}", kernel.name, e.emit_to_string(&source)));
        Validator::new(ValidationFlags::all(), Capabilities::default() | Capabilities::SHADER_FLOAT16_IN_FLOAT32)
            .validate(&module)
            .unwrap_or_else(|e| panic!("{} is invalid:\n{}", kernel.name, e.emit_to_string(&source)));
    }
}
