use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::host::Host;
use crate::voice::frame;
use crate::waits::{Heard, Key, Kind, Waits, around, outcome};
use crate::wire::{Reader, Writer};

/// Kinds of middleware: the relay's table.
pub mod kind {
    #![allow(missing_docs)]
    pub const SUBSCRIBER: u32 = 1;
    pub const EVENT_METADATA: u32 = 2;
    pub const TOOL_SANITIZE_REQUEST: u32 = 10;
    pub const TOOL_SANITIZE_RESPONSE: u32 = 11;
    pub const TOOL_CONDITIONAL: u32 = 12;
    pub const TOOL_REQUEST: u32 = 13;
    /// Goes around the call.
    pub const TOOL_EXECUTION: u32 = 14;
    pub const LLM_SANITIZE_REQUEST: u32 = 20;
    pub const LLM_SANITIZE_RESPONSE: u32 = 21;
    pub const LLM_CONDITIONAL: u32 = 22;
    pub const LLM_REQUEST: u32 = 23;
    /// Goes around the call.
    pub const LLM_EXECUTION: u32 = 24;
    /// Goes around the call, and is answered with a stream.
    pub const LLM_STREAM: u32 = 25;
    pub const MARK_SANITIZE: u32 = 30;
    pub const SCOPE_SANITIZE_START: u32 = 31;
    pub const SCOPE_SANITIZE_END: u32 = 32;
    pub const ACTION_CONDITIONAL: u32 = 40;
}

/// A call of middleware, as [`Plugin::around`](crate::Plugin::around) gives it.
#[derive(Clone)]
pub struct Call {
    pub(crate) waits: Arc<Waits>,
    pub(crate) invoke: u64,
    pub(crate) scope: Arc<str>,
    pub(crate) timeout_ms: u64,
}

impl Call {
    /// Goes on with the rest of the call, and waits for what it gives. As often as you like, until the call is answered.
    pub fn next<O: DeserializeOwned>(&self, payload: &(impl Serialize + ?Sized)) -> Result<O, Error> {
        let (heard, _) = self.ask_next(payload)?;
        read_value(&outcome(&heard, 3, 4)?)
    }

    /// The same where the rest gives a stream: its chunks, each asked for when it is read.
    pub fn next_stream<C: DeserializeOwned>(
        &self,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<Chunks<C>, Error> {
        let (heard, number) = self.ask_next(payload)?;
        outcome(&heard, 3, 4)?;
        Ok(Chunks { call: self.clone(), number, over: false, chunk: PhantomData })
    }

    /// The scope of the relay that the call runs in: its propagation value, JSON text; empty for none.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// What was left of the caller's time when the call began.
    pub fn timeout(&self) -> Option<Duration> {
        (self.timeout_ms > 0).then(|| Duration::from_millis(self.timeout_ms))
    }

    /// The host's relay: what is asked there is part of this call.
    pub fn host(&self) -> Host {
        Host::new(Arc::clone(&self.waits), self.invoke)
    }

    fn ask_next(&self, payload: &(impl Serialize + ?Sized)) -> Result<(Heard, u64), Error> {
        let payload = serde_json::to_vec(payload)?;
        let mut next = 0;
        let heard = self.waits.ask(Kind::Next, self.invoke, |voice, number| {
            next = number;
            voice.send(frame::NEXT, around(self.invoke, number, &payload))
        })?;
        Ok((heard, next))
    }
}

pub(crate) fn read_value<T: DeserializeOwned>(value: &[u8]) -> Result<T, Error> {
    Ok(serde_json::from_slice(if value.is_empty() { b"null" } else { value })?)
}

/// Chunks of a stream, in order; an error is its end. Dropped before its end, it is read no further.
pub struct Chunks<C> {
    call: Call,
    number: u64,
    over: bool,
    chunk: PhantomData<fn() -> C>,
}

impl<C: DeserializeOwned> Chunks<C> {
    fn read(&mut self) -> Result<Option<C>, Error> {
        let key = Key { kind: Kind::Stream, of: self.call.invoke, number: self.number };
        let line = self.call.waits.listen(key)?;
        self.credit(1);
        let heard = line.next()?;
        if heard.what == frame::CHUNK {
            return Ok(Some(read_value(&outcome(&heard, 3, u32::MAX)?)?));
        }
        self.over = true;
        outcome(&heard, u32::MAX, 3).map(|_| None)
    }
}

impl<C> Chunks<C> {
    fn credit(&self, chunks: u64) {
        let credit = Writer::default().number(1, self.call.invoke).number(2, self.number).number(3, chunks);
        self.call.waits.voice.send(frame::CHUNK_CREDIT, credit);
    }
}

impl<C: DeserializeOwned> Iterator for Chunks<C> {
    type Item = Result<C, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let read = self.read();
        if read.is_err() && !self.over {
            self.over = true;
            self.credit(0);
        }
        read.transpose()
    }
}

impl<C> Drop for Chunks<C> {
    fn drop(&mut self) {
        if !self.over {
            self.credit(0);
        }
    }
}

/// Writes the stream that a call is answered with, as its reader asks for chunks; returns when it is over.
pub(crate) fn write_stream(
    call: &Call,
    mut chunks: impl Iterator<Item = Result<Vec<u8>, Error>>,
    began: impl FnOnce(),
) -> Result<(), Error> {
    let Call { waits, invoke, .. } = call;
    let line = waits.listen(Key { kind: Kind::Stream, of: *invoke, number: 0 })?;
    began();
    // An error is the reader's end, or the call's: nobody wants to hear of it.
    while let Ok(heard) = line.next() {
        let credits = Reader::new(&heard.body).number(3).unwrap_or(0);
        if credits == 0 {
            // With the stream the call is over, and whatever else waits in it.
            break;
        }
        for _ in 0..credits {
            let end = match chunks.next() {
                Some(Ok(chunk)) if waits.voice.send(frame::CHUNK, around(*invoke, 0, &chunk)) => continue,
                Some(Ok(_)) => Some(Error::too_long()),
                Some(Err(error)) => Some(error),
                None => None,
            };
            let error = end.map(|error| error.write().bytes).unwrap_or_default();
            waits.voice.send(frame::CHUNK_END, around(*invoke, 0, &error));
            return Ok(());
        }
    }
    Ok(())
}
