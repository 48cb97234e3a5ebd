//! What the worker's global scope gives: clock, event loop, memory size, and where panics and logs go.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, WorkerGlobalScope};

use crate::pace::Pace;

/// Computation runs at most this long before messages and drawing get their turn, where it has a place to pause.
const TURN_MS: f64 = 12.0;

/// Runs the module's constructors, once, when it is instantiated.
///
/// Where no code calls them the linker lets every exported function do so, down to the allocation of a reference: all
/// the registrations of the tensor stack at each call took two fifths of the worker's time.
#[wasm_bindgen(start)]
fn construct() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: the linker defines it without parameters or result; nothing else has run in this instance before.
    unsafe { __wasm_call_ctors() }
}

/// Milliseconds of the monotonic clock; 0 where the scope has none.
pub(super) fn now() -> f64 {
    js_sys::global()
        .dyn_ref::<WorkerGlobalScope>()
        .and_then(WorkerGlobalScope::performance)
        .map_or(0.0, |performance| performance.now())
}

/// Whether the browser has WebGPU at all.
pub(super) fn has_webgpu() -> bool {
    let get = |object: &JsValue, name: &str| js_sys::Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let navigator = get(&js_sys::global(), "navigator");
    !navigator.is_undefined() && !get(&navigator, "gpu").is_undefined()
}

/// Memory of the machine, bytes: only where the browser says it, and below the value that it rounds all others to.
pub(super) fn device_memory() -> Option<u64> {
    /// Browsers name at most this many gibibytes.
    const MOST: f64 = 8.0;
    let get = |object: &JsValue, name: &str| js_sys::Reflect::get(object, &name.into()).ok();
    let gib = get(&get(&js_sys::global(), "navigator")?, "deviceMemory")?.as_f64()?;
    (gib > 0.0 && gib < MOST).then_some((gib * f64::from(1u32 << 30)) as u64)
}

/// Bytes of the wasm memory.
pub(super) fn memory_bytes() -> f64 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    f64::from(memory.buffer().unchecked_into::<js_sys::ArrayBuffer>().byte_length())
}

/// Lets the event loop run if computation had its turn. By a timer: messages to itself would keep Chromium from
/// giving the worker any animation frame (measured: none in 25 turns, against one per turn).
async fn breathe(last: Rc<Cell<f64>>) {
    if now() - last.get() < TURN_MS {
        return;
    }
    let promise = js_sys::Promise::new(&mut |resolve, _reject| {
        let global = js_sys::global();
        let scope: &WorkerGlobalScope = global.unchecked_ref();
        if scope.set_timeout_with_callback(&resolve).is_err() {
            // A scope without timers computes in one go. Resolving does not throw.
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    });
    // Never rejected.
    let _ = JsFuture::from(promise).await;
    last.set(now());
}

/// Pauses by letting the worker's event loop run.
pub(super) fn pace() -> Pace {
    let last = Rc::new(Cell::new(now()));
    Pace::new(move || Box::pin(breathe(last.clone())))
}

/// Sends panics to the page as `{ code: "crashed", message }`, and warnings and errors of libraries to the console.
pub(super) fn install_reporting() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        post_crash(&panic.to_string());
    }));
    // Refused if it was installed before: a second engine in the same worker.
    if log::set_logger(&ConsoleLog).is_ok() {
        log::set_max_level(log::LevelFilter::Warn);
    }
}

fn post_crash(message: &str) {
    let global = js_sys::global();
    let Some(scope) = global.dyn_ref::<DedicatedWorkerGlobalScope>() else { return };
    let crash = js_sys::Object::new();
    // Nothing is left to be done if even this fails: the trap that follows is seen by the page as well.
    let _ = js_sys::Reflect::set(&crash, &"code".into(), &"crashed".into());
    let _ = js_sys::Reflect::set(&crash, &"message".into(), &message.into());
    let _ = scope.post_message(&crash);
}

struct ConsoleLog;

impl log::Log for ConsoleLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = JsValue::from(format!("{}: {}", record.target(), record.args()));
        if record.level() == log::Level::Error {
            web_sys::console::error_1(&line);
        } else {
            web_sys::console::warn_1(&line);
        }
    }

    fn flush(&self) {}
}
