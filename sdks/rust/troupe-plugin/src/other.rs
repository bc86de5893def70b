use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::read_value;
use crate::context::Context;
use crate::error::Error;
use crate::question::{Asks, Put, Question};
use crate::waits::{Heard, outcome};
use crate::wire::Writer;

/// Field of Ask.
const ACTOR_CALL: u32 = 8;
/// ActorCall.Method.
const GET: u64 = 1;
const GET_OR_CREATE: u64 = 2;

/// Another actor of the same registry, which the host calls when all that this one wrote before is on disk. For a plugin whose
/// host lets it call others.
pub struct Other<A> {
    asks: A,
    name: String,
    key: Vec<String>,
    method: u64,
    input: Vec<u8>,
    timeout: Option<Duration>,
}

impl<A: Asks> Other<A> {
    pub(crate) fn new(asks: A, name: &str, key: &[&str]) -> Self {
        let key = key.iter().map(ToString::to_string).collect();
        Self { asks, name: name.into(), key, method: GET_OR_CREATE, input: Vec::new(), timeout: None }
    }

    /// Only one that is there; otherwise it is made.
    pub fn existing(mut self) -> Self {
        self.method = GET;
        self
    }

    /// The input of one that is made.
    pub fn input(mut self, input: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.input = serde_json::to_vec(input)?;
        Ok(self)
    }

    /// How long it may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Calls an action: what it gives. Arguments are a tuple, or `[(); 0]` for none.
    pub fn call<T: DeserializeOwned>(self, action: &str, args: &(impl Serialize + ?Sized)) -> A::Answer<T> {
        let args = serde_json::to_vec(args);
        self.ask(move |asked| Ok(asked.text(7, action).bytes(8, &args?)), read)
    }

    /// Puts a message into one of its queues; it is there when this is answered.
    pub fn send(self, queue: &str, message: &(impl Serialize + ?Sized)) -> A::Answer<()> {
        let message = serde_json::to_vec(message);
        let send =
            move |asked: Writer| Ok(asked.text(7, queue).bytes(8, &message?).message(9, Writer::default()));
        self.ask(send, |heard| outcome(heard, 5, 2).map(drop))
    }

    /// Finds it, or makes it: its id.
    pub fn id(self) -> A::Answer<String> {
        self.ask(Ok, read)
    }

    fn ask<T>(
        self,
        what: impl FnOnce(Writer) -> Result<Writer, Error>,
        read: fn(&Heard) -> Result<T, Error>,
    ) -> A::Answer<T> {
        let Self { asks, name, key, method, input, timeout } = self;
        let put = |c: &mut Context| {
            c.flush()?;
            let mut asked = Writer::default().text(1, &name);
            for part in &key {
                asked = asked.part(2, part.as_bytes());
            }
            let asked = what(asked.number(4, method).bytes(5, &input))?;
            let limit = timeout.map_or(0, |timeout| timeout.as_millis().clamp(1, u32::MAX.into()) as u64);
            let mut asked = asked.number(10, limit);
            for link in &c.part.chain {
                asked = asked.part(12, link);
            }
            Ok(Put::Ask(asked.number(13, c.part.depth).text(14, &c.part.trace)))
        };
        asks.ask(Question::new(ACTOR_CALL, put, read))
    }
}

fn read<T: DeserializeOwned>(heard: &Heard) -> Result<T, Error> {
    read_value(&outcome(heard, 5, 2)?)
}
