//! What it asks its host, by functions that wait for the answer.

use std::time::Duration;

use serde_json::Value;
use troupe_plugin::{Actor, Context, Error, KeyRange, QueueMessage};

use crate::{NOTES, respond, text};

fn note(c: &mut Context, (said,): (String,)) -> Result<i64, Error> {
    c.exec(NOTES, ())?;
    Ok(c.exec("INSERT INTO notes (said) VALUES (?)", (said,))?.last_insert_row_id)
}

/// Both, or neither.
fn note_both(c: &mut Context, (one, other): (String, String)) -> Result<i64, Error> {
    c.transaction(|c| {
        note(c, (one,))?;
        if other.is_empty() {
            return Err(Error::user("nothing_said", "there is nothing to note"));
        }
        note(c, (other,))
    })
}

fn stored(c: &mut Context, key: &str) -> Result<String, Error> {
    Ok(c.kv().get(key)?.map(text).unwrap_or_default())
}

/// Fails with the first delivery of what says so.
fn do_job(c: &mut Context, message: QueueMessage<String>) -> Result<String, Error> {
    if message.body == "fail once" && message.attempts == 1 {
        return Err(Error::user("not_yet", "the first time it fails"));
    }
    let done = format!("{}{},", stored(c, "done")?, message.body);
    c.kv().put("done", done);
    Ok(format!("did {}", message.body))
}

/// Fails with each delivery, and keeps which one it was.
fn do_trial(c: &mut Context, message: QueueMessage<String>) -> Result<(), Error> {
    c.kv().put("tried", message.attempts.to_string());
    Err(Error::user("never", "it always fails"))
}

fn take(c: &mut Context, (timeout_ms,): (u64,)) -> Result<Option<Value>, Error> {
    let taken = c.queue().timeout(Duration::from_millis(timeout_ms)).next(&["inbox"])?;
    Ok(taken.map(|message| message.body))
}

fn complete(c: &mut Context, (reply,): (String,)) -> Result<Option<Value>, Error> {
    let Some(message) = c.queue().timeout(Duration::ZERO).completable().next::<Value>(&["inbox"])? else {
        return Ok(None);
    };
    c.queue().complete(&message, &reply)?;
    Ok(Some(message.body))
}

fn give_up(c: &mut Context, _: [(); 0]) -> Result<(), Error> {
    if let Some(message) = c.queue().timeout(Duration::ZERO).completable().next::<Value>(&["inbox"])? {
        c.queue().retry(&message, Some(Duration::ZERO))?;
    }
    Err(Error::user("gave_up", "it had enough"))
}

fn scheduled(c: &mut Context, _: [(); 0]) -> Result<Vec<String>, Error> {
    Ok(c.schedule().list()?.into_iter().map(|call| call.action).collect())
}

fn jobs(c: &mut Context, _: [(); 0]) -> Result<Vec<String>, Error> {
    let mut names: Vec<_> = c.cron().list()?.into_iter().map(|job| job.name).collect();
    names.sort();
    Ok(names)
}

/// Waits until nobody waits for it.
fn watch(c: &mut Context, (name,): (String,)) -> Result<(), Error> {
    c.actor("keeper", &["log"]).call::<Value>("put", &(name, "watches"))?;
    let given = c.queue().next::<Value>(&["inbox"]);
    let abort = c.abort();
    if let Err(error) = given {
        c.kv().put("aborted", format!("{} {}", error.code(), abort.is_set()));
    }
    Ok(())
}

fn with_store(actor: Actor) -> Actor {
    actor
        .requests(|_, request| respond(&request))
        .action("get", |c, (key,): (String,)| Ok(c.kv().get(key)?.map(text)))
        .action("keys", |c, (from,): (String,)| {
            let found = c.kv().list(&KeyRange::all(100).from(from))?;
            Ok(found.into_iter().map(|(key, _)| text(key)).collect::<Vec<_>>())
        })
        .action("save", |c, (key, value): (String, String)| {
            c.kv().put(key, value);
            c.save_state()
        })
        .action("note", note)
        .action("noteBoth", note_both)
        .action("notes", |c, _: [(); 0]| c.query::<Value>("SELECT id, said FROM notes ORDER BY id", ()))
        .action("wrong", |c, _: [(); 0]| Ok(c.exec("NO SQL", ()).err().map(|error| error.code().to_owned())))
        .action("tell", |c, (whom, key, value): (String, String, String)| {
            c.actor("keeper", &[&whom]).call::<Value>("put", &(&key, value))?;
            c.actor("keeper", &[&whom]).existing().call::<Value>("get", &(key,))
        })
        .action("tellNobody", |c, _: [(); 0]| {
            c.actor("keeper", &["nobody"]).existing().call::<Value>("get", &("a",))
        })
}

/// With all that asks.
pub fn with_questions(actor: Actor) -> Actor {
    with_store(actor)
        .consume("jobs", do_job)
        .consume("trials", do_trial)
        .action("take", take)
        .action("complete", complete)
        .action("giveUp", give_up)
        .action("sendInbox", |c, (body,): (Value,)| c.queue().send("inbox", &body))
        .action("later", |c, (delay_ms, key, value): (u64, String, String)| {
            c.schedule().after(Duration::from_millis(delay_ms), "put", &(key, value))
        })
        .action("laterUnknown", |c, _: [(); 0]| {
            c.schedule().after(Duration::from_millis(1), "nothing", &[(); 0])
        })
        .action("scheduled", scheduled)
        .action("cancel", |c, (id,): (String,)| c.schedule().cancel(&id))
        .action("tick", |c, _: [(); 0]| {
            let ticks = stored(c, "ticks")? + "x";
            c.kv().put("ticks", ticks);
            Ok(())
        })
        .action("every", |c, (name, interval_ms): (String, u64)| {
            c.cron().every(&name, Duration::from_millis(interval_ms), "tick", &[(); 0])
        })
        .action("cron", |c, (name, expression): (String, String)| {
            c.cron().set(&name, &expression, "tick", &[(); 0])
        })
        .action("jobs", jobs)
        .action("stopJob", |c, (name,): (String,)| c.cron().delete(&name))
        .action("watch", watch)
}
