use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::read_value;
use crate::context::Context;
use crate::error::Error;
use crate::waits::outcome;
use crate::wire::Writer;

/// Field of Ask.
const ACTOR_CALL: u32 = 8;
/// ActorCall.Method.
const GET: u64 = 1;
const GET_OR_CREATE: u64 = 2;

/// Another actor of the same registry, which the host calls when all that this one wrote before is on disk. For a plugin whose
/// host lets it call others.
pub struct Other<'a> {
    context: &'a mut Context,
    name: String,
    key: Vec<String>,
    method: u64,
    input: Vec<u8>,
    timeout: Option<Duration>,
}

impl<'a> Other<'a> {
    pub(crate) fn new(context: &'a mut Context, name: &str, key: &[&str]) -> Self {
        let key = key.iter().map(ToString::to_string).collect();
        Self { context, name: name.into(), key, method: GET_OR_CREATE, input: Vec::new(), timeout: None }
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

    /// Calls an action, and waits for what it gives. Arguments are a tuple, or `[(); 0]` for none.
    pub fn call<T: DeserializeOwned>(
        self,
        action: &str,
        args: &(impl Serialize + ?Sized),
    ) -> Result<T, Error> {
        let args = serde_json::to_vec(args)?;
        read_value(&self.ask(|asked| asked.text(7, action).bytes(8, &args))?)
    }

    /// Puts a message into one of its queues; it is there when this returns.
    pub fn send(self, queue: &str, message: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        let message = serde_json::to_vec(message)?;
        let send = |asked: Writer| asked.text(7, queue).bytes(8, &message).message(9, Writer::default());
        self.ask(send).map(drop)
    }

    /// Finds it, or makes it: its id.
    pub fn id(self) -> Result<String, Error> {
        read_value(&self.ask(|asked| asked)?)
    }

    fn ask(self, what: impl FnOnce(Writer) -> Writer) -> Result<Vec<u8>, Error> {
        let Self { context, name, key, method, input, timeout } = self;
        context.flush()?;
        let mut asked = Writer::default().text(1, &name);
        for part in &key {
            asked = asked.part(2, part.as_bytes());
        }
        let asked = what(asked.number(4, method).bytes(5, &input));
        let limit = timeout.map_or(0, |timeout| timeout.as_millis().clamp(1, u32::MAX.into()) as u64);
        let mut asked = asked.number(10, limit);
        for link in &context.part.chain {
            asked = asked.part(12, link);
        }
        let asked = asked.number(13, context.part.depth).text(14, &context.part.trace);
        outcome(&context.ask(ACTOR_CALL, asked)?, 5, 2)
    }
}
