use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::Error;
use crate::kept::{Ask, Record, answer, kept};
use crate::question::Asks;
use crate::queue::{millis, value};
use crate::waits::Heard;

/// A call of an action that is to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    /// Names it to [`cancel`](Schedule::cancel).
    pub id: String,
    /// The action.
    pub action: String,
    /// Its arguments.
    pub args: Vec<Value>,
    /// When it is due: wall clock, milliseconds.
    pub run_at: u64,
    /// What it failed with; it isn't run again.
    pub failed: Option<Value>,
}

/// Calls of the actor's own actions, later, once: [`Context::schedule`].
pub struct Schedule<A> {
    asks: A,
    name: Option<String>,
    tries: Option<u32>,
}

/// Calls of the actor's own actions that come again and again, each under a name: [`Context::cron`].
pub struct Cron<A> {
    asks: A,
    timezone: String,
}

/// A job of [`Cron`].
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// The action.
    pub action: String,
    /// Its arguments.
    pub args: Vec<Value>,
    /// When it runs next: wall clock, milliseconds.
    pub next_run_at: u64,
}

impl Context {
    /// Calls of its own actions, later, also when the actor sleeps until then.
    pub fn schedule(&mut self) -> Schedule<&mut Self> {
        Schedule::new(self)
    }

    /// Calls of its own actions that come again and again.
    pub fn cron(&mut self) -> Cron<&mut Self> {
        Cron::new(self)
    }
}

impl<A: Asks> Schedule<A> {
    pub(crate) fn new(asks: A) -> Self {
        Self { asks, name: None, tries: None }
    }

    /// The next call takes the place of the one that has this name.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The next call is tried so often, when it fails.
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = Some(tries);
        self
    }

    /// Calls an action in so long: the call's id. Arguments are a tuple, or `[(); 0]` for none.
    pub fn after(self, delay: Duration, action: &str, args: &(impl Serialize + ?Sized)) -> A::Answer<String> {
        self.set(json!({ "delayMs": millis(delay) }), action, args)
    }

    /// Calls an action at a time: wall clock, milliseconds.
    pub fn at(self, timestamp: u64, action: &str, args: &(impl Serialize + ?Sized)) -> A::Answer<String> {
        self.set(json!({ "at": timestamp }), action, args)
    }

    /// False when there is no such call, or it runs already.
    pub fn cancel(self, id: &str) -> A::Answer<bool> {
        self.asks.ask(kept(Ask::Cancel, Ok(json!({ "id": id })), answer))
    }

    /// Those that wait, and those that failed, in the order of their times.
    pub fn list(self) -> A::Answer<Vec<Scheduled>> {
        self.asks.ask(kept(Ask::List, Ok(json!({})), scheduled))
    }

    fn set(self, when: Value, action: &str, args: &(impl Serialize + ?Sized)) -> A::Answer<String> {
        let retry = self.tries.map(|tries| json!({ "maxAttempts": tries }));
        // A tuple is a list.
        let asked = value(args).map(|args| {
            let mut asked = when;
            asked["action"] = action.into();
            asked["args"] = args;
            asked["name"] = self.name.into();
            asked["retry"] = retry.into();
            asked
        });
        self.asks.ask(kept(Ask::Schedule, asked, answer))
    }
}

fn scheduled(heard: &Heard) -> Result<Vec<Scheduled>, Error> {
    let read = |call: Record| {
        Ok(Scheduled {
            id: call.get("id")?,
            action: call.get("action")?,
            args: call.get("args")?,
            run_at: call.get("runAt")?,
            failed: call.get("failed")?,
        })
    };
    Record::all(heard)?.map(read).collect()
}

impl<A: Asks> Cron<A> {
    pub(crate) fn new(asks: A) -> Self {
        Self { asks, timezone: "UTC".into() }
    }

    /// The zone of the next expression, `"Europe/Berlin"`; otherwise UTC.
    pub fn timezone(mut self, timezone: &str) -> Self {
        self.timezone = timezone.into();
        self
    }

    /// Calls an action at the times of an expression: `"0 9 * * 1"`.
    pub fn set(
        self,
        name: &str,
        expression: &str,
        action: &str,
        args: &(impl Serialize + ?Sized),
    ) -> A::Answer<()> {
        let when = json!({ "expression": expression, "timezone": self.timezone });
        self.set_job(when, name, action, args)
    }

    /// Calls an action each time that so long has passed.
    pub fn every(
        self,
        name: &str,
        interval: Duration,
        action: &str,
        args: &(impl Serialize + ?Sized),
    ) -> A::Answer<()> {
        self.set_job(json!({ "interval": millis(interval) }), name, action, args)
    }

    /// False when there is none of that name.
    pub fn delete(self, name: &str) -> A::Answer<bool> {
        self.asks.ask(kept(Ask::DeleteCron, Ok(json!({ "name": name })), answer))
    }

    /// All there are, in the order of their next times.
    pub fn list(self) -> A::Answer<Vec<Job>> {
        self.asks.ask(kept(Ask::ListCron, Ok(json!({})), jobs))
    }

    fn set_job(
        self,
        when: Value,
        name: &str,
        action: &str,
        args: &(impl Serialize + ?Sized),
    ) -> A::Answer<()> {
        let asked = value(args).map(|args| {
            let mut asked = when;
            asked["name"] = name.into();
            asked["action"] = action.into();
            asked["args"] = args;
            asked
        });
        self.asks.ask(kept(Ask::SetCron, asked, answer))
    }
}

fn jobs(heard: &Heard) -> Result<Vec<Job>, Error> {
    let read = |job: Record| {
        Ok(Job {
            name: job.get("name")?,
            action: job.get("action")?,
            args: job.get("args")?,
            next_run_at: job.get("nextRunAt")?,
        })
    };
    Record::all(heard)?.map(read).collect()
}
