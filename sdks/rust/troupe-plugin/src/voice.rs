//! What the plugin says, as frames: the fields of PluginFrame and FromActor, each in one place.

use crate::error::Error;
use crate::frames::Frames;
use crate::wire::Writer;

/// Fields of PluginFrame.
pub mod frame {
    pub const READY: u32 = 1;
    pub const FAILED: u32 = 2;
    pub const ACTOR: u32 = 3;
    pub const RESULT: u32 = 4;
    pub const PONG: u32 = 5;
    pub const LOG: u32 = 6;
    pub const NEXT: u32 = 7;
    pub const CHUNK: u32 = 8;
    pub const CHUNK_END: u32 = 9;
    pub const CHUNK_CREDIT: u32 = 10;
    pub const HOST_CALL: u32 = 11;
}

/// Fields of FromActor.
pub mod say {
    pub const STARTED: u32 = 2;
    pub const STOPPED: u32 = 3;
    pub const WRITE: u32 = 4;
    pub const REPLY: u32 = 5;
    pub const CONNECTED: u32 = 6;
    pub const EVENT: u32 = 7;
    pub const KICK: u32 = 8;
    pub const ASK: u32 = 9;
    pub const REST: u32 = 10;
    pub const END: u32 = 11;
    pub const SOCKET_ACCEPT: u32 = 12;
    pub const SOCKET_MESSAGE: u32 = 13;
    pub const SOCKET_CLOSE: u32 = 14;
    pub const LOG: u32 = 15;
    pub const SUBSCRIBED: u32 = 16;
    pub const REQUEST_ANSWER: u32 = 20;
    pub const BODY_CHUNK: u32 = 22;
    pub const BODY_END: u32 = 23;
    pub const BODY_CREDIT: u32 = 24;
    pub const STREAM_START: u32 = 25;
    pub const STREAM_ITEM: u32 = 26;
    pub const SOCKET_ACKNOWLEDGE: u32 = 28;
}

const LEVEL_ERROR: u64 = 4;

/// An answer's way: a call of an actor, or of middleware (instance 0).
#[derive(Clone, Copy)]
pub struct To {
    pub instance: u64,
    pub call: u64,
}

/// The way to the host, for any thread.
pub struct Voice {
    pub frames: Frames,
}

impl Voice {
    /// False: it is longer than a frame may be, and isn't said.
    pub fn send(&self, kind: u32, message: Writer) -> bool {
        self.frames.add(Writer::default().message(kind, message))
    }

    pub fn say(&self, instance: u64, what: u32, message: Writer) -> bool {
        self.send(frame::ACTOR, Writer::default().number(1, instance).message(what, message))
    }

    pub fn answer(&self, to: To, answer: Result<Vec<u8>, Error>) {
        if !self.try_answer(to, answer) {
            self.try_answer(to, Err(Error::too_long()));
        }
    }

    pub fn log(&self, instance: u64, text: &str) {
        self.say(instance, say::LOG, Writer::default().number(1, LEVEL_ERROR).text(2, text));
    }

    /// For work threads: waits until the host has taken some of what was said.
    pub fn wait(&self) {
        self.frames.wait();
    }

    fn try_answer(&self, to: To, answer: Result<Vec<u8>, Error>) -> bool {
        let reply = Writer::default().number(1, to.call);
        let reply = match answer {
            Ok(value) => reply.bytes(2, &value),
            Err(error) => reply.message(3, error.write()),
        };
        match to.instance {
            0 => self.send(frame::RESULT, reply),
            instance => self.say(instance, say::REPLY, reply),
        }
    }
}
