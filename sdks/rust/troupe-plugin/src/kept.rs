//! What an actor asks about its queues and schedules, which its host keeps: questions and answers are JSON.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::call::read_value;
use crate::context::Context;
use crate::error::Error;
use crate::question::{Put, Question};
use crate::waits::{Heard, outcome};
use crate::wire::Writer;

/// Field of Ask.
const KEPT: u32 = 12;

/// KeptAsk.
#[derive(Clone, Copy)]
pub(crate) enum Ask {
    Send = 1,
    Receive = 2,
    Complete = 3,
    Retry = 4,
    Schedule = 5,
    Cancel = 6,
    List = 7,
    SetCron = 8,
    DeleteCron = 9,
    ListCron = 10,
}

/// What is asked; what is `null` isn't said.
fn question(ask: Ask, call: u64, asked: Value) -> Result<Writer, Error> {
    let said: Map<String, Value> = match asked {
        Value::Object(asked) => asked.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    };
    let payload = serde_json::to_vec(&said)?;
    Ok(Writer::default().number(1, ask as u64).bytes(2, &payload).number(3, call))
}

/// What was answered.
pub(crate) fn answer<T: DeserializeOwned>(heard: &Heard) -> Result<T, Error> {
    read_value(&outcome(heard, 5, 2)?)
}

/// One of a list that was answered.
pub(crate) struct Record(HashMap<String, crate::Raw>);

impl Record {
    /// A list of them, as it was answered.
    pub(crate) fn all(heard: &Heard) -> Result<impl Iterator<Item = Self> + use<>, Error> {
        let all: Vec<HashMap<String, crate::Raw>> = answer(heard)?;
        Ok(all.into_iter().map(Self))
    }

    /// What it says of that; `null` where it says nothing.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        Ok(serde_json::from_str(self.0.get(name).map_or("null", |value| value.get()))?)
    }
}

/// A question about what the host keeps. What was written before is stored together with what it changes.
pub(crate) fn kept<T>(
    ask: Ask,
    asked: Result<Value, Error>,
    read: fn(&Heard) -> Result<T, Error>,
) -> Question<'static, T> {
    let put = move |c: &mut Context| {
        let question = question(ask, c.part.call, asked?)?;
        c.flush_joined(c.part.call)?;
        Ok(Put::Ask(question))
    };
    Question::new(KEPT, put, read)
}
