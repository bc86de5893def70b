//! Keeps things wherever an actor can: in keys, in its database, with another of its kind.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use troupe_plugin::{
    Actor, Connection, Context, Error, KeepAwake, KeyRange, Message, Plugin, QueueMessage, Request, Response,
    export_plugin,
};

/// What keeps actors awake, by their ids.
static HELD: Mutex<Option<HashMap<String, KeepAwake>>> = Mutex::new(None);

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

fn note(c: &mut Context, (said,): (String,)) -> Result<i64, Error> {
    c.exec("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, said TEXT)", ())?;
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

fn whisper(c: &mut Context, (said,): (String,)) -> Result<(), Error> {
    let to = c.connection().ok_or_else(|| Error::user("nobody", "nobody is connected"))?;
    c.send(&[to], "whispered", &(said,))
}

/// Says what it is told again, and ends when it is told "bye".
fn heard(c: &mut Context, socket: u64, message: Message) -> Result<(), Error> {
    match message {
        Message::Text(text) if text == "bye" => c.close_socket(socket, 4000, "bye"),
        Message::Text(text) if text == "fail" => Err(Error::user("told_to", "it was told to fail")),
        Message::Text(text) => {
            c.kv().put("heard", &text);
            c.send_text(socket, &format!("{text}!"))
        }
        Message::Bytes(bytes) => c.send_bytes(socket, &bytes),
    }
}

/// Answers with the request, or with as much as is asked for.
fn answer(_: &mut Context, request: Request) -> Result<Response, Error> {
    if request.url.ends_with("/refused") {
        return Err(Error::user("refused", "not this one"));
    }
    if request.url.ends_with("/large") {
        return Ok(Response::new(200, "x".repeat(200_000)));
    }
    let body = [request.method.as_bytes(), b" ", request.body.as_slice()].concat();
    Ok(Response::new(201, body).header("x-kept", "yes"))
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

fn hold(c: &mut Context, _: [(); 0]) -> Result<(), Error> {
    let mut held = HELD.lock().map_err(|_| Error::user("held", "somebody panicked"))?;
    held.get_or_insert_default().insert(c.actor_id().into(), c.keep_awake());
    Ok(())
}

fn let_go(c: &mut Context, _: [(); 0]) -> Result<(), Error> {
    let mut held = HELD.lock().map_err(|_| Error::user("held", "somebody panicked"))?;
    held.get_or_insert_default().remove(c.actor_id());
    Ok(())
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

/// Numbers, each stored before it is given.
fn numbers(upto: u64, fails: bool) -> impl FnMut(&mut Context) -> Result<Option<u64>, Error> {
    let mut last = 0;
    move |c| {
        if last == upto {
            let enough = || Error::user("enough", "that was enough");
            return if fails { Err(enough()) } else { Ok(None) };
        }
        last += 1;
        c.kv().put("counted", last.to_string());
        Ok(Some(last))
    }
}

/// A connection's state: who it is, and how often it called.
type Visitor = (String, u64);

fn name_in(params: &Value) -> &str {
    params["name"].as_str().unwrap_or_default()
}

fn note_coming(c: &mut Context, what: &str) -> Result<(), Error> {
    let comings = stored(c, "comings")? + what + " ";
    c.kv().put("comings", comings);
    Ok(())
}

fn accept(params: Value) -> Result<Visitor, Error> {
    match name_in(&params) {
        "nobody" => Err(Error::user("not_you", "you aren't let in")),
        name => Ok((name.into(), 0)),
    }
}

fn connected(c: &mut Context, connection: &Connection) -> Result<(), Error> {
    let (name, _): Visitor = connection.state()?;
    match name.as_str() {
        "" => Ok(()),
        "bad" => Err(Error::user("bad", "it goes at once")),
        _ => {
            note_coming(c, &format!("+{name}"))?;
            c.send(&[connection.number()], "whispered", &(format!("welcome {name}"),))
        }
    }
}

fn disconnected(c: &mut Context, connection: &Connection) -> Result<(), Error> {
    let (name, _): Visitor = connection.state()?;
    if name.is_empty() { Ok(()) } else { note_coming(c, &format!("-{name}")) }
}

fn visits(c: &mut Context, _: [(); 0]) -> Result<Option<Visitor>, Error> {
    let Some(connection) = c.connection().and_then(|number| c.client(number)) else {
        return Ok(None);
    };
    let (number, (name, visits)) = (connection.number(), connection.state::<Visitor>()?);
    let visitor = (name, visits + 1);
    c.set_connection_state(number, &visitor)?;
    Ok(Some(visitor))
}

fn here(c: &mut Context, _: [(); 0]) -> Result<Vec<String>, Error> {
    let mut names: Vec<_> =
        c.connections().map(|one| Ok(one.state::<Visitor>()?.0)).collect::<Result<_, Error>>()?;
    names.sort();
    Ok(names)
}

/// Whom it knows.
fn with_connections(actor: Actor) -> Actor {
    actor
        .event("secret")
        .accept(accept)
        .connected(connected)
        .disconnected(disconnected)
        .can_subscribe(|params: Value, event| match event {
            "secret" if name_in(&params) != "ann" => Err(Error::user("not_for_you", "that isn't for you")),
            _ => Ok(()),
        })
        .action("visits", visits)
        .action("here", here)
        .action("tellSecret", |c, (said,): (String,)| c.broadcast("secret", &(said,)))
}

/// What it does later, and what keeps it busy.
fn with_time(actor: Actor) -> Actor {
    actor
        .start(|c, _| {
            let wakes = c.state::<u64>("wakes")?.unwrap_or(0) + 1;
            c.set_state("wakes", &wakes)
        })
        .queue("inbox")
        .consume("jobs", do_job)
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
        .action("wakes", |c, _: [(); 0]| c.state::<u64>("wakes"))
        .action("hold", hold)
        .action("letGo", let_go)
        .action("watch", watch)
        .stream("count", |_, (upto,): (u64,)| Ok(numbers(upto, false)))
        .stream("countAndFail", |_, (upto,): (u64,)| Ok(numbers(upto, true)))
}

/// As a library, and as a program of its own.
pub fn plugin() -> Plugin {
    let actor = Actor::new("keeper")
        .event("whispered")
        .database()
        .requests(answer)
        .sockets(|c, socket| c.send_text(socket.number, "welcome"), heard, |_, _| Ok(()))
        .action("put", |c, (key, value): (String, String)| {
            c.kv().put(key, value);
            Ok(())
        })
        .action("get", |c, (key,): (String,)| Ok(c.kv().get(key)?.map(text)))
        .action("delete", |c, (key,): (String,)| {
            c.kv().delete(key);
            Ok(())
        })
        .action("keys", |c, (from,): (String,)| {
            let found = c.kv().list(&KeyRange::all(100).from(from))?;
            Ok(found.into_iter().map(|(key, _)| text(key)).collect::<Vec<_>>())
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
        .action("who", |c, _: [(); 0]| Ok(json!([c.name(), c.key(), c.actor_id()])))
        .action("scope", |c, _: [(); 0]| Ok(c.scope().to_owned()))
        .action("whisper", whisper)
        .action("leave", |c, _: [(); 0]| c.connection().map_or(Ok(()), |one| c.disconnect(one, "enough")))
        .action("sleep", |c, _: [(); 0]| c.sleep())
        .action("destroy", |c, _: [(); 0]| c.destroy());
    Plugin::new("keeper", env!("CARGO_PKG_VERSION")).actor(with_connections(with_time(actor)))
}

export_plugin!(plugin);
