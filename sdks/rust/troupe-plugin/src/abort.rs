use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::lanes::lock;

/// Says whether a call is still waited for: [`Context::abort`](crate::Context::abort). Any thread may have it.
#[derive(Clone, Debug, Default)]
pub struct Abort {
    call: Arc<AtomicBool>,
    actor: Arc<AtomicBool>,
}

impl Abort {
    /// True when nobody waits for the call any more, or the actor is told to stop.
    pub fn is_set(&self) -> bool {
        self.call.load(Ordering::Relaxed) || self.actor.load(Ordering::Relaxed)
    }
}

/// Those of one running actor's calls that have no answer.
#[derive(Default)]
pub(crate) struct Aborts {
    actor: Arc<AtomicBool>,
    calls: Mutex<HashMap<u64, Arc<AtomicBool>>>,
}

impl Aborts {
    /// Of a call that begins.
    pub(crate) fn begin(&self, call: u64) -> Abort {
        let of_call: Arc<AtomicBool> = Arc::default();
        lock(&self.calls).insert(call, Arc::clone(&of_call));
        Abort { call: of_call, actor: Arc::clone(&self.actor) }
    }

    /// Of a function that answers no call.
    pub(crate) fn of_actor(&self) -> Abort {
        Abort { call: Arc::default(), actor: Arc::clone(&self.actor) }
    }

    pub(crate) fn end(&self, call: u64) {
        lock(&self.calls).remove(&call);
    }

    /// Nobody waits for it any more.
    pub(crate) fn cancel(&self, call: u64) {
        if let Some(set) = lock(&self.calls).get(&call) {
            set.store(true, Ordering::Relaxed);
        }
    }

    /// The actor is told to stop.
    pub(crate) fn stop(&self) {
        self.actor.store(true, Ordering::Relaxed);
    }
}
