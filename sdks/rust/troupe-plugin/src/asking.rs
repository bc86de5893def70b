use std::sync::Mutex;

use crate::lanes::lock;

/// An actor's calls that wait for the host without its lane: the last of them ends an actor that is told to stop.
#[derive(Default)]
pub struct Asking {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: usize,
    stops: bool,
}

impl Asking {
    pub fn begin(&self) {
        lock(&self.state).waiting += 1;
    }

    /// What a call waited for is done with. True: the actor ends now.
    pub fn end(&self) -> bool {
        let mut state = lock(&self.state);
        state.waiting -= 1;
        state.stops && state.waiting == 0
    }

    /// All that had begun has run, but for what waits. True: nothing does, and the actor ends now.
    pub fn stop(&self) -> bool {
        let mut state = lock(&self.state);
        state.stops = true;
        state.waiting == 0
    }
}
