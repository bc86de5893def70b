//! Keeps things wherever an actor can: in keys, in its database, with another of its kind. What asks the host is there twice: by
//! functions that wait, and by functions that go on with `.await`, which WebAssembly has alone.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use troupe_plugin::{
    Actor, Connection, Context, DeliveryPolicy, Error, KeepAwake, Message, Plugin, Request, Response, Socket,
    export_plugin,
};

mod asking;
#[cfg(not(target_family = "wasm"))]
mod waiting;

const NOTES: &str = "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, said TEXT)";

/// What keeps actors awake, by their ids.
static HELD: Mutex<Option<HashMap<String, KeepAwake>>> = Mutex::new(None);

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

fn whisper(c: &mut Context, (said,): (String,)) -> Result<(), Error> {
    let to = c.connection().ok_or_else(|| Error::user("nobody", "nobody is connected"))?;
    c.send(&[to], "whispered", &(said,))
}

fn path(socket: &Socket) -> String {
    socket.url.splitn(4, '/').last().map_or_else(String::new, |path| format!("/{path}"))
}

/// Counts in the socket's state, and says what it counted.
fn mark(c: &mut Context, number: u64, text: &str) -> Result<(), Error> {
    let Some(socket) = c.socket(number) else {
        return Ok(());
    };
    let (path, marks) = (path(socket), socket.state::<Option<u64>>()?.unwrap_or(0) + 1);
    c.set_socket_state(number, &marks)?;
    let wakes = c.state::<u64>("wakes")?.unwrap_or(0);
    c.send_text(number, &format!("{text} {path} {marks} {wakes}"))
}

fn gone(c: &mut Context, number: u64) -> Result<(), Error> {
    let path = c.socket(number).map(path).unwrap_or_default();
    c.kv().put("gone", path);
    Ok(())
}

/// Says what it is told again, and ends when it is told "bye".
fn heard(c: &mut Context, socket: u64, message: Message) -> Result<(), Error> {
    match message {
        Message::Text(text) if text == "bye" => c.close_socket(socket, 4000, "bye"),
        Message::Text(text) if text.starts_with("mark") => mark(c, socket, &text),
        Message::Text(text) if text == "fail" => Err(Error::user("told_to", "it was told to fail")),
        Message::Text(text) => {
            c.kv().put("heard", &text);
            c.send_text(socket, &format!("{text}!"))
        }
        Message::Bytes(bytes) => c.send_bytes(socket, &bytes),
    }
}

/// Answers with the request, or with as much as is asked for.
fn respond(request: &Request) -> Result<Response, Error> {
    if request.url.ends_with("/refused") {
        return Err(Error::user("refused", "not this one"));
    }
    if request.url.ends_with("/large") {
        return Ok(Response::new(200, "x".repeat(200_000)));
    }
    let body = [request.method.as_bytes(), b" ", request.body.as_slice()].concat();
    Ok(Response::new(201, body).header("x-kept", "yes"))
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
    let comings = c.state::<String>("comings")?.unwrap_or_default() + what + " ";
    c.kv().put("comings", &comings);
    c.set_state("comings", &comings)
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
        .delivery("trials", DeliveryPolicy::new().max_attempts(2).retry_delay(Duration::from_millis(1)))
        .action("wakes", |c, _: [(); 0]| c.state::<u64>("wakes"))
        .action("hold", hold)
        .action("letGo", let_go)
        .stream("count", |_, (upto,): (u64,)| Ok(numbers(upto, false)))
        .stream("countAndFail", |_, (upto,): (u64,)| Ok(numbers(upto, true)))
}

/// With all that asks nobody.
fn actor(name: &str) -> Actor {
    let actor = Actor::new(name)
        .event("whispered")
        .database()
        .sockets(|c, socket| c.send_text(socket.number, "welcome"), heard, gone)
        .action("sockets", |c, _: [(); 0]| {
            let mut paths: Vec<_> = c.sockets().map(path).collect();
            paths.sort();
            Ok(paths)
        })
        .action("put", |c, (key, value): (String, String)| {
            c.kv().put(key, value);
            Ok(())
        })
        .action("delete", |c, (key,): (String,)| {
            c.kv().delete(key);
            Ok(())
        })
        .action("who", |c, _: [(); 0]| Ok(json!([c.name(), c.key(), c.actor_id()])))
        .action("scope", |c, _: [(); 0]| Ok(c.scope().to_owned()))
        .action("whisper", whisper)
        .action("leave", |c, _: [(); 0]| c.connection().map_or(Ok(()), |one| c.disconnect(one, "enough")))
        .action("sleep", |c, _: [(); 0]| c.sleep())
        .action("destroy", |c, _: [(); 0]| c.destroy());
    with_connections(with_time(actor))
}

/// As a library, and as a program of its own.
#[cfg(not(target_family = "wasm"))]
pub fn plugin() -> Plugin {
    let both = [waiting::with_questions(actor("keeper")), asking::with_questions(actor("asking"))];
    let plugin = Plugin::new("keeper", env!("CARGO_PKG_VERSION"));
    both.into_iter().fold(plugin, Plugin::actor)
}

/// As a module of WebAssembly.
#[cfg(target_family = "wasm")]
pub fn plugin() -> Plugin {
    Plugin::new("keeper", env!("CARGO_PKG_VERSION")).actor(asking::with_questions(actor("keeper")))
}

export_plugin!(plugin);
