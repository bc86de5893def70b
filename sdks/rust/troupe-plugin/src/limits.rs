//! Limits of the runtime's that a plugin keeps as well: those of `limits.ts`, by the same names.

#![cfg_attr(any(not(feature = "worker"), target_family = "wasm"), allow(dead_code))]

/// One frame between host and plugin, either way.
pub const PLUGIN_FRAME_BYTES: usize = 67_174_400;
/// Frames that wait for the host.
pub const PLUGIN_QUEUED_FRAMES: usize = 65_536;
/// One message between a host and a worker.
pub const WORKER_MESSAGE_BYTES: usize = 67_239_936;
/// A request's body that is read whole; a longer one is refused.
pub const PLUGIN_REQUEST_BODY_BYTES: usize = 8_388_608;
