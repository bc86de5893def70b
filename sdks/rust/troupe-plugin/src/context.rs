use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::wire::Writer;

/// One running actor. What is written and said here leaves in order, behind the function that does it.
pub struct Context {
    rows: BTreeMap<String, Vec<u8>>,
    changed: BTreeSet<String>,
    said: Vec<(u32, Writer)>,
}

/// Fields of FromActor.
const WRITE: u32 = 4;
const EVENT: u32 = 7;
/// Space.STATE.
const STATE: u64 = 1;

impl Context {
    pub(crate) fn new() -> Self {
        Self { rows: BTreeMap::new(), changed: BTreeSet::new(), said: Vec::new() }
    }

    /// A property of the state; `None` when there is none.
    pub fn state<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        Ok(self.rows.get(name).map(|value| serde_json::from_slice(value)).transpose()?)
    }

    /// Sets a property of the state. It is stored with what is said next, or when the function returns.
    pub fn set_state<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        self.rows.insert(name.into(), serde_json::to_vec(value)?);
        self.changed.insert(name.into());
        Ok(())
    }

    /// Sends an event to all connections that listen to it. Arguments are a tuple.
    pub fn broadcast<T: Serialize + ?Sized>(&mut self, event: &str, args: &T) -> Result<(), Error> {
        let args = serde_json::to_vec(args)?;
        self.flush();
        self.said.push((EVENT, Writer::default().text(1, event).bytes(2, &args)));
        Ok(())
    }

    pub(crate) fn load(&mut self, name: String, value: Vec<u8>) {
        self.rows.insert(name, value);
    }

    /// All that was said, what was written before it first.
    pub(crate) fn take_said(&mut self) -> Vec<(u32, Writer)> {
        self.flush();
        std::mem::take(&mut self.said)
    }

    fn flush(&mut self) {
        if self.changed.is_empty() {
            return;
        }
        let changed = std::mem::take(&mut self.changed);
        let rows = changed.iter().map(|name| {
            let value = self.rows.get(name).map_or(&[][..], Vec::as_slice);
            Writer::default().number(1, STATE).text(2, name).bytes(4, value)
        });
        let write = Writer::default().messages(1, rows);
        self.said.push((WRITE, write));
    }
}
