//! What the worker's global scope gives: clock, event loop, memory size, and where panics and logs go.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, WorkerGlobalScope};

use crate::pace::Pace;

/// Computation runs at most this long before messages and drawing get their turn, where it has a place to pause.
const TURN_MS: f64 = 12.0;

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

/// Bytes of the wasm memory.
pub(super) fn memory_bytes() -> f64 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    f64::from(memory.buffer().unchecked_into::<js_sys::ArrayBuffer>().byte_length())
}

/// Returns to the event loop by a message to itself: fair to other messages and to animation frames, and not
/// slowed down like timers are.
struct EventLoop {
    channel: MessageChannel,
    waiting: Rc<RefCell<Vec<js_sys::Function>>>,
    last: Cell<f64>,
    _on_message: Closure<dyn FnMut()>,
}

impl EventLoop {
    fn new() -> Option<Self> {
        let channel = MessageChannel::new().ok()?;
        let waiting = Rc::<RefCell<Vec<js_sys::Function>>>::default();
        let resolvers = waiting.clone();
        let on_message = Closure::<dyn FnMut()>::new(move || {
            for resolve in resolvers.take() {
                // Resolving a promise does not throw.
                let _ = resolve.call0(&JsValue::UNDEFINED);
            }
        });
        channel.port1().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Some(Self { channel, waiting, last: Cell::new(now()), _on_message: on_message })
    }

    async fn turn(&self) {
        if now() - self.last.get() < TURN_MS {
            return;
        }
        let mut executor = |resolve: js_sys::Function, _reject: js_sys::Function| {
            self.waiting.borrow_mut().push(resolve);
        };
        let promise = js_sys::Promise::new(&mut executor);
        if self.channel.port2().post_message(&JsValue::NULL).is_ok() {
            // Never rejected.
            let _ = JsFuture::from(promise).await;
        }
        self.last.set(now());
    }
}

/// Pauses by letting the worker's event loop run.
pub(super) fn pace() -> Pace {
    let Some(event_loop) = EventLoop::new().map(Rc::new) else { return Pace::none() };
    Pace::new(move || {
        let event_loop = event_loop.clone();
        Box::pin(async move { event_loop.turn().await })
    })
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
