use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::actor::{Answer, Asked};
use crate::context::Context;
use crate::error::Error;
use crate::sql::{self, Changes, SQL_EXECUTE};
use crate::waits::Heard;
use crate::wire::Writer;

type Then<R> = Box<dyn FnOnce(&mut Context, Heard) -> Result<Turn<R>, Error> + Send>;

/// One step of an action that asks, [`Actor::asking`](crate::Actor::asking): its answer, or a question to the host and what goes
/// on when the host has answered. What was written before a question is stored before the question is heard.
pub struct Turn<R>(Step<R>);

enum Step<R> {
    Done(R),
    Ask { about: u32, question: Writer, then: Then<R> },
}

impl<R: Serialize + 'static> Turn<R> {
    /// The action's answer.
    pub fn done(value: R) -> Self {
        Self(Step::Done(value))
    }

    /// Runs a statement as [`Context::exec`] does, and goes on with what it changed. An error is the call's.
    pub fn exec(
        sql: &str,
        params: impl Serialize,
        then: impl FnOnce(&mut Context, Changes) -> Result<Self, Error> + Send + 'static,
    ) -> Result<Self, Error> {
        Self::sql(sql, params, move |c, heard| then(c, sql::changes(&sql::result(&heard)?)))
    }

    /// Runs a statement as [`Context::query`] does, and goes on with its rows. An error is the call's.
    pub fn query<T: DeserializeOwned>(
        sql: &str,
        params: impl Serialize,
        then: impl FnOnce(&mut Context, Vec<T>) -> Result<Self, Error> + Send + 'static,
    ) -> Result<Self, Error> {
        Self::sql(sql, params, move |c, heard| then(c, sql::rows(&sql::result(&heard)?)?))
    }

    fn sql(
        sql: &str,
        params: impl Serialize,
        then: impl FnOnce(&mut Context, Heard) -> Result<Self, Error> + Send + 'static,
    ) -> Result<Self, Error> {
        let question = sql::statement(sql, params)?;
        Ok(Self(Step::Ask { about: SQL_EXECUTE, question, then: Box::new(then) }))
    }

    /// As a running actor has it, without its type.
    pub(crate) fn answer(self) -> Result<Answer, Error> {
        match self.0 {
            Step::Done(value) => Ok(Answer::Now(serde_json::to_vec(&value)?)),
            Step::Ask { about, question, then } => {
                let then = Box::new(move |c: &mut Context, heard| then(c, heard)?.answer());
                Ok(Answer::Ask(Asked { about, question, then }))
            }
        }
    }
}
