//! The compute device: what the machine offers (its tier), what inference runs on, and how a lost GPU is noticed.
//!
//! One wgpu instance, adapter and device serve both `burn` and the renderer. The tier decides once, here:
//! a real GPU computes; a software rasteriser (`SwiftShader`, lavapipe, WARP) only draws, because burn's CPU
//! backend is far faster there; without any adapter everything runs on the CPU and nothing is drawn.
//! Failures after opening (device lost, uncaptured validation or memory errors) arrive asynchronously and are
//! kept in [`GpuEvents`] until somebody asks.

mod error;
mod events;

use std::{str::FromStr, sync::Arc};

use burn::tensor::Device;
use serde::Serialize;

use crate::kernels::Variant;

pub use self::{
    error::DeviceError,
    events::{GpuEvents, UntilLost},
};

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The GPU where it is a real one, else the CPU.
    #[default]
    Auto,
    /// The CPU, whatever the machine has.
    Cpu,
    /// The GPU, even a software one; an error where there is none.
    Gpu,
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu),
            other => Err(DeviceError::Choice(other.to_owned())),
        }
    }
}

/// Where inference runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// burn's SIMD CPU backend.
    Cpu,
    /// wgpu.
    Gpu,
}

/// What kind of adapter the machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// No adapter at all.
    None,
    /// A rasteriser on the CPU: correct, slow.
    Software,
    /// A GPU.
    Hardware,
}

/// The numbers a user or a bug report needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceReport {
    /// Where inference runs.
    pub backend: Backend,
    /// What the adapter is.
    pub tier: Tier,
    /// The adapter's own name, with its API; "none" without one.
    pub adapter: String,
    /// Half precision in shaders.
    pub f16: bool,
    /// Subgroup operations in shaders.
    pub subgroups: bool,
    /// What the device was opened with.
    pub limits: DeviceLimits,
    /// Why this backend was chosen, one sentence.
    pub note: String,
}

/// The limits that decide which kernels and sizes fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceLimits {
    /// Largest buffer, bytes.
    pub buffer_bytes: u64,
    /// Largest storage binding, bytes.
    pub binding_bytes: u64,
    /// Storage buffers per shader stage.
    pub storage_buffers: u32,
    /// Workgroup memory, bytes.
    pub workgroup_bytes: u32,
    /// Invocations per workgroup.
    pub workgroup_invocations: u32,
}

/// An open adapter and device, shared by inference and rendering. Handles: cloning is cheap.
#[derive(Debug, Clone)]
pub struct Gpu {
    /// Kept alive for surfaces.
    pub instance: wgpu::Instance,
    /// The physical device.
    pub adapter: wgpu::Adapter,
    /// The logical device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// What kind of adapter it is.
    pub tier: Tier,
    /// What it reported since.
    pub events: GpuEvents,
}

impl Gpu {
    /// An instance on the primary APIs of the platform (WebGPU in a browser).
    #[must_use]
    pub fn instance() -> wgpu::Instance {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::PRIMARY;
        wgpu::Instance::new(descriptor)
    }

    /// Opens the best adapter of `instance` with all its real limits, able to present to `surface` if one is given.
    ///
    /// # Errors
    /// [`DeviceError::NoAdapter`] or [`DeviceError::Refused`].
    pub async fn open(instance: wgpu::Instance, surface: Option<&wgpu::Surface<'_>>) -> Result<Self, DeviceError> {
        let adapter = instance
            .request_adapter(&wgpu::RequestAdapterOptions {
                power_preference: wgpu::PowerPreference::HighPerformance,
                compatible_surface: surface,
                ..Default::default()
            })
            .await
            .map_err(|e| DeviceError::NoAdapter(e.to_string()))?;
        let wanted = wgpu::Features::SHADER_F16 | wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY;
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("point3r"),
                // Only what kernels may use: burn itself asks the adapter, so every feature it could pick must be on.
                required_features: (adapter.features() & wanted) | compute_features(&adapter),
                required_limits: adapter.limits(),
                memory_hints: wgpu::MemoryHints::MemoryUsage,
                ..Default::default()
            })
            .await
            .map_err(|e| DeviceError::Refused(e.to_string()))?;
        let events = GpuEvents::default();
        let sink = events.clone();
        device.set_device_lost_callback(move |reason, message| {
            sink.report_lost(DeviceError::Lost(format!("{reason:?}: {message}")));
        });
        let sink = events.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            sink.report_error(match error {
                wgpu::Error::OutOfMemory { source } => DeviceError::OutOfMemory(source.to_string()),
                wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
                    DeviceError::Rejected(description)
                }
            });
        }));
        let tier = tier_of(&adapter.get_info());
        Ok(Self { instance, adapter, device, queue, tier, events })
    }

    /// The adapter's name with its API, for people.
    #[must_use]
    pub fn name(&self) -> String {
        let info = self.adapter.get_info();
        let name = if info.name.is_empty() { "unnamed adapter" } else { &info.name };
        format!("{name} ({})", info.backend)
    }

    /// Registers this device with burn, and says which form of the kernels it runs. Once per device: burn gives
    /// every registration a new identity.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] where burn cannot run on it.
    pub fn burn_device(&self) -> Result<Device, DeviceError> {
        let setup = burn::tensor::wgpu::WgpuSetup {
            instance: self.instance.clone(),
            adapter: self.adapter.clone(),
            device: self.device.clone(),
            queue: self.queue.clone(),
            backend: self.adapter.get_info().backend,
        };
        let device = Device::wgpu_options().setup(setup).init().map_err(|e| DeviceError::Refused(e.to_string()))?;
        match self.tier {
            Tier::Hardware => Variant::Tiled,
            Tier::Software | Tier::None => Variant::Portable,
        }
        .choose();
        Ok(device)
    }
}

/// burn decides by the adapter's features what its kernels use, so the device must have them enabled.
fn compute_features(adapter: &wgpu::Adapter) -> wgpu::Features {
    let used = wgpu::Features::SHADER_F64
        | wgpu::Features::SHADER_INT64
        | wgpu::Features::SHADER_FLOAT32_ATOMIC
        | wgpu::Features::PIPELINE_CACHE;
    adapter.features() & used
}

fn tier_of(info: &wgpu::AdapterInfo) -> Tier {
    let name = info.name.to_lowercase();
    let software = ["swiftshader", "llvmpipe", "lavapipe", "basic render", "warp"];
    if info.device_type == wgpu::DeviceType::Cpu || software.iter().any(|s| name.contains(s)) {
        Tier::Software
    } else {
        Tier::Hardware
    }
}

/// The device inference runs on, and the GPU (if any) that draws.
#[derive(Debug, Clone)]
pub struct Compute {
    /// What models and tensors are created on.
    pub device: Device,
    /// What it is.
    pub report: DeviceReport,
    /// The adapter, open, if there is one and it was asked for.
    pub gpu: Option<Gpu>,
}

impl Compute {
    /// Chooses where to compute, given the GPU that was found or the reason why there is none.
    ///
    /// # Errors
    /// With [`DeviceChoice::Gpu`] the reason why there is no GPU; otherwise never.
    pub fn choose(choice: DeviceChoice, gpu: Result<Gpu, DeviceError>) -> Result<Self, DeviceError> {
        let (use_gpu, note) = match (choice, &gpu) {
            (DeviceChoice::Gpu, Err(error)) => return Err(error.clone()),
            (DeviceChoice::Gpu, Ok(_)) => (true, "the GPU was asked for".to_owned()),
            (DeviceChoice::Cpu, _) => (false, "the CPU was asked for".to_owned()),
            (DeviceChoice::Auto, Err(error)) => (false, format!("computing on the CPU: {error}")),
            (DeviceChoice::Auto, Ok(gpu)) if gpu.tier == Tier::Hardware => (true, "computing on the GPU".to_owned()),
            (DeviceChoice::Auto, Ok(_)) => {
                (false, "computing on the CPU: the graphics adapter is a software one".to_owned())
            }
        };
        let gpu = gpu.ok();
        let (device, backend, note) = match &gpu {
            Some(gpu) if use_gpu => match gpu.burn_device() {
                Ok(device) => (device, Backend::Gpu, note),
                Err(error) if choice == DeviceChoice::Gpu => return Err(error),
                Err(error) => (Device::flex(), Backend::Cpu, format!("computing on the CPU: {error}")),
            },
            _ => (Device::flex(), Backend::Cpu, note),
        };
        let features = gpu.as_ref().map_or(wgpu::Features::empty(), |g| g.device.features());
        let report = DeviceReport {
            backend,
            tier: gpu.as_ref().map_or(Tier::None, |g| g.tier),
            adapter: gpu.as_ref().map_or_else(|| "none".to_owned(), Gpu::name),
            f16: features.contains(wgpu::Features::SHADER_F16),
            subgroups: features.contains(wgpu::Features::SUBGROUP),
            limits: gpu.as_ref().map(|g| limits_of(&g.device.limits())).unwrap_or_default(),
            note,
        };
        Ok(Self { device, report, gpu })
    }

    /// Opens the device for the command line. The CPU choice touches no graphics driver.
    ///
    /// # Errors
    /// See [`Compute::choose`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(choice: DeviceChoice) -> Result<Self, DeviceError> {
        let gpu = match choice {
            DeviceChoice::Cpu => Err(DeviceError::NoAdapter("not looked for".to_owned())),
            _ => pollster::block_on(Gpu::open(Gpu::instance(), None)),
        };
        Self::choose(choice, gpu)
    }

    /// Bytes burn has reserved on the GPU; 0 on the CPU.
    #[must_use]
    pub fn gpu_bytes(&self) -> u64 {
        match self.report.backend {
            Backend::Gpu if self.gpu.as_ref().is_none_or(|g| g.events.lost().is_none()) => {
                self.device.memory_pool_usage().map_or(0, |usage| usage.bytes_reserved)
            }
            _ => 0,
        }
    }
}

fn limits_of(limits: &wgpu::Limits) -> DeviceLimits {
    DeviceLimits {
        buffer_bytes: limits.max_buffer_size,
        binding_bytes: limits.max_storage_buffer_binding_size,
        storage_buffers: limits.max_storage_buffers_per_shader_stage,
        workgroup_bytes: limits.max_compute_workgroup_storage_size,
        workgroup_invocations: limits.max_compute_invocations_per_workgroup,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn auto_without_adapter_computes_on_the_cpu_and_says_why() {
        let compute = Compute::choose(DeviceChoice::Auto, Err(DeviceError::NoWebGpu)).unwrap();
        assert_eq!((compute.report.backend, compute.report.tier), (Backend::Cpu, Tier::None));
        assert!(compute.report.note.contains("no WebGPU"), "{}", compute.report.note);
    }

    #[test]
    fn gpu_without_adapter_is_an_error_with_its_code() {
        let error = Compute::choose(DeviceChoice::Gpu, Err(DeviceError::NoWebGpu)).unwrap_err();
        assert_eq!(error.code(), "no-webgpu");
        assert_eq!("tpu".parse::<DeviceChoice>().unwrap_err().code(), "bad-request");
    }

    #[test]
    fn software_adapter_draws_and_auto_computes_on_the_cpu() {
        let Ok(gpu) = pollster::block_on(Gpu::open(Gpu::instance(), None)) else {
            println!("skipped: no graphics adapter on this machine");
            return;
        };
        let tier = gpu.tier;
        let compute = Compute::choose(DeviceChoice::Auto, Ok(gpu)).unwrap();
        let expected = if tier == Tier::Hardware { Backend::Gpu } else { Backend::Cpu };
        assert_eq!(compute.report.backend, expected, "{:?}", compute.report);
        assert!(compute.report.limits.binding_bytes >= 128 << 20);
    }
}
