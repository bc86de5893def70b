use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::error::Error;
use crate::question::{Asks, Put, Question};
use crate::value::Value;
use crate::waits::{Heard, outcome};
use crate::wire::Writer;

/// Fields of Ask.
const SQL_EXECUTE: u32 = 5;
const SQL_BEGIN: u32 = 9;
const SQL_END: u32 = 10;

/// What a statement changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    /// Rows that it inserted, updated or deleted.
    pub changes: i64,
    /// The row that it inserted last.
    pub last_insert_row_id: i64,
}

impl Context {
    /// Runs a statement of the actor's own database. Parameters are a tuple, or a struct or map by name; `()` for none. For
    /// an actor that declares [`database`](crate::Actor::database).
    pub fn exec(&mut self, sql: &str, params: impl Serialize) -> Result<Changes, Error> {
        let transaction = self.transactions.last().copied().unwrap_or(0);
        self.ask(exec(sql, params, transaction))
    }

    /// The rows that a statement gives: each an object, by its columns.
    pub fn query<T: DeserializeOwned>(&mut self, sql: &str, params: impl Serialize) -> Result<Vec<T>, Error> {
        let transaction = self.transactions.last().copied().unwrap_or(0);
        self.ask(query(sql, params, transaction))
    }

    /// Runs all of it in one transaction: an error undoes what it wrote in the database. One may be inside another.
    pub fn transaction<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let outer = self.transactions.last().copied().unwrap_or(0);
        self.last_transaction += 1;
        let number = self.last_transaction;
        self.ask(begin(number, outer))?;
        let mut open = Open { context: self, number, ended: false };
        open.context.transactions.push(number);
        let given = run(open.context);
        let ended = open.end(given.is_err());
        given.and_then(|given| ended.map(|()| given))
    }
}

/// A statement, in a transaction or in none (0): what it changed.
pub(crate) fn exec(sql: &str, params: impl Serialize, transaction: u64) -> Question<'_, Changes> {
    execute(sql, parameters(params), transaction, |heard| Ok(changes(&result(heard)?)))
}

/// The same: its rows.
pub(crate) fn query<T: DeserializeOwned>(
    sql: &str,
    params: impl Serialize,
    transaction: u64,
) -> Question<'_, Vec<T>> {
    execute(sql, parameters(params), transaction, |heard| rows(&result(heard)?))
}

fn execute<T>(
    sql: &str,
    params: Result<Vec<u8>, Error>,
    transaction: u64,
    read: fn(&Heard) -> Result<T, Error>,
) -> Question<'_, T> {
    let put = move |_: &mut Context| {
        Ok(Put::Ask(Writer::default().text(1, sql).bytes(2, &params?).number(3, transaction)))
    };
    Question::new(SQL_EXECUTE, put, read)
}

/// A transaction begins, inside of another or of none.
pub(crate) fn begin(number: u64, outer: u64) -> Question<'static, ()> {
    let put = move |_: &mut Context| Ok(Put::Ask(Writer::default().number(1, number).number(2, outer)));
    Question::new(SQL_BEGIN, put, done)
}

/// It ends.
pub(crate) fn end(number: u64, undo: bool) -> Question<'static, ()> {
    let put = move |_: &mut Context| Ok(Put::Ask(Writer::default().number(1, number).number(2, undo.into())));
    Question::new(SQL_END, put, done)
}

/// Parameters, in CBOR.
fn parameters(params: impl Serialize) -> Result<Vec<u8>, Error> {
    match serde_json::from_slice(&serde_json::to_vec(&params)?)? {
        Value::Null => Ok(Vec::new()),
        params => params.to_cbor().map_err(Error::no_value),
    }
}

/// What came of one.
fn result(heard: &Heard) -> Result<Value, Error> {
    Value::from_cbor(&outcome(heard, 4, 2)?).map_err(Error::no_value)
}

fn changes(result: &Value) -> Changes {
    let number = |name: &str| result.get(name).map_or(0, Value::as_integer);
    Changes { changes: number("changes"), last_insert_row_id: number("lastInsertRowId") }
}

fn rows<T: DeserializeOwned>(result: &Value) -> Result<Vec<T>, Error> {
    let (Some(Value::List(columns)), Some(Value::List(rows))) = (result.get("columns"), result.get("rows"))
    else {
        return Err(Error::malformed());
    };
    rows.iter().map(|row| typed(columns, row)).collect()
}

/// One that ends when its function does, also by a panic.
struct Open<'a> {
    context: &'a mut Context,
    number: u64,
    ended: bool,
}

impl Open<'_> {
    fn end(&mut self, undo: bool) -> Result<(), Error> {
        self.ended = true;
        self.context.transactions.retain(|number| *number != self.number);
        self.context.ask(end(self.number, undo))
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // It panicked, and that is what its caller hears.
            let _ = self.end(true);
        }
    }
}

fn done(heard: &Heard) -> Result<(), Error> {
    outcome(heard, u32::MAX, 2).map(drop)
}

fn typed<T: DeserializeOwned>(columns: &[Value], row: &Value) -> Result<T, Error> {
    let Value::List(values) = row else {
        return Err(Error::malformed());
    };
    let object = Value::Object(columns.iter().cloned().zip(values.iter().cloned()).collect());
    Ok(serde_json::from_slice(&serde_json::to_vec(&object)?)?)
}
