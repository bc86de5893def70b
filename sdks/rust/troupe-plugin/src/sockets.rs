//! Raw WebSockets: each is accepted at once, and what happens to it runs on its actor's lane, in order. The clients stay while the
//! actor sleeps: the host says a message again, to the next activation, unless it was acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connections::{or_null, state_row};

use crate::context::Context;
use crate::error::Error;
use crate::lanes::Label;
use crate::running::Running;
use crate::voice::say;
use crate::wire::{Reader, Writer};

/// How a socket ends whose function failed, or whose actor has too much to do.
const REFUSED: u64 = 1008;
const FAILED: u64 = 1011;
const LATER: u64 = 1013;

/// A raw WebSocket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Socket {
    /// Its number, for [`Context::send_text`] and others; another one each time that the actor wakes.
    pub number: u64,
    /// The request's address, as the actor sees it.
    pub url: String,
    /// The request's headers.
    pub headers: Vec<(String, String)>,
    /// The subprotocol that was agreed on; empty for none.
    pub protocol: String,
    id: String,
    params: Vec<u8>,
    state: Vec<u8>,
    /// Its client stays while the actor sleeps.
    stays: bool,
    changed: bool,
    index: u64,
}

impl Socket {
    /// Its name, which it keeps.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Connection parameters; `null` for none.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(serde_json::from_slice(or_null(&self.params))?)
    }

    /// What a function has set, [`Context::set_socket_state`]; `null` for nothing. It stays with a client that stays while the actor
    /// sleeps.
    pub fn state<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(serde_json::from_slice(or_null(&self.state))?)
    }

    /// Which message of its client the actor hears, or heard last since it woke, counted over all activations; 0 for none, and where
    /// the client doesn't stay. A message that an activation didn't finish comes again, with the same index.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// One that an earlier activation has left with the host. `None`: it can't be read.
    pub(crate) fn stayed(sleeper: Reader) -> Option<Self> {
        let mut socket = Self { stays: true, ..Self::default() };
        for field in sleeper.fields()? {
            match field.number {
                2 => socket.number = field.value,
                3 => socket.id = field.text(),
                4 => socket.params = field.bytes.to_vec(),
                5 => socket.state = field.bytes.to_vec(),
                6 => socket.url = field.text(),
                7 => socket.headers.push(header(field.message())?),
                8 => socket.protocol = field.text(),
                _ => {}
            }
        }
        Some(socket)
    }
}

/// What changed of the states of those that stay, as rows; they are told from now on.
pub(crate) fn changed_rows(sockets: &mut BTreeMap<u64, Socket>) -> impl Iterator<Item = Writer> {
    let changed = sockets.values_mut().filter(|one| one.stays && one.changed);
    changed.map(|one| {
        one.changed = false;
        state_row(&one.id, &one.state)
    })
}

/// A message on a raw WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Message {
    Text(String),
    Bytes(Vec<u8>),
}

/// What happens to a socket.
pub(crate) enum SocketEvent {
    Opened(Socket),
    /// With its index; 0 where it isn't said again.
    Heard(u64, Message, u64),
    Closed(u64),
}

impl Context {
    /// Its raw WebSockets that are open. Those that stayed while it slept are there again before
    /// [`Actor::start`](crate::Actor::start), and nothing is told of them.
    pub fn sockets(&self) -> impl Iterator<Item = &Socket> {
        self.sockets.values()
    }

    /// The same, of one number.
    pub fn socket(&self, number: u64) -> Option<&Socket> {
        self.sockets.get(&number)
    }

    /// Sets a socket's state. One that is gone has none.
    pub fn set_socket_state<T: Serialize + ?Sized>(&mut self, socket: u64, state: &T) -> Result<(), Error> {
        let state = serde_json::to_vec(state)?;
        if let Some(open) = self.sockets.get_mut(&socket) {
            open.changed |= open.state != state;
            open.state = state;
        }
        Ok(())
    }

    /// A message to a socket's client, behind all that was written and said before.
    pub fn send_text(&mut self, socket: u64, text: &str) -> Result<(), Error> {
        self.say(say::SOCKET_MESSAGE, Writer::default().number(1, socket).part(2, text.as_bytes()))
    }

    /// The same with bytes.
    pub fn send_bytes(&mut self, socket: u64, bytes: &[u8]) -> Result<(), Error> {
        self.say(say::SOCKET_MESSAGE, Writer::default().number(1, socket).part(3, bytes))
    }

    /// Ends a socket.
    pub fn close_socket(&mut self, socket: u64, code: u16, reason: &str) -> Result<(), Error> {
        self.say(say::SOCKET_CLOSE, closing(socket, code.into(), reason))
    }
}

fn closing(socket: u64, code: u64, reason: &str) -> Writer {
    Writer::default().number(1, socket).number(2, code).text(3, reason)
}

impl SocketEvent {
    /// Of SocketOpen, SocketMessage or SocketClose; `None`: it can't be read.
    pub(crate) fn read(what: u32, message: Reader) -> Option<Self> {
        let mut socket = Socket::default();
        let mut content = None;
        let mut index = 0;
        for field in message.fields()? {
            match (what, field.number) {
                (_, 1) => socket.number = field.value,
                (11, 2) => socket.url = field.text(),
                (11, 3) => socket.headers.push(header(field.message())?),
                (11, 4) => socket.params = field.bytes.to_vec(),
                (11, 5) => socket.protocol = field.text(),
                (11, 6) => socket.id = field.text(),
                (11, 7) => socket.stays = field.value != 0,
                (12, 2) => content = Some(Message::Text(field.text())),
                (12, 3) => content = Some(Message::Bytes(field.bytes.to_vec())),
                (12, 4) => index = field.value,
                _ => {}
            }
        }
        match what {
            11 => Some(Self::Opened(socket)),
            12 => content.map(|content| Self::Heard(socket.number, content, index)),
            _ => Some(Self::Closed(socket.number)),
        }
    }

    fn number(&self) -> u64 {
        match self {
            Self::Opened(socket) => socket.number,
            Self::Heard(number, ..) | Self::Closed(number) => *number,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Heard(_, Message::Text(text), _) => text.len(),
            Self::Heard(_, Message::Bytes(bytes), _) => bytes.len(),
            _ => 0,
        }
    }
}

pub(crate) fn header(message: Reader) -> Option<(String, String)> {
    let (mut name, mut value) = (String::new(), String::new());
    for field in message.fields()? {
        match field.number {
            1 => name = field.text(),
            2 => value = field.text(),
            _ => {}
        }
    }
    Some((name, value))
}

impl Running {
    /// What the host says of a socket.
    pub(crate) fn socket(self: &Arc<Self>, event: SocketEvent) {
        let number = event.number();
        if let SocketEvent::Opened(socket) = &event {
            let accept = Writer::default().number(1, number).number(3, socket.stays.into());
            self.shared.voice.say(self.instance, say::SOCKET_ACCEPT, accept);
        }
        if self.actor().quick {
            return self.run_socket(event);
        }
        let this = Arc::clone(self);
        let label = Label { number: 0, bytes: event.bytes() };
        let run = Box::new(move || this.run_socket(event));
        if self.shared.lanes.add(&self.lane, label, run).is_err() {
            self.close(number, LATER, "actor.overloaded");
        }
    }

    fn run_socket(&self, event: SocketEvent) {
        let number = event.number();
        let (code, index) = match event {
            SocketEvent::Opened(_) => (Some(REFUSED), 0),
            SocketEvent::Heard(.., index) => (Some(FAILED), index),
            SocketEvent::Closed(_) => (None, 0),
        };
        let ran = self.run_hook(|c| self.tell(c, event));
        match (ran, code) {
            (Err(error), Some(code)) => {
                self.close(number, code, &format!("{}.{}", error.group(), error.code()));
            }
            (Ok(()), _) if index > 0 => {
                // Behind what it wrote.
                let handled = Writer::default().number(1, number).number(2, index);
                self.shared.voice.say(self.instance, say::SOCKET_ACKNOWLEDGE, handled);
            }
            _ => {}
        }
    }

    fn tell(&self, c: &mut Context, event: SocketEvent) -> Result<(), Error> {
        let hooks = self.actor().sockets.as_ref();
        match event {
            SocketEvent::Opened(socket) => {
                c.sockets.insert(socket.number, socket.clone());
                hooks.map_or(Ok(()), |hooks| (hooks.opened)(c, &socket))
            }
            SocketEvent::Heard(number, message, index) => {
                // What comes behind its end is nobody's.
                let Some(socket) = c.sockets.get_mut(&number) else {
                    return Ok(());
                };
                socket.index = index;
                hooks.map_or(Ok(()), |hooks| (hooks.heard)(c, number, message))
            }
            SocketEvent::Closed(number) => {
                let told = hooks.map_or(Ok(()), |hooks| (hooks.closed)(c, number));
                c.sockets.remove(&number);
                told
            }
        }
    }

    fn close(&self, socket: u64, code: u64, reason: &str) {
        self.shared.voice.say(self.instance, say::SOCKET_CLOSE, closing(socket, code, reason));
    }
}

type Opened = Box<dyn Fn(&mut Context, &Socket) -> Result<(), Error> + Send + Sync>;
type Said = Box<dyn Fn(&mut Context, u64, Message) -> Result<(), Error> + Send + Sync>;
type Closed = Box<dyn Fn(&mut Context, u64) -> Result<(), Error> + Send + Sync>;

/// An author's functions for sockets.
pub(crate) struct SocketHooks {
    pub(crate) opened: Opened,
    pub(crate) heard: Said,
    pub(crate) closed: Closed,
}
