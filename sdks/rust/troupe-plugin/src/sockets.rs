//! Raw WebSockets: each is accepted at once, and what happens to it runs on its actor's lane, in order.

use std::sync::Arc;

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

/// A raw WebSocket that was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Socket {
    /// Its number, for [`Context::send_text`] and others.
    pub number: u64,
    /// The request's address, as the actor sees it.
    pub url: String,
    /// The request's headers.
    pub headers: Vec<(String, String)>,
    /// The subprotocol that was agreed on; empty for none.
    pub protocol: String,
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
    Heard(u64, Message),
    Closed(u64),
}

impl Context {
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
        for field in message.fields()? {
            match (what, field.number) {
                (_, 1) => socket.number = field.value,
                (11, 2) => socket.url = field.text(),
                (11, 3) => socket.headers.push(header(field.message())?),
                (11, 5) => socket.protocol = field.text(),
                (12, 2) => content = Some(Message::Text(field.text())),
                (12, 3) => content = Some(Message::Bytes(field.bytes.to_vec())),
                _ => {}
            }
        }
        match what {
            11 => Some(Self::Opened(socket)),
            12 => content.map(|content| Self::Heard(socket.number, content)),
            _ => Some(Self::Closed(socket.number)),
        }
    }

    fn number(&self) -> u64 {
        match self {
            Self::Opened(socket) => socket.number,
            Self::Heard(number, _) | Self::Closed(number) => *number,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Heard(_, Message::Text(text)) => text.len(),
            Self::Heard(_, Message::Bytes(bytes)) => bytes.len(),
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
        if let SocketEvent::Opened(_) = event {
            self.shared.voice.say(self.instance, say::SOCKET_ACCEPT, Writer::default().number(1, number));
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
        let (code, closed) = match event {
            SocketEvent::Opened(_) => (REFUSED, false),
            SocketEvent::Heard(..) => (FAILED, false),
            SocketEvent::Closed(_) => (FAILED, true),
        };
        let hooks = &self.actor().sockets;
        let ran = self.run_hook(|c| match (hooks, event) {
            (Some(hooks), SocketEvent::Opened(socket)) => (hooks.opened)(c, &socket),
            (Some(hooks), SocketEvent::Heard(socket, message)) => (hooks.heard)(c, socket, message),
            (Some(hooks), SocketEvent::Closed(socket)) => (hooks.closed)(c, socket),
            (None, _) => Ok(()),
        });
        if let (Err(error), false) = (ran, closed) {
            self.close(number, code, &format!("{}.{}", error.group(), error.code()));
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
