//! Keeps things wherever an actor can: in keys, in its database, with another of its kind.

use serde_json::{Value, json};
use troupe_plugin::{Actor, Context, Error, KeyRange, Message, Plugin, Request, Response, export_plugin};

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
    Plugin::new("keeper", env!("CARGO_PKG_VERSION")).actor(actor)
}

export_plugin!(plugin);
