//! The native ABI, as `sdks/c/include/troupe_plugin.h` has it: the only unsafe code of the crate.
//!
//! The host calls `push` and `pull` from one thread at a time, never inside each other, and never after `close` began.
//! What threads of the plugin's own say goes to a queue with a lock, and a byte on the host's descriptor tells of it. No
//! panic leaves: one that isn't an author's breaks the plugin, and only `close` follows.

#![allow(unsafe_code)]
// What the host has to keep is written once, in troupe_plugin.h.
#![allow(clippy::missing_safety_doc, missing_docs)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::plugin::Plugin;
use crate::session::{self, Session};

/// Version 1.0.
pub const ABI: u32 = 1 << 16;

const BROKEN: i32 = -1;
const FULL: i32 = 1;
const STILL_RUNS: i32 = 1;
/// What tells the host that the queue is no longer empty: a byte on its descriptor. Where there is no thread but its own it
/// pulls behind each push, and wants none.
const WAKE: u32 = if cfg!(target_family = "wasm") { 0 } else { 1 };

/// What the host is.
#[repr(C)]
pub struct Host {
    pub size: u32,
    pub abi: u32,
    pub wake: i64,
    pub wake_kind: u32,
    pub max_frame: u32,
    pub max_queued: u32,
}

/// One open plugin.
pub struct Handle {
    session: Session,
    broken: bool,
}

pub unsafe fn open(host: *const Host, out: *mut *mut Handle, make: fn() -> Plugin) -> i32 {
    // SAFETY: the table is the host's and valid while open runs; it is at least as long as version 1.0 has it.
    let host = unsafe { &*host };
    if (host.size as usize) < size_of::<Host>() || host.wake_kind != WAKE {
        return BROKEN;
    }
    let Ok(plugin) = catch_unwind(make) else {
        return BROKEN;
    };
    let (max_frame, max_queued) = (host.max_frame as usize, host.max_queued as usize);
    let wake = wake_by(host.wake);
    let session = Session::new(plugin, session::Table { max_frame, max_queued, wake });
    let handle = Box::new(Handle { session, broken: false });
    // SAFETY: `out` is the host's, for one pointer.
    unsafe { *out = Box::into_raw(handle) };
    0
}

#[cfg(target_family = "wasm")]
fn wake_by(_nothing: i64) -> Box<dyn Fn() + Send + Sync> {
    Box::new(|| {})
}

#[cfg(not(target_family = "wasm"))]
fn wake_by(descriptor: i64) -> Box<dyn Fn() + Send + Sync> {
    use std::io::Write;
    use std::os::fd::{FromRawFd, RawFd};
    // SAFETY: the descriptor is the host's, open until close has returned 0, and then no thread of ours is left.
    let wake = std::mem::ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(descriptor as RawFd) });
    Box::new(move || {
        // EAGAIN: a signal is on its way. Nothing else can be done about anything else.
        let _ = (&*wake).write(b"!");
    })
}

/// Room for the host; null where there is none.
#[cfg(target_family = "wasm")]
pub fn alloc(size: usize) -> *mut u8 {
    match room_of(size) {
        // SAFETY: its size isn't 0.
        Some(room) => unsafe { std::alloc::alloc(room) },
        None => std::ptr::null_mut(),
    }
}

/// The host doesn't need it any more.
#[cfg(target_family = "wasm")]
pub unsafe fn free(memory: *mut u8, size: usize) {
    if let Some(room) = room_of(size) {
        // SAFETY: it is one of `alloc`'s, of that size, and the host gives it back.
        unsafe { std::alloc::dealloc(memory, room) }
    }
}

#[cfg(target_family = "wasm")]
fn room_of(size: usize) -> Option<std::alloc::Layout> {
    std::alloc::Layout::from_size_align(size.max(1), 16).ok()
}

pub unsafe fn push(plugin: *mut Handle, frames: *const u8, n: usize) -> i32 {
    // SAFETY: the handle is one of `open`'s that `close` hasn't had, and nobody else uses it now.
    let handle = unsafe { &mut *plugin };
    if handle.broken || (frames.is_null() && n > 0) {
        return BROKEN;
    }
    if handle.session.full() {
        return FULL;
    }
    // SAFETY: so many bytes are the host's, valid while push runs.
    let frames = if n == 0 { &[] } else { unsafe { std::slice::from_raw_parts(frames, n) } };
    let heard = catch_unwind(AssertUnwindSafe(|| handle.session.heard(frames)));
    if matches!(heard, Ok(Some(()))) {
        return 0;
    }
    handle.broken = true;
    BROKEN
}

pub unsafe fn pull(plugin: *mut Handle, into: *mut u8, capacity: usize) -> i64 {
    // SAFETY: as in `push`.
    let handle = unsafe { &mut *plugin };
    if capacity == 0 || into.is_null() {
        return handle.session.pull(&mut []);
    }
    // SAFETY: so many bytes are the host's to be written to; u8 may hold anything.
    handle.session.pull(unsafe { std::slice::from_raw_parts_mut(into, capacity) })
}

pub unsafe fn close(plugin: *mut Handle, timeout_ms: u32) -> i32 {
    // SAFETY: the handle is one of `open`'s, and the host gives it back.
    let handle = unsafe { Box::from_raw(plugin) };
    let timeout = Duration::from_millis(timeout_ms.into());
    let closed = catch_unwind(AssertUnwindSafe(|| handle.session.close(timeout)));
    if matches!(closed, Ok(true)) { 0 } else { STILL_RUNS }
}
