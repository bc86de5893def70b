//! The same by functions that go on with `.await`: also in WebAssembly, where nobody can wait.

use std::time::Duration;

use serde_json::Value;
use troupe_plugin::{Actor, Error, KeyRange, QueueMessage, Request, Response, Turn};

use crate::{NOTES, respond, text};

const INSERT: &str = "INSERT INTO notes (said) VALUES (?)";

async fn stored(c: &Turn, key: &str) -> Result<String, Error> {
    Ok(c.kv().get(key).await?.map(text).unwrap_or_default())
}

async fn get(c: Turn, (key,): (String,)) -> Result<Option<String>, Error> {
    Ok(c.kv().get(key).await?.map(text))
}

async fn keys(c: Turn, (from,): (String,)) -> Result<Vec<String>, Error> {
    let found = c.kv().list(&KeyRange::all(100).from(from)).await?;
    Ok(found.into_iter().map(|(key, _)| text(key)).collect())
}

async fn save(c: Turn, (key, value): (String, String)) -> Result<(), Error> {
    c.kv().put(key, value);
    c.save_state().await
}

async fn note(c: Turn, (said,): (String,)) -> Result<i64, Error> {
    c.exec(NOTES, ()).await?;
    Ok(c.exec(INSERT, (said,)).await?.last_insert_row_id)
}

/// Both, or neither: dropped before its end, a transaction is undone.
async fn note_both(c: Turn, (one, other): (String, String)) -> Result<i64, Error> {
    let notes = c.transaction().await?;
    notes.exec(NOTES, ()).await?;
    notes.exec(INSERT, (one,)).await?;
    if other.is_empty() {
        return Err(Error::user("nothing_said", "there is nothing to note"));
    }
    let id = notes.exec(INSERT, (other,)).await?.last_insert_row_id;
    notes.commit().await?;
    Ok(id)
}

async fn notes(c: Turn, _: [(); 0]) -> Result<Vec<Value>, Error> {
    c.query("SELECT id, said FROM notes ORDER BY id", ()).await
}

async fn wrong(c: Turn, _: [(); 0]) -> Result<Option<String>, Error> {
    Ok(c.exec("NO SQL", ()).await.err().map(|error| error.code().to_owned()))
}

async fn tell(c: Turn, (whom, key, value): (String, String, String)) -> Result<Value, Error> {
    c.actor("keeper", &[&whom]).call::<Value>("put", &(&key, value)).await?;
    c.actor("keeper", &[&whom]).existing().call("get", &(key,)).await
}

async fn tell_nobody(c: Turn, _: [(); 0]) -> Result<Value, Error> {
    c.actor("keeper", &["nobody"]).existing().call("get", &("a",)).await
}

/// Fails with the first delivery of what says so.
async fn do_job(c: Turn, message: QueueMessage<String>) -> Result<String, Error> {
    if message.body == "fail once" && message.attempts == 1 {
        return Err(Error::user("not_yet", "the first time it fails"));
    }
    let done = format!("{}{},", stored(&c, "done").await?, message.body);
    c.kv().put("done", done);
    Ok(format!("did {}", message.body))
}

/// Fails with each delivery, and keeps which one it was.
async fn do_trial(c: Turn, message: QueueMessage<String>) -> Result<(), Error> {
    c.kv().put("tried", message.attempts.to_string());
    Err(Error::user("never", "it always fails"))
}

async fn take(c: Turn, (timeout_ms,): (u64,)) -> Result<Option<Value>, Error> {
    let taken = c.queue().timeout(Duration::from_millis(timeout_ms)).next(&["inbox"]).await?;
    Ok(taken.map(|message| message.body))
}

async fn complete(c: Turn, (reply,): (String,)) -> Result<Option<Value>, Error> {
    let Some(message) = c.queue().timeout(Duration::ZERO).completable().next::<Value>(&["inbox"]).await?
    else {
        return Ok(None);
    };
    c.queue().complete(&message, &reply).await?;
    Ok(Some(message.body))
}

async fn give_up(c: Turn, _: [(); 0]) -> Result<(), Error> {
    if let Some(message) = c.queue().timeout(Duration::ZERO).completable().next::<Value>(&["inbox"]).await? {
        c.queue().retry(&message, Some(Duration::ZERO)).await?;
    }
    Err(Error::user("gave_up", "it had enough"))
}

async fn scheduled(c: Turn, _: [(); 0]) -> Result<Vec<String>, Error> {
    Ok(c.schedule().list().await?.into_iter().map(|call| call.action).collect())
}

async fn jobs(c: Turn, _: [(); 0]) -> Result<Vec<String>, Error> {
    let mut names: Vec<_> = c.cron().list().await?.into_iter().map(|job| job.name).collect();
    names.sort();
    Ok(names)
}

async fn tick(c: Turn, _: [(); 0]) -> Result<(), Error> {
    let ticks = stored(&c, "ticks").await? + "x";
    c.kv().put("ticks", ticks);
    Ok(())
}

/// Waits until nobody waits for it.
async fn watch(c: Turn, (name,): (String,)) -> Result<(), Error> {
    c.actor("keeper", &["log"]).call::<Value>("put", &(name, "watches")).await?;
    if let Err(error) = c.queue().next::<Value>(&["inbox"]).await {
        c.kv().put("aborted", format!("{} {}", error.code(), c.abort().is_set()));
    }
    Ok(())
}

async fn answer(_: Turn, request: Request) -> Result<Response, Error> {
    respond(&request)
}

fn with_store(actor: Actor) -> Actor {
    actor
        .requests_asking(answer)
        .asking("get", get)
        .asking("keys", keys)
        .asking("save", save)
        .asking("note", note)
        .asking("noteBoth", note_both)
        .asking("notes", notes)
        .asking("wrong", wrong)
        .asking("tell", tell)
        .asking("tellNobody", tell_nobody)
}

/// With all that asks.
pub fn with_questions(actor: Actor) -> Actor {
    with_store(actor)
        .consume_asking("jobs", do_job)
        .consume_asking("trials", do_trial)
        .asking("take", take)
        .asking("complete", complete)
        .asking("giveUp", give_up)
        .asking("sendInbox", |c: Turn, (body,): (Value,)| c.queue().send("inbox", &body))
        .asking("later", |c: Turn, (delay_ms, key, value): (u64, String, String)| {
            c.schedule().after(Duration::from_millis(delay_ms), "put", &(key, value))
        })
        .asking("laterUnknown", |c: Turn, _: [(); 0]| {
            c.schedule().after(Duration::from_millis(1), "nothing", &[(); 0])
        })
        .asking("scheduled", scheduled)
        .asking("cancel", |c: Turn, (id,): (String,)| c.schedule().cancel(&id))
        .asking("tick", tick)
        .asking("every", |c: Turn, (name, interval_ms): (String, u64)| {
            c.cron().every(&name, Duration::from_millis(interval_ms), "tick", &[(); 0])
        })
        .asking("cron", |c: Turn, (name, expression): (String, String)| {
            c.cron().set(&name, &expression, "tick", &[(); 0])
        })
        .asking("jobs", jobs)
        .asking("stopJob", |c: Turn, (name,): (String,)| c.cron().delete(&name))
        .asking("watch", watch)
}
