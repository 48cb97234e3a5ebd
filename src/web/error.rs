//! What JavaScript is thrown: a code of the closed set, what happened, and what to do.

use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::device::DeviceError;
use crate::model::ModelError;
use crate::scene_log::SceneLogError;
use crate::session::SessionError;
use crate::verify::VerifyError;
use crate::weights::WeightsError;

/// `{ code, message, action }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct EngineError {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) action: &'static str,
}

impl EngineError {
    pub(super) fn new(code: &'static str, message: String) -> Self {
        Self { code, message, action: action(code) }
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::new("bad-request", message.to_owned())
    }

    pub(super) fn busy() -> Self {
        Self::new("busy", "a frame is being computed".to_owned())
    }
}

/// What the user can do, where the error itself does not know better.
fn action(code: &str) -> &'static str {
    match code {
        "busy" => "wait for the frame to be done",
        "empty-cloud" => "reconstruct some frames first",
        "manifest-invalid" | "shard-damaged" | "shard-truncated" | "damaged-file" => "download the model again",
        "tensor-shape" | "unsupported-file" | "model-not-found" => "choose another model",
        "scene-damaged" | "scene-empty" => "ask for the scene again",
        "scene-too-large" => "make a smaller scene",
        "image-damaged" => "skip this frame",
        "device-lost" => "export what is there, then restart the engine",
        "out-of-memory" => "use a smaller model or fewer points",
        "crashed" => "restart the engine, on the CPU if it happens again",
        _ => "try again",
    }
}

impl From<DeviceError> for EngineError {
    fn from(error: DeviceError) -> Self {
        Self { code: error.code(), message: error.to_string(), action: error.action() }
    }
}

impl From<SessionError> for EngineError {
    fn from(error: SessionError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<SceneLogError> for EngineError {
    fn from(error: SceneLogError) -> Self {
        Self {
            action: "go on with the frames before that, or begin a new scan",
            ..Self::new(error.code(), error.to_string())
        }
    }
}

impl From<WeightsError> for EngineError {
    fn from(error: WeightsError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<VerifyError> for EngineError {
    fn from(error: VerifyError) -> Self {
        let code = match &error {
            VerifyError::File { .. } => "damaged-file",
            VerifyError::Weights(e) => e.code(),
            VerifyError::Model(ModelError::Device(_)) => "device-lost",
            VerifyError::Model(_) => "bad-request",
        };
        Self::new(code, error.to_string())
    }
}

impl From<EngineError> for JsValue {
    fn from(error: EngineError) -> Self {
        use serde::Serialize as _;
        error.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or_else(|_| {
            // Three strings always serialise; should that change, the text still arrives.
            Self::from_str(&error.message)
        })
    }
}
