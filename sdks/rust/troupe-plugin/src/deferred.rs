use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;

use serde::Serialize;

use crate::error::Error;
use crate::lanes::Lanes;
use crate::voice::{To, Voice};

/// A call whose action has returned: answered once, by any thread, while the actor goes on. One that is dropped without an
/// answer fails with `plugin.no_answer`.
pub struct Deferred<R> {
    pending: Option<Pending>,
    answer: PhantomData<fn(R)>,
}

/// What it takes to answer a call.
pub(crate) struct Pending {
    pub(crate) voice: Arc<Voice>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) to: To,
}

impl<R: Serialize> Deferred<R> {
    pub(crate) fn new(pending: Pending) -> Self {
        pending.lanes.defer();
        Self { pending: Some(pending), answer: PhantomData }
    }

    /// The call's answer.
    pub fn resolve(mut self, value: &R) {
        self.settle(serde_json::to_vec(value).map_err(Error::from));
    }

    /// The call's error.
    pub fn reject(mut self, error: Error) {
        self.settle(Err(error));
    }
}

impl<R> Deferred<R> {
    fn settle(&mut self, answer: Result<Vec<u8>, Error>) {
        let Some(Pending { voice, lanes, to }) = self.pending.take() else {
            return;
        };
        voice.answer(to, answer);
        lanes.settled();
    }
}

impl<R> Drop for Deferred<R> {
    fn drop(&mut self) {
        let error =
            if thread::panicking() { Error::panicked(&"before it answered") } else { Error::no_answer() };
        self.settle(Err(error));
    }
}
