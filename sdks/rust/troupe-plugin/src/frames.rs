//! The queue of frames that the host pulls: each a length (u32, little-endian) and its bytes.

use std::collections::VecDeque;

use crate::wire::Writer;

pub struct Frames {
    queue: VecDeque<Vec<u8>>,
    max_frame: usize,
    max_queued: usize,
}

impl Frames {
    pub fn new(max_frame: usize, max_queued: usize) -> Self {
        Self { queue: VecDeque::new(), max_frame, max_queued }
    }

    pub fn full(&self) -> bool {
        self.queue.len() >= self.max_queued
    }

    /// False: it is longer than a frame may be, and isn't queued.
    pub fn add(&mut self, frame: Writer) -> bool {
        let fits = frame.bytes.len() <= self.max_frame;
        if fits {
            self.queue.push_back(frame.bytes);
        }
        fits
    }

    /// As `troupe_plugin_pull`.
    pub fn pull(&mut self, into: &mut [u8]) -> i64 {
        let mut taken = 0;
        while let Some(frame) = self.queue.front() {
            let end = taken + 4 + frame.len();
            if end > into.len() {
                return if taken == 0 { -(end as i64) } else { taken as i64 };
            }
            into[taken..taken + 4].copy_from_slice(&(frame.len() as u32).to_le_bytes());
            into[taken + 4..end].copy_from_slice(frame);
            taken = end;
            self.queue.pop_front();
        }
        taken as i64
    }
}

/// The next frame of what was pushed, and the rest; `None`: half a frame.
pub fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}
