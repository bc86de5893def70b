//! What a function that goes on with `.await` has in the place of a context.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::abort::Abort;
use crate::context::{Context, Part};
use crate::error::Error;
use crate::kv::Kv;
use crate::other::Other;
use crate::question::{Asked, Asks, Put, Question, Slot, arrived, barrier};
use crate::queue::Queue;
use crate::running::Running;
use crate::schedule::{Cron, Schedule};
use crate::sql::{self, Changes};
use crate::voice::{Voice, say};
use crate::waits::{Kind, Word};
use crate::wire::Writer;

/// An actor, for a function that asks its host and doesn't wait: [`Actor::asking`](crate::Actor::asking) and others. Where a
/// [`Context`] waits, this goes on with `.await`, and meanwhile the actor's other functions run. So what was read before an
/// `.await` may have changed behind it. What was written before a question is stored before the question is heard.
#[derive(Clone)]
pub struct Turn {
    running: Arc<Running>,
    part: Arc<Part>,
}

impl Turn {
    pub(crate) fn new(running: Arc<Running>, part: Part) -> Self {
        Self { running, part: Arc::new(part) }
    }

    /// All that doesn't wait: state, events, connections, keys that are written. Not one inside another.
    pub fn with<R>(&self, run: impl FnOnce(&mut Context) -> R) -> R {
        self.running.with_part(&self.part, run)
    }

    /// Says when nobody waits for the call any more, or the actor is to stop.
    pub fn abort(&self) -> Abort {
        self.part.abort.clone()
    }

    /// Its keys and values.
    pub fn kv(&self) -> Kv<&Self> {
        Kv::new(self)
    }

    /// Another actor.
    pub fn actor(&self, name: &str, key: &[&str]) -> Other<&Self> {
        Other::new(self, name, key)
    }

    /// What was written is on disk when this is answered: before I/O that the host can't see.
    pub fn save_state(&self) -> Asked<()> {
        self.ask(barrier())
    }

    /// Its queues.
    pub fn queue(&self) -> Queue<&Self> {
        Queue::new(self)
    }

    /// Calls of its own actions, later.
    pub fn schedule(&self) -> Schedule<&Self> {
        Schedule::new(self)
    }

    /// Calls of its own actions that come again and again.
    pub fn cron(&self) -> Cron<&Self> {
        Cron::new(self)
    }

    /// Runs a statement of the actor's own database.
    pub fn exec(&self, sql: &str, params: impl Serialize) -> Asked<Changes> {
        self.ask(sql::exec(sql, params, 0))
    }

    /// The rows that a statement gives: each an object, by its columns.
    pub fn query<T: DeserializeOwned>(&self, sql: &str, params: impl Serialize) -> Asked<Vec<T>> {
        self.ask(sql::query(sql, params, 0))
    }

    /// Begins a transaction, which ends with [`Transaction::commit`]; dropped before that, it is undone.
    pub async fn transaction(&self) -> Result<Transaction, Error> {
        let number = self.with(|c| {
            c.last_transaction += 1;
            c.last_transaction
        });
        // Made before the answer is awaited: whoever awaits no longer undoes it.
        let open = Transaction { turn: self.clone(), number, ended: false };
        self.ask(sql::begin(number, 0)).await?;
        Ok(open)
    }

    /// Puts a question. What was written before is stored with what the call changes.
    fn put<T>(
        &self,
        about: u32,
        put: impl FnOnce(&mut Context) -> Result<Put<T>, Error>,
    ) -> Result<Going<T>, Error> {
        let put = self.with(|c| {
            c.flush_joined(self.part.call)?;
            put(c)
        });
        let question = match put? {
            Put::Known(answer) => return Ok(Going::Known(answer)),
            Put::Ask(question) => question,
        };
        let slot: Arc<Mutex<Slot>> = Arc::default();
        let arrives = Arc::clone(&slot);
        let follow = Box::new(move |word: Word| arrived(&arrives, word));
        let instance = self.running.instance;
        let frame = |voice: &Voice, number| {
            voice.say(instance, say::ASK, Writer::default().number(1, number).message(about, question))
        };
        self.running.shared.waits.follow(Kind::Answer, instance, frame, follow);
        // Behind `follow`: whoever says that it is lost tells those that wait already.
        if self.running.lost.load(Ordering::SeqCst) {
            self.running.shared.end_actor(instance);
        }
        Ok(Going::Waits(slot))
    }
}

enum Going<T> {
    Known(T),
    Waits(Arc<Mutex<Slot>>),
}

impl Asks for &Turn {
    type Answer<T> = Asked<T>;

    fn ask<T>(self, Question { about, put, read }: Question<'_, T>) -> Asked<T> {
        match self.put(about, put) {
            Err(error) => Asked::known(Err(error)),
            Ok(Going::Known(answer)) => Asked::known(Ok(answer)),
            Ok(Going::Waits(slot)) => Asked::waits(slot, read),
        }
    }

    fn with<R>(&mut self, run: impl FnOnce(&mut Context) -> R) -> R {
        Turn::with(self, run)
    }
}

/// A transaction of an actor's own database, [`Turn::transaction`]. The actor's other statements wait for its end.
pub struct Transaction {
    turn: Turn,
    number: u64,
    ended: bool,
}

impl Transaction {
    /// Runs a statement.
    pub fn exec(&self, sql: &str, params: impl Serialize) -> Asked<Changes> {
        (&self.turn).ask(sql::exec(sql, params, self.number))
    }

    /// The rows that a statement gives.
    pub fn query<T: DeserializeOwned>(&self, sql: &str, params: impl Serialize) -> Asked<Vec<T>> {
        (&self.turn).ask(sql::query(sql, params, self.number))
    }

    /// All of it happens.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.ended = true;
        (&self.turn).ask(sql::end(self.number, false)).await
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.ended {
            // Nobody hears what comes of it: the statements after it are behind its end.
            drop((&self.turn).ask(sql::end(self.number, true)));
        }
    }
}
