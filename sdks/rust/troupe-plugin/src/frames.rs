//! The queue of frames that the host pulls: each a length (u32, little-endian) and its bytes.
//!
//! Any thread adds to it. Work threads wait for room, the host's own never does: what it adds is pulled as soon as `push`
//! has returned, and needs no signal.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::lanes::lock;
use crate::wire::Writer;

/// So many of the longest frames wait for the host before work threads wait.
const LONG_FRAMES: usize = 2;

#[derive(Default)]
struct State {
    queue: VecDeque<Vec<u8>>,
    bytes: usize,
    pushing: bool,
    closing: bool,
}

pub struct Frames {
    state: Mutex<State>,
    room: Condvar,
    max_frame: usize,
    max_queued: usize,
    /// Tells the host that the queue is no longer empty.
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Frames {
    pub fn new(max_frame: usize, max_queued: usize, wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { state: Mutex::default(), room: Condvar::new(), max_frame, max_queued, wake }
    }

    pub fn full(&self) -> bool {
        lock(&self.state).queue.len() >= self.max_queued
    }

    /// The host is in `push`, and pulls behind it.
    pub fn pushing(&self, pushing: bool) {
        lock(&self.state).pushing = pushing;
    }

    /// False: it is longer than a frame may be, and isn't queued.
    pub fn add(&self, frame: Writer) -> bool {
        if frame.bytes.len() > self.max_frame {
            return false;
        }
        let mut state = lock(&self.state);
        let signal = state.queue.is_empty() && !state.pushing;
        state.bytes += frame.bytes.len();
        state.queue.push_back(frame.bytes);
        drop(state);
        if signal {
            (self.wake)();
        }
        true
    }

    /// For work threads: waits until the host has taken some of it.
    pub fn wait(&self) {
        // The host's own thread makes room when it pulls, which is when this has returned.
        if cfg!(target_family = "wasm") {
            return;
        }
        let mut state = lock(&self.state);
        while !state.closing
            && (state.queue.len() >= self.max_queued || state.bytes / LONG_FRAMES > self.max_frame)
        {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nobody pulls any more, and nobody waits.
    pub fn close(&self) {
        lock(&self.state).closing = true;
        self.room.notify_all();
    }

    /// As `troupe_plugin_pull`.
    pub fn pull(&self, into: &mut [u8]) -> i64 {
        let mut state = lock(&self.state);
        let mut taken = 0;
        while let Some(frame) = state.queue.front() {
            let (length, end) = (frame.len(), taken + 4 + frame.len());
            if end > into.len() {
                if taken == 0 {
                    return -(end as i64);
                }
                break;
            }
            into[taken..taken + 4].copy_from_slice(&(length as u32).to_le_bytes());
            into[taken + 4..end].copy_from_slice(frame);
            taken = end;
            state.bytes -= length;
            state.queue.pop_front();
        }
        if taken > 0 {
            self.room.notify_all();
        }
        taken as i64
    }
}

/// The next frame of what was pushed, and the rest; `None`: half a frame.
pub fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}
