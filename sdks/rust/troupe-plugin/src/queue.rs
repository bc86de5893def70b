use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::Error;
use crate::kept::{Ask, Record, answer, kept};
use crate::question::Asks;
use crate::waits::Heard;
use crate::wire::Writer;

/// A message of one of the actor's queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMessage<T> {
    /// Its number, which no other message of the actor has.
    pub id: u64,
    /// The queue.
    pub name: String,
    /// What was sent.
    pub body: T,
    /// Which delivery of it this is, from 1.
    pub attempts: u32,
}

/// How messages of a queue are delivered again, [`Actor::delivery`](crate::Actor::delivery): what isn't said is as it is for every
/// queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryPolicy {
    max_attempts: Option<u32>,
    retry_delay: Option<Duration>,
    visibility_timeout: Option<Duration>,
}

impl DeliveryPolicy {
    /// As it is for every queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// After so many deliveries a message is a dead letter (10).
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// The wait before the second delivery (1 s); it doubles with each.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.retry_delay = Some(delay);
        self
    }

    /// A message that was taken to be completed, and isn't, comes again after so long (never).
    pub fn visibility_timeout(mut self, timeout: Duration) -> Self {
        self.visibility_timeout = Some(timeout);
        self
    }

    /// A QueueDelivery.
    pub(crate) fn write(&self, queue: &str) -> Writer {
        // 0 says nothing.
        let millis = |time: Option<Duration>| time.map_or(0, |time| millis(time).clamp(1, u32::MAX.into()));
        Writer::default()
            .text(1, queue)
            .number(2, self.max_attempts.map_or(0, |attempts| attempts.max(1)).into())
            .number(3, millis(self.retry_delay))
            .number(4, millis(self.visibility_timeout))
    }
}

/// What is known of a message that is brought, beside its body.
pub(crate) struct Delivery {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) attempts: u32,
}

impl Delivery {
    pub(crate) fn message<T>(self, body: T) -> QueueMessage<T> {
        let Self { id, name, attempts } = self;
        QueueMessage { id, name, body, attempts }
    }
}

/// The actor's own queues, [`Context::queue`].
pub struct Queue<A> {
    asks: A,
    timeout: Option<Duration>,
    completable: bool,
}

impl Context {
    /// Its queues: those that it declares with [`queue`](crate::Actor::queue).
    pub fn queue(&mut self) -> Queue<&mut Self> {
        Queue::new(self)
    }
}

impl<A: Asks> Queue<A> {
    pub(crate) fn new(asks: A) -> Self {
        Self { asks, timeout: None, completable: false }
    }

    /// Puts a message into one of them: its number.
    pub fn send(self, name: &str, body: &(impl Serialize + ?Sized)) -> A::Answer<u64> {
        let asked = value(body).map(|body| json!({ "name": name, "body": body }));
        self.asks.ask(kept(Ask::Send, asked, answer))
    }

    /// How long [`next`](Self::next) waits: not at all with [`Duration::ZERO`]. Without it: until a message comes, or the call is
    /// given up (`actor.aborted`).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What [`next`](Self::next) takes is handled when [`complete`](Self::complete) says so, and comes again otherwise.
    pub fn completable(mut self) -> Self {
        self.completable = true;
        self
    }

    /// The oldest message of these queues, of all without names; `None` when the time is over. It is handled when the call
    /// takes the next one, or ends: then it goes together with what was written.
    pub fn next<T: DeserializeOwned>(self, names: &[&str]) -> A::Answer<Option<QueueMessage<T>>> {
        let asked = asked(names, self.timeout, self.completable);
        self.asks.ask(kept(Ask::Receive, Ok(asked), first))
    }

    /// A message that was taken to be completed is handled; its sender gets the reply, if it waits.
    pub fn complete<T>(self, message: &QueueMessage<T>, reply: &(impl Serialize + ?Sized)) -> A::Answer<()> {
        let asked =
            value(reply).map(|reply| json!({ "id": message.id, "name": message.name, "reply": reply }));
        self.asks.ask(kept(Ask::Complete, asked, answer))
    }

    /// It comes again: after so long, or, without, later each time.
    pub fn retry<T>(self, message: &QueueMessage<T>, delay: Option<Duration>) -> A::Answer<()> {
        let asked = json!({ "id": message.id, "name": message.name, "delay": delay.map(millis) });
        self.asks.ask(kept(Ask::Retry, Ok(asked), answer))
    }
}

fn first<T: DeserializeOwned>(heard: &Heard) -> Result<Option<QueueMessage<T>>, Error> {
    Record::all(heard)?.next().as_ref().map(read).transpose()
}

fn read<T: DeserializeOwned>(message: &Record) -> Result<QueueMessage<T>, Error> {
    Ok(QueueMessage {
        id: message.get("id")?,
        name: message.get("name")?,
        body: message.get("body")?,
        attempts: message.get("attempts")?,
    })
}

/// As it is in a question.
pub(crate) fn value(value: &(impl Serialize + ?Sized)) -> Result<Value, Error> {
    Ok(serde_json::to_value(value)?)
}

/// The question for one message.
fn asked(names: &[&str], timeout: Option<Duration>, completable: bool) -> Value {
    json!({ "names": names, "timeout": timeout.map(millis), "completable": completable })
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
