//! Actors and middleware of Troupe in Rust: as a native plugin, a `cdylib` that the host loads, or as a worker, a program that the
//! host starts and whose `main` is `serve` (feature `worker`).
//!
//! ```
//! use troupe_plugin::{Actor, Plugin, export_plugin};
//!
//! fn plugin() -> Plugin {
//!     Plugin::new("counter", "1.0.0").actor(
//!         Actor::new("counter")
//!             .event("changed")
//!             .action("increment", |c, (by,): (i64,)| {
//!                 let count = c.state("count")?.unwrap_or(0) + by;
//!                 c.set_state("count", &count)?;
//!                 c.broadcast("changed", &(count,))?;
//!                 Ok(count)
//!             }),
//!     )
//! }
//!
//! export_plugin!(plugin);
//! # fn main() {}
//! ```
//!
//! Middleware that goes around a call gets it: the rest of it, the scope that it runs in, and the host's relay.
//!
//! ```
//! use serde_json::{Value, json};
//! use troupe_plugin::{Call, Error, Plugin, kind};
//!
//! fn around(tool: Value, call: Call) -> Result<Value, Error> {
//!     call.host().mark("seen", json!({ "data": { "tool": tool["toolName"] } }))?;
//!     call.next(&tool["args"])
//! }
//!
//! fn plugin() -> Plugin {
//!     Plugin::new("around", "1.0.0").around(kind::TOOL_EXECUTION, "around", 0, around)
//! }
//! # plugin();
//! ```
//!
//! Each running actor has a work lane: its functions run one at a time, in the order in which the host asked, on one of the
//! plugin's work threads. They may block and take their time: only their own actor waits. Functions of different actors
//! run at the same time. Connections have a lane of their own, [`Actor::accept`], behind no work. What returns at once may
//! run in place, [`Actor::quick`].
//!
//! What a function writes is stored together with what it answers, or not at all. A panic is an error of that call alone:
//! it is caught, so a plugin must not be built with `panic = "abort"`.

#![deny(unsafe_code, missing_docs)]

#[doc(hidden)]
pub mod abi;
mod abort;
mod actor;
mod asking;
mod awake;
mod base64;
mod call;
mod cbor;
mod connections;
mod context;
mod deferred;
mod error;
mod flows;
mod frames;
#[cfg(all(feature = "worker", not(target_family = "wasm")))]
mod grpc;
mod guarded;
#[cfg(all(feature = "worker", not(target_family = "wasm")))]
mod handover;
mod hello;
mod host;
mod invocations;
mod kept;
mod kv;
#[cfg_attr(target_family = "wasm", path = "lanes_wasm.rs")]
mod lanes;
mod limits;
mod other;
mod plugin;
mod question;
mod queue;
mod requests;
mod running;
mod schedule;
mod session;
mod sockets;
mod sql;
mod task;
mod turn;
mod value;
mod value_json;
mod voice;
mod waits;
mod wire;
#[cfg(all(feature = "worker", not(target_family = "wasm")))]
mod worker;

pub use abort::Abort;
pub use actor::Actor;
pub use awake::KeepAwake;
pub use call::{Call, Chunks, kind};
pub use connections::Connection;
pub use context::Context;
pub use deferred::Deferred;
pub use error::Error;
pub use host::{Host, HostScope, Level};
pub use kv::{Entry, KeyRange, Kv};
pub use other::Other;
pub use plugin::Plugin;
pub use question::{Asked, Asks};
/// A value that is passed on as it came, unread: also one with a text that serde_json can't hold.
pub type Raw = Box<serde_json::value::RawValue>;

pub use queue::{DeliveryPolicy, Queue, QueueMessage};
pub use requests::{Request, Response};
pub use schedule::{Cron, Job, Schedule, Scheduled};
pub use sockets::{Message, Socket};
pub use sql::Changes;
pub use turn::{Transaction, Turn};
pub use value::{BigInt, ErrorValue, NoValue, Value, View};
#[cfg(all(feature = "worker", not(target_family = "wasm")))]
pub use worker::serve;

/// Exports the five functions of the plugin ABI. The argument is a function that makes the [`Plugin`].
#[macro_export]
macro_rules! export_plugin {
    ($make:path) => {
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn troupe_plugin_abi() -> u32 {
                $crate::abi::ABI
            }
            #[cfg(target_family = "wasm")]
            #[unsafe(no_mangle)]
            extern "C" fn troupe_plugin_alloc(size: usize) -> *mut u8 {
                $crate::abi::alloc(size)
            }
            #[cfg(target_family = "wasm")]
            #[unsafe(no_mangle)]
            unsafe extern "C" fn troupe_plugin_free(memory: *mut u8, size: usize) {
                unsafe { $crate::abi::free(memory, size) }
            }
            #[unsafe(no_mangle)]
            unsafe extern "C" fn troupe_plugin_open(
                host: *const $crate::abi::Host,
                _config: *const u8,
                _n: usize,
                out: *mut *mut $crate::abi::Handle,
            ) -> i32 {
                unsafe { $crate::abi::open(host, out, $make) }
            }
            #[unsafe(no_mangle)]
            unsafe extern "C" fn troupe_plugin_push(
                plugin: *mut $crate::abi::Handle,
                frames: *const u8,
                n: usize,
            ) -> i32 {
                unsafe { $crate::abi::push(plugin, frames, n) }
            }
            #[unsafe(no_mangle)]
            unsafe extern "C" fn troupe_plugin_pull(
                plugin: *mut $crate::abi::Handle,
                into: *mut u8,
                capacity: usize,
            ) -> i64 {
                unsafe { $crate::abi::pull(plugin, into, capacity) }
            }
            #[unsafe(no_mangle)]
            unsafe extern "C" fn troupe_plugin_close(
                plugin: *mut $crate::abi::Handle,
                timeout_ms: u32,
            ) -> i32 {
                unsafe { $crate::abi::close(plugin, timeout_ms) }
            }
        };
    };
}
