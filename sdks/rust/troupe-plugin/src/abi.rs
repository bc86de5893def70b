//! The native ABI, as `sdks/c/include/troupe_plugin.h` has it: the only unsafe code of the crate.
//!
//! The host calls `push` and `pull` from one thread at a time, never inside each other, and never after `close` began.
//! All that is said is said while `push` runs, and the host pulls after every push: so there is no thread, no lock and
//! nothing to wake anybody for. No panic leaves: one that isn't an author's breaks the plugin, and only `close` follows.

#![allow(unsafe_code)]
// What the host has to keep is written once, in troupe_plugin.h.
#![allow(clippy::missing_safety_doc, missing_docs)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::plugin::Plugin;
use crate::session::Session;

/// Version 1.0.
pub const ABI: u32 = 1 << 16;

const BROKEN: i32 = -1;
const FULL: i32 = 1;

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
    if (host.size as usize) < size_of::<Host>() {
        return BROKEN;
    }
    let Ok(plugin) = catch_unwind(make) else {
        return BROKEN;
    };
    let session = Session::new(plugin, host.max_frame as usize, host.max_queued as usize);
    let handle = Box::new(Handle { session, broken: false });
    // SAFETY: `out` is the host's, for one pointer.
    unsafe { *out = Box::into_raw(handle) };
    0
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

pub unsafe fn close(plugin: *mut Handle) -> i32 {
    // SAFETY: the handle is one of `open`'s, and the host gives it back.
    let handle = unsafe { Box::from_raw(plugin) };
    let _ = catch_unwind(AssertUnwindSafe(|| drop(handle)));
    0
}
