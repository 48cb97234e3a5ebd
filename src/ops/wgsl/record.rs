//! A recording of what the kernels bind and allocate: for tests of limits and for the bench.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Kernel;

/// What was launched while a recording was open.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Dispatches by kernel.
    pub dispatches: BTreeMap<&'static str, usize>,
    /// Different kernel texts.
    pub pipelines: usize,
    /// Bytes of all buffers bound, each time they are bound.
    pub bound_bytes: u64,
    /// Largest single binding, bytes.
    pub largest_binding: u64,
    /// Largest single allocation, bytes.
    pub largest_allocation: u64,
    /// Allocations.
    pub allocations: usize,
    /// Bytes read back by the kernels' own readbacks.
    pub read_bytes: u64,
    /// How many of them there were.
    pub reads: usize,
    /// Floating point operations of linear maps, convolutions and attention; a product and its sum are two.
    pub flops: u64,
    /// The same by stage of the frame, in order.
    pub stages: Vec<StageUsage>,
}

/// What one stage of a frame launched.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageUsage {
    /// As the probe names it.
    pub name: &'static str,
    /// Dispatches of the kernels.
    pub dispatches: usize,
    /// Operations, as in [`Usage::flops`].
    pub flops: u64,
    /// Bytes bound, as in [`Usage::bound_bytes`].
    pub bound_bytes: u64,
}

impl Usage {
    /// All dispatches of the kernels; copies and the like that burn makes between them are not counted.
    #[must_use]
    pub fn total_dispatches(&self) -> usize {
        self.dispatches.values().sum()
    }
}

#[derive(Debug, Default)]
struct Open {
    usage: Usage,
    kernels: Vec<Kernel>,
}

static OPEN: Mutex<Option<Open>> = Mutex::new(None);
static RECORDING: AtomicBool = AtomicBool::new(false);

/// Records every launch of the process until it is finished. One at a time.
#[derive(Debug)]
pub struct Recording(());

impl Recording {
    /// Starts recording; `None` while another one is open.
    #[must_use]
    pub fn start() -> Option<Self> {
        let mut open = OPEN.lock().ok()?;
        if open.is_some() {
            return None;
        }
        *open = Some(Open::default());
        RECORDING.store(true, Ordering::Relaxed);
        Some(Self(()))
    }

    /// What was recorded.
    #[must_use]
    pub fn finish(self) -> Usage {
        take()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        take();
    }
}

fn take() -> Usage {
    RECORDING.store(false, Ordering::Relaxed);
    let open = OPEN.lock().ok().and_then(|mut open| open.take());
    open.map_or_else(Usage::default, |open| Usage { pipelines: open.kernels.len(), ..open.usage })
}

fn note(change: impl FnOnce(&mut Open)) {
    if RECORDING.load(Ordering::Relaxed)
        && let Ok(mut open) = OPEN.lock()
        && let Some(open) = open.as_mut()
    {
        change(open);
    }
}

pub(super) fn allocated(bytes: usize) {
    note(|open| {
        open.usage.allocations += 1;
        open.usage.largest_allocation = open.usage.largest_allocation.max(bytes as u64);
    });
}

pub(super) fn read(bytes: u64) {
    note(|open| {
        open.usage.reads += 1;
        open.usage.read_bytes += bytes;
    });
}

/// A product of that many operations was launched.
pub(super) fn computed(flops: usize) {
    note(|open| open.usage.flops += flops as u64);
}

/// A stage of the frame ends: what was launched since the last one is its own.
pub(crate) fn stage(name: &'static str) {
    note(|open| {
        let usage = &mut open.usage;
        let before = |of: fn(&StageUsage) -> u64| usage.stages.iter().map(of).sum::<u64>();
        let dispatches = usage.total_dispatches() - usage.stages.iter().map(|s| s.dispatches).sum::<usize>();
        let flops = usage.flops - before(|s| s.flops);
        let bound_bytes = usage.bound_bytes - before(|s| s.bound_bytes);
        usage.stages.push(StageUsage { name, dispatches, flops, bound_bytes });
    });
}

pub(super) fn launched(kernel: &Kernel, bindings: impl Iterator<Item = u64>) {
    note(|open| {
        *open.usage.dispatches.entry(kernel.name).or_default() += 1;
        if !open.kernels.contains(kernel) {
            open.kernels.push(kernel.clone());
        }
        for bytes in bindings {
            open.usage.bound_bytes += bytes;
            open.usage.largest_binding = open.usage.largest_binding.max(bytes);
        }
    });
}
