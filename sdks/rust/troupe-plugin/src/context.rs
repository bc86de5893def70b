use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::abort::Abort;
use crate::awake::KeepAwake;
use crate::connections::{Connection, changed_rows};
use crate::error::Error;
use crate::kv::Kv;
use crate::other::Other;
use crate::question::{Asks, barrier};
use crate::sockets::{self, Socket};
use crate::voice::say;
use crate::waits::{Heard, Kind, Waits};
use crate::wire::Writer;

/// Space.STATE.
const STATE: u64 = 1;

/// Space.KV.
const KV: u64 = 2;
/// Why an actor ends.
const SLEEP: u64 = 1;
const DESTROY: u64 = 2;

/// What the host says of an actor when it starts.
#[derive(Default)]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) key: Vec<String>,
    pub(crate) id: String,
}

/// What the call that runs is a part of.
#[derive(Clone, Default)]
pub(crate) struct Part {
    /// 0: it answers none.
    pub(crate) call: u64,
    pub(crate) abort: Abort,
    pub(crate) connection: u64,
    pub(crate) depth: u64,
    pub(crate) trace: String,
    /// Encoded links.
    pub(crate) chain: Vec<Vec<u8>>,
}

/// One running actor. What is written and said here leaves in order: an event at once, what was written with the event or
/// the answer that comes next.
pub struct Context {
    waits: Arc<Waits>,
    instance: u64,
    quick: bool,
    pub(crate) about: About,
    pub(crate) part: Part,
    /// Keys that were written and not told yet; `None`: they go.
    pub(crate) keys: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Those that are open, the innermost last.
    pub(crate) transactions: Vec<u64>,
    pub(crate) last_transaction: u64,
    /// Clients that are connected, by number.
    pub(crate) open: BTreeMap<u64, Connection>,
    /// Raw WebSockets that are open, by number.
    pub(crate) sockets: BTreeMap<u64, Socket>,
    held: Arc<AtomicUsize>,
    /// Nobody answers any more.
    lost: Arc<AtomicBool>,
    rows: BTreeMap<String, Vec<u8>>,
    /// What the host was told last of those that changed.
    before: BTreeMap<String, Option<Vec<u8>>>,
    /// The function that runs wrote more than a frame holds: nothing of it is said any more.
    failed: bool,
}

impl Context {
    pub(crate) fn new(waits: Arc<Waits>, instance: u64, quick: bool, lost: Arc<AtomicBool>) -> Self {
        Self {
            waits,
            instance,
            quick,
            lost,
            about: About::default(),
            part: Part::default(),
            keys: BTreeMap::new(),
            transactions: Vec::new(),
            last_transaction: 0,
            open: BTreeMap::new(),
            sockets: BTreeMap::new(),
            held: Arc::default(),
            rows: BTreeMap::new(),
            before: BTreeMap::new(),
            failed: false,
        }
    }

    /// The name that the actor is registered under.
    pub fn name(&self) -> &str {
        &self.about.name
    }

    /// Its key.
    pub fn key(&self) -> &[String] {
        &self.about.key
    }

    /// Its id, which no other has.
    pub fn actor_id(&self) -> &str {
        &self.about.id
    }

    /// The connection of the call that runs; `None` for a call without one.
    pub fn connection(&self) -> Option<u64> {
        Some(self.part.connection).filter(|connection| *connection > 0)
    }

    /// Says when nobody waits for the call any more, or the actor is to stop: a function that takes long looks at it.
    pub fn abort(&self) -> Abort {
        self.part.abort.clone()
    }

    /// The scope of the host's relay that the call runs in: its propagation value, JSON text; empty for none.
    pub fn scope(&self) -> &str {
        &self.part.trace
    }

    /// Its keys and values.
    pub fn kv(&mut self) -> Kv<&mut Self> {
        Kv::new(self)
    }

    /// Another actor.
    pub fn actor(&mut self, name: &str, key: &[&str]) -> Other<&mut Self> {
        Other::new(self, name, key)
    }

    /// What was written is on disk when this returns. A function needs it before I/O that its host can't see: answers, events and calls of
    /// other actors wait for the disk without it.
    pub fn save_state(&mut self) -> Result<(), Error> {
        self.ask(barrier())
    }

    /// The actor doesn't sleep until this is dropped.
    pub fn keep_awake(&self) -> KeepAwake {
        KeepAwake::new(&self.waits.voice, self.instance, &self.held)
    }

    /// The actor sleeps when its functions have returned.
    pub fn sleep(&mut self) -> Result<(), Error> {
        self.end(SLEEP)
    }

    /// The actor ends, and all that is stored of it goes.
    pub fn destroy(&mut self) -> Result<(), Error> {
        self.end(DESTROY)
    }

    fn end(&mut self, reason: u64) -> Result<(), Error> {
        self.say(say::END, Writer::default().number(1, reason))
    }

    /// Behind what was written.
    pub(crate) fn say(&mut self, what: u32, message: Writer) -> Result<(), Error> {
        self.flush()?;
        if self.waits.voice.say(self.instance, what, message) { Ok(()) } else { Err(Error::too_long()) }
    }

    /// Asks the host, and waits.
    pub(crate) fn ask_and_wait(&self, about: u32, question: Writer) -> Result<Heard, Error> {
        let (line, number) = self.waits.begin(Kind::Answer, self.instance)?;
        // Behind `begin`: whoever says that it is lost tells those that wait already.
        if self.lost.load(Ordering::SeqCst) {
            return Err(Error::stopped());
        }
        let ask = Writer::default().number(1, number).message(about, question);
        if !self.waits.voice.say(self.instance, say::ASK, ask) {
            return Err(Error::too_long());
        }
        line.next()
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
        self.send_event(event, &args, &[])
    }

    /// The same to these connections alone, whether they listen or not.
    pub fn send<T: Serialize + ?Sized>(
        &mut self,
        connections: &[u64],
        event: &str,
        args: &T,
    ) -> Result<(), Error> {
        if connections.is_empty() {
            return Ok(());
        }
        let args = serde_json::to_vec(args)?;
        self.send_event(event, &args, connections)
    }

    /// Ends a connection.
    pub fn disconnect(&mut self, connection: u64, reason: &str) -> Result<(), Error> {
        self.say(say::KICK, Writer::default().number(1, connection).text(2, reason))
    }

    fn send_event(&mut self, event: &str, args: &[u8], connections: &[u64]) -> Result<(), Error> {
        if !self.quick {
            self.waits.voice.wait();
        }
        self.say(say::EVENT, Writer::default().text(1, event).bytes(2, args).varints(3, connections))
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
        self.flush_joined(0)
    }

    /// The same, to be stored with what a call's answer, or its question, changes of what the host keeps; 0: by itself.
    pub(crate) fn flush_joined(&mut self, call: u64) -> Result<(), Error> {
        let mut clients = Vec::new();
        if !self.failed {
            clients = changed_rows(&mut self.open);
            clients.extend(sockets::changed_rows(&mut self.sockets));
        }
        let nothing = self.before.is_empty() && self.keys.is_empty() && clients.is_empty();
        if !nothing && !self.failed {
            let rows = self.before.keys().map(|name| {
                let value = self.rows.get(name).map_or(&[][..], Vec::as_slice);
                Writer::default().number(1, STATE).text(2, name).bytes(4, value)
            });
            let keys = self.keys.iter().map(|(key, value)| {
                let row = Writer::default().number(1, KV).bytes(3, key);
                row.bytes(4, value.as_deref().unwrap_or_default()).number(5, value.is_none().into())
            });
            let write = Writer::default().messages(1, rows.chain(keys).chain(clients)).number(4, call);
            self.failed = !self.waits.voice.say(self.instance, say::WRITE, write);
        }
        self.keys.clear();
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
