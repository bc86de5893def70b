use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::voice::{Voice, say};
use crate::wire::Writer;

/// Keeps an actor awake until it is dropped, by any thread.
pub struct KeepAwake {
    voice: Arc<Voice>,
    instance: u64,
    held: Arc<AtomicUsize>,
}

impl KeepAwake {
    pub(crate) fn new(voice: &Arc<Voice>, instance: u64, held: &Arc<AtomicUsize>) -> Self {
        let kept = Self { voice: Arc::clone(voice), instance, held: Arc::clone(held) };
        if held.fetch_add(1, Ordering::SeqCst) == 0 {
            kept.say(false);
        }
        kept
    }

    fn say(&self, idle: bool) {
        self.voice.say(self.instance, say::REST, Writer::default().number(1, idle.into()));
    }
}

impl Drop for KeepAwake {
    fn drop(&mut self) {
        if self.held.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.say(true);
        }
    }
}
