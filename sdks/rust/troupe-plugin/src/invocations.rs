//! Calls of middleware: in place when it is quick, else on a lane, its own or, where the middleware gets its call and may wait
//! in it, one for each call.

use std::sync::Arc;

use crate::call::{Call, write_stream};
use crate::error::Error;
use crate::guarded::guarded;
use crate::lanes::{Label, Lane};
use crate::plugin::Given;
use crate::running::Shared;
use crate::voice::{To, frame};
use crate::wire::{Reader, Writer};

/// Those of one session.
pub struct Invocations {
    shared: Arc<Shared>,
    /// One for each middleware that is declared.
    lanes: Vec<Arc<Lane>>,
}

impl Invocations {
    pub fn new(shared: Arc<Shared>) -> Self {
        let lanes = shared.plugin.middleware.iter().map(|_| Arc::default()).collect();
        Self { shared, lanes }
    }

    /// `None`: the host sent what can't be.
    pub fn invoke(&self, invoke: Reader) -> Option<()> {
        let (mut number, mut kind, mut name) = (0, 0, String::new());
        let (mut timeout_ms, mut scope) = (0, String::new());
        let mut payload: &[u8] = &[];
        for field in invoke.fields()? {
            match field.number {
                1 => number = field.value,
                2 => name = field.text(),
                3 => kind = field.value,
                4 => payload = field.bytes,
                5 => timeout_ms = field.value,
                6 => scope = field.text(),
                _ => {}
            }
        }
        let call =
            Call { waits: Arc::clone(&self.shared.waits), invoke: number, scope: scope.into(), timeout_ms };
        let declared = &self.shared.plugin.middleware;
        match declared.iter().position(|one| u64::from(one.kind) == kind && one.name == name) {
            Some(at) if declared[at].quick => run(&self.shared, at, &call, payload),
            Some(at) => self.add(at, call, payload),
            None => {
                let why = Error::new("plugin", "undeclared", format!("there is no middleware {name}"));
                self.shared.voice.answer(To { instance: 0, call: number }, Err(why));
            }
        }
        Some(())
    }

    /// Nobody waits for the call any more: it never begins, or hears so where it waits.
    pub fn cancel(&self, number: u64) {
        for lane in &self.lanes {
            self.shared.lanes.cancel(lane, number);
        }
        self.shared.end_call(number);
    }

    fn add(&self, at: usize, call: Call, payload: &[u8]) {
        let (shared, payload) = (Arc::clone(&self.shared), payload.to_vec());
        let label = Label { number: call.invoke, bytes: payload.len() };
        let to = To { instance: 0, call: call.invoke };
        let lane = match self.shared.plugin.middleware[at].waits {
            true => Arc::default(),
            false => Arc::clone(&self.lanes[at]),
        };
        let job = Box::new(move || {
            shared.voice.wait();
            match shared.lanes.closing() {
                true => shared.voice.answer(to, Err(Error::closed())),
                false => run(&shared, at, &call, &payload),
            }
        });
        if let Err(why) = self.shared.lanes.add(&lane, label, job) {
            self.shared.voice.answer(to, Err(Error::refused(why)));
        }
    }
}

fn run(shared: &Arc<Shared>, at: usize, call: &Call, payload: &[u8]) {
    let to = To { instance: 0, call: call.invoke };
    let run = &shared.plugin.middleware[at].run;
    match guarded(|| run(payload, call)) {
        Ok(Given::Value(value)) => shared.voice.answer(to, Ok(value)),
        Err(error) => shared.voice.answer(to, Err(error)),
        Ok(Given::Stream(mut chunks)) => {
            // A panic while a chunk is made is the stream's error.
            let guarded_chunks = std::iter::from_fn(|| guarded(|| chunks.next().transpose()).transpose());
            let began = || {
                let answer = Writer::default().number(1, call.invoke).number(4, 1);
                shared.voice.send(frame::RESULT, answer);
            };
            if let Err(error) = write_stream(call, guarded_chunks, began) {
                shared.voice.answer(to, Err(error));
            }
        }
    }
}
