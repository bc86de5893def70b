use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::voice::{Voice, say};
use crate::wire::Writer;

/// Space.STATE.
const STATE: u64 = 1;

/// One running actor. What is written and said here leaves in order: an event at once, what was written with the event or
/// the answer that comes next.
pub struct Context {
    voice: Arc<Voice>,
    instance: u64,
    quick: bool,
    rows: BTreeMap<String, Vec<u8>>,
    /// What the host was told last of those that changed.
    before: BTreeMap<String, Option<Vec<u8>>>,
    /// The function that runs wrote more than a frame holds: nothing of it is said any more.
    failed: bool,
}

impl Context {
    pub(crate) fn new(voice: Arc<Voice>, instance: u64, quick: bool) -> Self {
        Self { voice, instance, quick, rows: BTreeMap::new(), before: BTreeMap::new(), failed: false }
    }

    /// A property of the state; `None` when there is none.
    pub fn state<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        Ok(self.rows.get(name).map(|value| serde_json::from_slice(value)).transpose()?)
    }

    /// Sets a property of the state. It is stored with what is said next, or when the function returns. When all that a
    /// function wrote is more than a frame holds, its call fails with `plugin.frame_too_long`, and the state is again what
    /// it was before.
    pub fn set_state<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        let before = self.rows.insert(name.into(), serde_json::to_vec(value)?);
        self.before.entry(name.into()).or_insert(before);
        Ok(())
    }

    /// Sends an event to all connections that listen to it. Arguments are a tuple. An event that is longer than a frame
    /// holds isn't sent: `plugin.frame_too_long`.
    pub fn broadcast<T: Serialize + ?Sized>(&mut self, event: &str, args: &T) -> Result<(), Error> {
        let args = serde_json::to_vec(args)?;
        if !self.quick {
            self.voice.wait();
        }
        self.flush()?;
        let event = Writer::default().text(1, event).bytes(2, &args);
        if self.voice.say(self.instance, say::EVENT, event) { Ok(()) } else { Err(Error::too_long()) }
    }

    pub(crate) fn load(&mut self, name: String, value: Vec<u8>) {
        self.rows.insert(name, value);
    }

    /// A function of the author's begins.
    pub(crate) fn begin(&mut self) {
        self.failed = false;
    }

    /// Says what changed since the last Write.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        if !self.before.is_empty() && !self.failed {
            let rows = self.before.keys().map(|name| {
                let value = self.rows.get(name).map_or(&[][..], Vec::as_slice);
                Writer::default().number(1, STATE).text(2, name).bytes(4, value)
            });
            let write = Writer::default().messages(1, rows);
            self.failed = !self.voice.say(self.instance, say::WRITE, write);
        }
        if !self.failed {
            self.before.clear();
            return Ok(());
        }
        for (name, value) in std::mem::take(&mut self.before) {
            match value {
                Some(value) => self.rows.insert(name, value),
                None => self.rows.remove(&name),
            };
        }
        Err(Error::too_long())
    }
}
