//! Why there is no device, or not any more.

/// Why no device could be opened, or why an open one stopped working.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The browser has no `navigator.gpu`.
    #[error("this browser has no WebGPU")]
    NoWebGpu,
    /// WebGPU or Vulkan is there, but offers no adapter.
    #[error("no graphics adapter is available ({0})")]
    NoAdapter(String),
    /// The adapter refused a device.
    #[error("the graphics adapter refused to open ({0})")]
    Refused(String),
    /// The device was lost: driver reset, GPU process crash, machine asleep.
    #[error("the graphics device was lost ({0})")]
    Lost(String),
    /// The device ran out of memory.
    #[error("the graphics device ran out of memory ({0})")]
    OutOfMemory(String),
    /// The device rejected work of ours.
    #[error("the graphics device rejected a command ({0})")]
    Rejected(String),
    /// Not one of auto, cpu, gpu.
    #[error("unknown device \"{0}\"")]
    Choice(String),
}

impl DeviceError {
    /// The code shared with the page.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoWebGpu => "no-webgpu",
            Self::NoAdapter(_) | Self::Refused(_) => "no-adapter",
            Self::Lost(_) | Self::Rejected(_) => "device-lost",
            Self::OutOfMemory(_) => "out-of-memory",
            Self::Choice(_) => "bad-request",
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::NoWebGpu => "open the page in a browser with WebGPU, for example a current Chrome, Edge or Safari",
            Self::NoAdapter(_) | Self::Refused(_) => "update the graphics driver, or choose the CPU",
            Self::Lost(_) | Self::Rejected(_) => "export what is there, then restart the engine",
            Self::OutOfMemory(_) => "close other tabs, or use a smaller model or fewer points",
            Self::Choice(_) => "use auto, cpu or gpu",
        }
    }
}
